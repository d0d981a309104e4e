package redshifttest

import (
	"slices"
	"strings"
)

// A privilegeClause is what stands between GRANT and TO.
type privilegeClause struct {
	all     bool
	listed  []listedPrivilege
	scope   string // FOR TABLES IN ...
	objects []object
}

type listedPrivilege struct{ name, column string }

// listPrivileges reads ALL, or names with columns.
func (p *parser) listPrivileges() (c privilegeClause, err error) {
	if p.take("all") {
		p.take("privileges")
		c.all = true
		return c, nil
	}
	for len(c.listed) == 0 || p.take(",") {
		word, ok := p.kind(wordToken)
		if !ok {
			return c, p.syntax()
		}
		l := listedPrivilege{name: strings.ToUpper(word)}
		if l.name == "TEMPORARY" {
			l.name = "TEMP"
		}
		if p.take("(") {
			if l.column, err = p.name(); err == nil {
				err = p.expect(")")
			}
			if err != nil {
				return c, err
			}
		}
		c.listed = append(c.listed, l)
	}
	columns := func(l listedPrivilege) bool { return l.column != "" }
	if slices.ContainsFunc(c.listed, columns) != (len(c.listed) > 0 && !slices.ContainsFunc(c.listed, func(l listedPrivilege) bool { return !columns(l) })) {
		return c, p.syntax() // they are two forms of GRANT
	}
	return c, nil
}

func (p *parser) privileges() (c privilegeClause, err error) {
	if c, err = p.listPrivileges(); err != nil {
		return c, err
	}
	if p.take("for") {
		word, _ := p.kind(wordToken)
		c.scope = strings.ToUpper(word)
		if err := p.expect("in"); err != nil {
			return c, err
		}
	} else if err := p.expect("on"); err != nil {
		return c, err
	}
	kind, ok := readKind(p)
	if !ok {
		kind = "table"
	}
	for len(c.objects) == 0 || p.take(",") {
		o, err := p.object(kind)
		if err != nil {
			return c, err
		}
		c.objects = append(c.objects, o)
	}
	return c, nil
}

func (p *parser) grantee() (g grantee, err error) {
	switch {
	case p.take("public"):
		return grantee{kind: "public", name: "public"}, nil
	case p.take("group"):
		g.kind = "group"
	case p.take("role"):
		g.kind = "role"
	default:
		g.kind = "user"
		g.name, err = p.user()
		return g, err
	}
	g.name, err = p.name()
	return g, err
}

func (c *catalog) knowGrantee(g grantee) error {
	_, user := c.users[g.name]
	_, group := c.groups[g.name]
	if g.kind == "user" && !user || g.kind == "group" && !group || g.kind == "role" && !c.roles[g.name] {
		return missing(g.kind, g.name)
	}
	return nil
}

// acls are the single privileges that a clause stands for.
func (c *catalog) acls(clause privilegeClause, to grantee) ([]acl, error) {
	if err := c.knowGrantee(to); err != nil {
		return nil, err
	}
	var all []acl
	for _, o := range clause.objects {
		if _, ok := c.objects[o]; !ok {
			return nil, missing(o.kind, o.name)
		}
		listed := clause.listed
		if clause.all {
			for _, name := range every(o.kind, clause.scope) {
				listed = append(listed, listedPrivilege{name: name})
			}
		}
		for _, l := range listed {
			if !clause.all && !applies(l.name, o, clause.scope) {
				return nil, raise("0LP01", "invalid privilege type %s for %s", l.name, o.kind)
			}
			all = append(all, acl{grantee: to, privilege: l.name, column: l.column, scope: clause.scope, object: o})
		}
	}
	return all, nil
}

// mayGrant is the right to grant: a superuser's, the owner's, or the grant option.
func (c *catalog) mayGrant(a acl, name string) error {
	own := a
	own.grantee = grantee{"user", name}
	if c.users[name].super || c.objects[a.object] == name || c.grants[own] {
		return nil
	}
	return denied("permission denied for %s %s", a.object.kind, a.object.name)
}

func grantPrivileges(p *parser) (action, error) {
	clause, err := p.privileges()
	if err == nil {
		err = p.expect("to")
	}
	if err != nil {
		return nil, err
	}
	to, err := p.grantee()
	option := p.take("with", "grant", "option")
	if err == nil && option && to.kind != "user" {
		return nil, p.syntax()
	}
	return func(c *catalog, s *session) error {
		all, err := c.acls(clause, to)
		for _, a := range all {
			if err := c.mayGrant(a, s.user); err != nil {
				return err
			}
			c.grants[a] = c.grants[a] || option
			c.showOwner(a.object)
		}
		return err
	}, err
}

// showOwner makes an owner's own privileges explicit, as the first grant on an object does.
func (c *catalog) showOwner(o object) {
	for _, name := range every(o.kind, "") {
		a := acl{grantee: grantee{"user", c.objects[o]}, privilege: name, object: o}
		if _, ok := c.grants[a]; !ok {
			c.grants[a] = false
		}
	}
}

func revokePrivileges(p *parser) (action, error) {
	option := p.take("grant", "option", "for")
	clause, err := p.privileges()
	if err == nil {
		err = p.expect("from")
	}
	if err != nil {
		return nil, err
	}
	from, err := p.grantee()
	return func(c *catalog, s *session) error {
		all, err := c.acls(clause, from)
		for _, a := range all {
			if err := c.mayGrant(a, s.user); err != nil {
				return err
			}
			if _, ok := c.grants[a]; ok && option {
				c.grants[a] = false
			} else {
				delete(c.grants, a)
			}
		}
		return err
	}, err
}

func alterDefaults(p *parser) (action, error) {
	d := defaultACL{}
	var err error
	if p.take("for", "user") {
		if d.owner, err = p.user(); err != nil {
			return nil, err
		}
	}
	if p.take("in", "schema") {
		if d.schema, err = p.name(); err != nil {
			return nil, err
		}
	}
	give := p.take("grant")
	if !give && !p.take("revoke") {
		return nil, p.syntax()
	}
	clause, err := p.listPrivileges()
	if err == nil {
		err = p.expect("on")
	}
	if err != nil {
		return nil, err
	}
	d.objects, _ = p.kind(wordToken)
	if !p.take("to") && !p.take("from") {
		return nil, p.syntax()
	}
	if d.grantee, err = p.grantee(); err != nil {
		return nil, err
	}
	option := p.take("with", "grant", "option")
	return func(c *catalog, s *session) error { return c.setDefaults(d, clause, give, option, s) }, nil
}

func (c *catalog) setDefaults(d defaultACL, clause privilegeClause, give, option bool, s *session) error {
	if d.owner == "" {
		d.owner = s.user
	}
	if d.owner != s.user && !c.users[s.user].super {
		return denied("permission denied")
	}
	if _, ok := c.users[d.owner]; !ok {
		return missing("user", d.owner)
	}
	if err := c.knowGrantee(d.grantee); err != nil {
		return err
	}
	for _, l := range clause.listed {
		d.privilege = l.name
		if delete(c.defaults, d); give {
			c.defaults[d] = option
		}
	}
	return nil
}
