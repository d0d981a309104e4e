package postgrestest

import (
	"fmt"
	"slices"
)

// GRANT and REVOKE of roles, as PostgreSQL 16 and later have them: a membership belongs to its grantor, and has the
// three options ADMIN, INHERIT and SET.

// grantOptions are the options that a GRANT gives. What is nil it does not mention.
type grantOptions struct {
	admin, inherit, set *bool
	by                  *roleName
}

func parseGrant(p *parser) (action, error) {
	roles, err := parseGrantedRoles(p, "to")
	if err != nil {
		return nil, err
	}
	members, err := list(p, p.role)
	if err != nil {
		return nil, err
	}
	options, err := parseGrantOptions(p)
	if err != nil {
		return nil, err
	}
	return func(s *wireSession) (string, error) {
		return "GRANT ROLE", eachPair(roles, members, func(role, member roleName) error {
			return s.grant(options, role, member)
		})
	}, nil
}

// parseGrantedRoles reads roles up to TO or FROM. Privileges on objects it leaves to real servers.
func parseGrantedRoles(p *parser, until string) ([]roleName, error) {
	if slices.ContainsFunc(p.tokens, func(t token) bool { return t.is("on") }) {
		return nil, unknown(p.source)
	}
	roles, err := list(p, p.role)
	if err != nil {
		return nil, err
	}
	return roles, p.expect(until)
}

func parseGrantOptions(p *parser) (o grantOptions, err error) {
	for more := p.take("with"); more; more = p.take(",") {
		word, _ := p.takeOne("admin", "inherit", "set")
		flag, ok := map[string]**bool{"admin": &o.admin, "inherit": &o.inherit, "set": &o.set}[word]
		if !ok {
			return o, p.syntax()
		}
		value, ok := p.takeOne("option", "true", "false")
		if !ok {
			return o, p.syntax()
		}
		on := value != "false"
		*flag = &on
	}
	o.by, err = parseGrantedBy(p)
	return o, err
}

func parseGrantedBy(p *parser) (*roleName, error) {
	if !p.take("granted", "by") {
		return nil, nil
	}
	by, err := p.role()
	return &by, err
}

// eachPair does something for every role and member.
func eachPair(roles, members []roleName, do func(role, member roleName) error) error {
	for _, role := range roles {
		for _, member := range members {
			if err := do(role, member); err != nil {
				return err
			}
		}
	}
	return nil
}

// grant makes a role a member of another, or changes the options of the membership.
func (s *wireSession) grant(options grantOptions, roleNamed, memberNamed roleName) error {
	c, err := s.writable()
	if err != nil {
		return err
	}
	made, err := s.grantParties(c, "grant", roleNamed, memberNamed, options.by)
	if err != nil {
		return err
	}
	if c.isMember(made.role, made.member) {
		return raise("0LP01", "role %q is a member of role %q", made.role, made.member)
	}
	at := slices.IndexFunc(c.memberships, made.sameGrant)
	if at < 0 {
		made.inherit, made.set = c.roles[made.member].inherit, true
		c.memberships = append(c.memberships, made)
		at = len(c.memberships) - 1
	}
	m := &c.memberships[at]
	for _, flag := range []struct{ from, to *bool }{
		{options.admin, &m.admin}, {options.inherit, &m.inherit}, {options.set, &m.set},
	} {
		if flag.from != nil {
			*flag.to = *flag.from
		}
	}
	return nil
}

// sameGrant says whether two memberships are the same row: options do not count.
func (m membership) sameGrant(other membership) bool {
	return m.role == other.role && m.member == other.member && m.grantor == other.grantor
}

// grantParties finds who grants what to whom, and checks that they may (check_role_grantor in PostgreSQL's user.c).
// The command is "grant" or "revoke".
func (s *wireSession) grantParties(
	c *catalog, command string, roleNamed, memberNamed roleName, by *roleName,
) (parties membership, err error) {
	if parties.role, err = s.resolve(roleNamed); err != nil {
		return parties, err
	}
	if parties.member, err = s.resolve(memberNamed); err != nil {
		return parties, err
	}
	me := s.currentUser()
	if err := s.mayGrant(c, command, parties.role, me); err != nil {
		return parties, err
	}
	if by == nil {
		parties.grantor = c.grantorFor(me, parties.role)
		return parties, nil
	}
	parties.grantor, err = s.resolve(*by)
	return parties, err
}

func (s *wireSession) mayGrant(c *catalog, command, role, me string) error {
	refusal := denied("permission denied to %s role %q", command, role)
	switch {
	case c.isSuper(role) && !c.isSuper(me):
		return refusal.because("Only roles with the SUPERUSER attribute may %s roles with the SUPERUSER attribute.", command)
	case !c.isAdmin(me, role):
		return refusal.because("Only roles with the ADMIN option on role %q may %s this role.", role, command)
	}
	return nil
}

// grantorFor is who a membership is recorded as granted by: the bootstrap superuser for superusers, else the one who
// holds the ADMIN option.
func (c *catalog) grantorFor(user, role string) string {
	if c.isSuper(user) {
		return c.bootstrap()
	}
	holder := user
	for _, m := range c.memberships {
		if m.role == role && m.admin && c.isMember(user, m.member) {
			if m.member == user {
				return user
			}
			holder = m.member
		}
	}
	return holder
}

func parseRevoke(p *parser) (action, error) {
	only := ""
	for _, option := range []string{"admin", "inherit", "set"} {
		if p.take(option, "option", "for") {
			only = option
		}
	}
	roles, err := parseGrantedRoles(p, "from")
	if err != nil {
		return nil, err
	}
	members, err := list(p, p.role)
	if err != nil {
		return nil, err
	}
	by, err := parseGrantedBy(p)
	if err != nil {
		return nil, err
	}
	behavior, _ := p.takeOne("cascade", "restrict")
	return func(s *wireSession) (string, error) {
		return "REVOKE ROLE", eachPair(roles, members, func(role, member roleName) error {
			return s.revoke(only, role, member, by, behavior == "cascade")
		})
	}, nil
}

// revoke ends a membership, or turns one of its options off. Others that rest on a lost ADMIN option go with it, if
// the statement says CASCADE.
func (s *wireSession) revoke(only string, roleNamed, memberNamed roleName, by *roleName, cascade bool) error {
	c, err := s.writable()
	if err != nil {
		return err
	}
	ended, err := s.grantParties(c, "revoke", roleNamed, memberNamed, by)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(c.memberships, ended.sameGrant)
	if at < 0 {
		s.notice("WARNING", "01000", fmt.Sprintf("role %q has not been granted membership in role %q by role %q",
			ended.member, ended.role, ended.grantor))
		return nil
	}
	switch only {
	case "inherit":
		c.memberships[at].inherit = false
		return nil
	case "set":
		c.memberships[at].set = false
		return nil
	case "admin":
		c.memberships[at].admin = false
	default:
		c.memberships = slices.Delete(c.memberships, at, at+1)
	}
	return c.orphaned(ended.role, cascade)
}

// orphaned removes the memberships whose grantors have lost the right to grant them, or refuses to.
func (c *catalog) orphaned(role string, cascade bool) error {
	for {
		at := slices.IndexFunc(c.memberships, func(m membership) bool {
			return m.role == role && !c.isSuper(m.grantor) && !c.holdsAdmin(m.grantor, role)
		})
		if at < 0 {
			return nil
		}
		if !cascade {
			return raise("2BP01", "dependent privileges exist")
		}
		c.memberships = slices.Delete(c.memberships, at, at+1)
	}
}

// holdsAdmin says whether a role itself was given the ADMIN option on another.
func (c *catalog) holdsAdmin(member, role string) bool {
	return slices.ContainsFunc(c.memberships, func(m membership) bool {
		return m.role == role && m.member == member && m.admin
	})
}
