package sqlservertest

import "slices"

// A named permission, perhaps on columns.
type named struct {
	name    string
	columns []string
}

// grant reads and carries out GRANT, DENY and REVOKE.
func grant(p *parser, s *session, verb byte) error {
	optionOnly := verb == 'R' && p.take("grant", "option", "for")
	var what []named
	err := p.list(func() error {
		n := named{name: p.words("on", "to", "from")}
		if n.name == "" {
			return p.syntax()
		}
		var err error
		n.columns, err = p.names()
		what = append(what, n)
		return err
	})
	if err != nil {
		return err
	}
	on, err := p.securable(s, what[0].name)
	if err != nil {
		return err
	}
	if verb != 'R' && !p.take("to") || verb == 'R' && !p.take("from") && !p.take("to") {
		return p.syntax()
	}
	to, err := p.name()
	if err != nil {
		return err
	}
	option, cascade := verb == 'G' && p.take("with", "grant", "option"), p.take("cascade")
	as := ""
	if p.take("as") {
		if as, err = p.name(); err != nil {
			return err
		}
	}
	if err := p.end(); err != nil {
		return err
	}
	change := change{verb: verb, option: option, optionOnly: optionOnly, cascade: cascade}
	for _, n := range what {
		if err := s.permit(change, n, on, to, as); err != nil {
			return err
		}
	}
	return nil
}

// A change is what a statement does to permissions.
type change struct {
	verb                        byte // G, D or R
	option, optionOnly, cascade bool
}

// permit carries out a change of one permission.
func (s *session) permit(c change, n named, on securable, to, as string) error {
	grantee, grantor, err := s.parties(on, to, as)
	if err != nil {
		return err
	}
	if !slices.Contains(permissionsOf(on.class), n.name) {
		return raise(4606, "Granted or revoked privilege %s is not compatible with object.", n.name)
	}
	minors := on.columns
	if e := s.database.entityByID(on.class, on.major); e != nil && len(n.columns) > 0 {
		for _, name := range n.columns {
			at := slices.Index(e.columns, name)
			if at < 0 {
				return raise(1911, "Column name '%s' does not exist in the target table or view.", name)
			}
			minors = append(minors, at+1)
		}
	}
	if len(minors) == 0 {
		minors = []int{0}
	}
	for _, minor := range minors {
		at := target{on.class, on.major, minor}
		if !s.mayGrant(n.name, at) {
			return raise(4613, "Grantor does not have GRANT permission.")
		}
		if err := s.rows(on).apply(c, permission{class: at.class, major: at.major, minor: minor, name: n.name, grantee: grantee, grantor: grantor}); err != nil {
			return err
		}
	}
	return nil
}

// parties are who gets a permission, and who is taken to give it.
func (s *session) parties(on securable, to, as string) (grantee, grantor int, err error) {
	if on.onServer() {
		return s.partiesOnServer(to, as)
	}
	g := s.database.user(to)
	if g == nil {
		return 0, 0, cannot("find", "user", to)
	}
	if g.id == dbo || g.id == s.user.id && !s.all() || g.id == s.database.ownerOf(on.class, on.major) {
		return 0, 0, raise(4624, "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or yourself.")
	}
	grantor = s.user.id
	if s.all() || s.may("CONTROL", target{class: classDatabase}) {
		grantor = dbo
	}
	if as != "" {
		by := s.database.user(as)
		if by == nil || by.id != s.user.id && !s.all() && !s.memberOf("db_owner") && !s.memberOf("db_securityadmin") {
			return 0, 0, cannot("find", "principal", as)
		}
		grantor = by.id
	}
	return g.id, grantor, nil
}

// memberOf reports whether the session's user is in a fixed role.
func (s *session) memberOf(role string) bool {
	return slices.Contains(s.principals(), s.database.user(role).id)
}

func (s *session) partiesOnServer(to, as string) (grantee, grantor int, err error) {
	if s.database.name != "master" {
		return 0, 0, raise(4621, "Permissions at the server scope can only be granted when the current database is master")
	}
	g := s.server.catalog.login(to)
	if g == nil {
		return 0, 0, cannot("find", "login", to)
	}
	grantor = s.login.id
	if s.hasOnServer("CONTROL SERVER") {
		grantor = 1
	}
	if as != "" {
		by := s.server.catalog.login(as)
		if by == nil || !s.sysadmin() && by != s.login {
			return 0, 0, cannot("find", "principal", as)
		}
		grantor = by.id
	}
	return g.id, grantor, nil
}

// ownerOf is who owns a thing: its own owner or, if it has none, its schema's.
func (d *database) ownerOf(class, major int) int {
	if class == classPrincipal {
		return d.userByID(major).owner
	}
	e := d.entityByID(class, major)
	if e == nil {
		return 0
	}
	if e.owner == 0 && e.schema != 0 {
		return d.entityByID(classSchema, e.schema).owner
	}
	return e.owner
}

// rows is where the permissions on a thing are kept.
func (s *session) rows(on securable) *permissions {
	if on.onServer() {
		return (*permissions)(&s.server.catalog.permissions)
	}
	return (*permissions)(&s.database.permissions)
}

type permissions []*permission

// ofTable is the state of a column's table for the same grantee and grantor, or 0.
func (all *permissions) ofTable(row permission) byte {
	row.minor = 0
	return all.state(row)
}

// state is that of a row, or 0.
func (all *permissions) state(row permission) byte {
	if at := all.index(row); at >= 0 {
		return (*all)[at].state
	}
	return 0
}

func (all *permissions) index(row permission) int {
	return slices.IndexFunc(*all, func(p *permission) bool {
		was := *p
		was.state = row.state
		return was == row
	})
}

// set leaves one row with a state, or none if it is 0.
func (all *permissions) set(row permission, state byte) {
	if at := all.index(row); at >= 0 {
		*all = slices.Delete(*all, at, at+1)
	}
	if row.state = state; state != 0 {
		*all = append(*all, &row)
	}
}

// apply changes the one row of this grantor. What is said of a table holds for
// its columns too; a column has a row if it differs from its table, also if its
// permission was revoked (R).
// Source: "sys.database_permissions"; "REVOKE", arguments and remarks.
func (all *permissions) apply(c change, row permission) error {
	if row.class == classObject && row.minor == 0 {
		*all = slices.DeleteFunc(*all, func(p *permission) bool {
			return p.class == classObject && p.major == row.major && p.minor > 0 && p.name == row.name && p.grantee == row.grantee
		})
	}
	table := byte(0)
	if row.minor > 0 {
		table = all.ofTable(row)
	}
	had := all.state(row)
	if had == 0 {
		had = table
	}
	if had == 'W' && c.verb != 'G' && !c.cascade {
		return raise(4611, "To revoke or deny grantable privileges, specify the CASCADE option.")
	}
	state := c.after(had, all.state(row) == 'W')
	switch {
	case state == table:
		state = 0 // as its table
	case state == 0 && table != 0:
		state = 'R'
	}
	all.set(row, state)
	return nil
}

// after is the state of what had another. Without the option, REVOKE GRANT OPTION
// FOR takes the permission itself.
func (c change) after(had byte, own bool) byte {
	switch {
	case c.optionOnly && had == 'W':
		return 'G'
	case c.verb == 'R':
		return 0
	case c.verb == 'D':
		return 'D'
	case c.option || had == 'W' && own:
		return 'W'
	case had == 'W': // of the table: nothing is taken away
		return 'W'
	}
	return 'G'
}
