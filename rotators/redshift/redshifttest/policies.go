package redshifttest

import (
	"encoding/json"
	"maps"
	"strconv"
)

// An assumed is the right to run a command with an IAM role.
type assumed struct {
	grantee
	arn, command string
}

// An attachment is a policy on a table, for somebody. The columns are those of a masking policy, as the view has them.
type attachment struct {
	policy string
	object
	grantee
	grantor         string
	mask            bool
	inputs, outputs string
	priority        int
}

// A power is given to roles alone.
func grantPower(p *parser) (action, error) {
	if err := p.expect("to", "role"); err != nil {
		return nil, err
	}
	role, err := p.name()
	return superuser(func(c *catalog, _ *session) error {
		if !c.roles[role] {
			return missing("role", role)
		}
		c.powers[power{role, "ALTER USER"}] = true
		return nil
	}), err
}

// hasPower says whether a user has a system privilege by a role, or by a role of a role.
func (c *catalog) hasPower(of grantee, privilege string) bool {
	if of.kind == "role" && c.powers[power{of.name, privilege}] {
		return true
	}
	for r := range c.roleGrants {
		if r.grantee == of && c.hasPower(grantee{"role", r.role}, privilege) {
			return true
		}
	}
	return false
}

// assumption reads ON role TO user FOR command. DEFAULT and ALL are the same in the catalog.
func assumption(p *parser, preposition string) (a assumed, err error) {
	if err := p.expect("on"); err != nil {
		return a, err
	}
	if a.arn = "default-aws-iam-role"; !p.take("default") && !p.take("all") {
		if a.arn, err = p.text(); err != nil {
			return a, err
		}
	}
	if err := p.expect(preposition); err != nil {
		return a, err
	}
	if a.grantee, err = p.grantee(); err != nil {
		return a, err
	}
	if err := p.expect("for"); err != nil {
		return a, err
	}
	switch {
	case p.take("copy"):
		a.command = "COPY"
	case p.take("unload"):
		a.command = "UNLOAD"
	case p.take("external", "function"):
		a.command = "EXFUNC"
	case p.take("create", "model"):
		a.command = "CREATE MODEL"
	default:
		return a, p.syntax()
	}
	return a, nil
}

func grantAssumeRole(p *parser) (action, error) {
	a, err := assumption(p, "to")
	return superuser(func(c *catalog, _ *session) error {
		c.assumed[a] = true
		return c.knowGrantee(a.grantee)
	}), err
}

func revokeAssumeRole(p *parser) (action, error) {
	a, err := assumption(p, "from")
	return superuser(func(c *catalog, _ *session) error {
		delete(c.assumed, a)
		return c.knowGrantee(a.grantee)
	}), err
}

// attached reads RLS POLICY p ON TABLE t or MASKING POLICY p ON t (a, b) USING (c), up to the grantee.
func attached(p *parser, preposition string) (a attachment, err error) {
	a.mask = p.take("masking", "policy")
	if !a.mask && !p.take("rls", "policy") {
		return a, p.syntax()
	}
	if a.policy, err = p.name(); err != nil {
		return a, err
	}
	if err := p.expect("on"); err != nil {
		return a, err
	}
	if !a.mask {
		p.take("table")
	}
	if a.object, err = p.object("table"); err != nil {
		return a, err
	}
	if a.mask {
		if a.outputs, err = p.columns(); err != nil {
			return a, err
		}
		a.inputs = a.outputs
		if p.take("using") {
			if a.inputs, err = p.columns(); err != nil {
				return a, err
			}
		}
	}
	if err := p.expect(preposition); err != nil {
		return a, err
	}
	a.grantee, err = p.grantee()
	return a, err
}

// columns reads names in brackets, and returns them as the view of masking policies has them.
func (p *parser) columns() (string, error) {
	if err := p.expect("("); err != nil {
		return "", err
	}
	names, err := p.names()
	if err != nil {
		return "", err
	}
	array, err := json.Marshal(names)
	if err != nil {
		return "", err
	}
	return string(array), p.expect(")")
}

// createPolicy takes any: what a policy says is not kept.
func createPolicy(p *parser) (action, error) {
	p.rest()
	return superuser(func(*catalog, *session) error { return nil }), nil
}

func attach(p *parser) (action, error) {
	a, err := attached(p, "to")
	if err == nil && a.mask && p.take("priority") {
		a.priority, err = p.number()
	}
	return superuser(func(c *catalog, s *session) error {
		a.grantor = s.user
		if _, ok := c.objects[a.object]; !ok {
			return missing("table", a.name())
		}
		if c.attachments[a] {
			return raise("42710", "policy %q is attached already, with priority %s", a.policy, strconv.Itoa(a.priority))
		}
		c.attachments[a] = true
		return c.knowGrantee(a.grantee)
	}), err
}

func (a attachment) name() string { return a.object.name }

// detach takes a policy off, with all its priorities.
func detach(p *parser) (action, error) {
	a, err := attached(p, "from")
	return superuser(func(c *catalog, _ *session) error {
		before := len(c.attachments)
		maps.DeleteFunc(c.attachments, func(b attachment, _ bool) bool {
			return b.mask == a.mask && b.policy == a.policy && b.object == a.object && b.grantee == a.grantee && b.outputs == a.outputs
		})
		if len(c.attachments) == before {
			return missing("policy", a.policy)
		}
		return nil
	}), err
}
