package sqlservertest

import "slices"

// userOptions reads what follows WITH, into u.
func (p *parser) userOptions(u *user) (c passwordClause, err error) {
	err = p.list(func() error {
		switch {
		case p.take("password"):
			c, err = p.passwordClause()
			return err
		case p.take("default_schema", "="):
			u.schema, err = p.name()
		case p.take("default_language", "=", "none"):
			u.language = ""
		case p.take("default_language", "="):
			u.language, err = p.name()
		case p.take("allow_encrypted_value_modifications", "="):
			u.encrypted, err = p.onOff()
		default:
			return p.syntax()
		}
		return err
	})
	return c, err
}

func createUser(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	d := s.database
	switch {
	case !s.may("ALTER ANY USER", target{}):
		return raise(15247, "User does not have permission to perform this action.")
	case d.user(name) != nil:
		return raise(15023, "User, group, or role '%s' already exists in the current database.", name)
	}
	u := &user{name: name, kind: "S", schema: "dbo", contained: true}
	if p.take("for", "login") || p.take("from", "login") {
		if err := p.forLogin(s, u); err != nil {
			return err
		}
	}
	if u.loginless = p.take("without", "login"); u.loginless {
		u.contained, u.sid = false, newSID()
	}
	var c passwordClause
	if p.take("with") {
		if c, err = p.userOptions(u); err != nil {
			return err
		}
	}
	if err := p.end(); err != nil {
		return err
	}
	switch {
	case u.contained != c.given:
		return raise(15007, "'%s' is not a valid login or you do not have permission.", name)
	case c.given && !d.contained:
		return raise(33233, "You can only create a user with a password in a contained database.")
	case c.given:
		u.password, u.sid = c.password, newSID()
	}
	u.id = s.server.catalog.next()
	d.users = append(d.users, u)
	d.permissions = append(d.permissions, &permission{class: classDatabase, name: "CONNECT", state: 'G', grantee: u.id, grantor: dbo})
	return nil
}

func (p *parser) forLogin(s *session, u *user) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	l := s.server.catalog.login(name)
	if l == nil || l.kind == "R" {
		return raise(15007, "'%s' is not a valid login or you do not have permission.", name)
	}
	if s.database.bySID(l.sid) != nil {
		return raise(15063, "The login already has an account under a different user name.")
	}
	u.sid, u.contained = l.sid, false
	return nil
}

func alterUser(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	u := s.database.user(name)
	if u == nil || u.kind != "S" {
		return cannot("alter", "user", name)
	}
	if err := p.expect("with"); err != nil {
		return err
	}
	if p.take("login", "=") {
		return s.remap(p, u)
	}
	changed := *u
	c, err := p.userOptions(&changed)
	if err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return err
	}
	alters := s.may("ALTER", target{class: classPrincipal, major: u.id})
	own := s.user == u && (c.old != nil && *c.old == u.password || !c.given)
	if !own && (!alters || c.old != nil && *c.old != u.password) || c.given && !u.contained {
		return cannot("alter", "user", name)
	}
	if c.given {
		if err := (&login{policy: true}).accepts(c.password); err != nil {
			return err
		}
		changed.password = c.password
	}
	*u = changed
	return nil
}

// remap gives a user to another login.
// Source: Transact-SQL reference, "ALTER USER", remarks and permissions.
func (s *session) remap(p *parser, u *user) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	l := s.server.catalog.login(name)
	switch {
	case !s.may("CONTROL", target{}):
		return cannot("alter", "user", u.name)
	case l == nil || l.kind != "S":
		return raise(15007, "'%s' is not a valid login or you do not have permission.", name)
	case u.loginless || u.contained:
		return raise(33016, "The user cannot be remapped to a login. Remapping can only be done for users that were mapped to Windows or SQL logins.")
	case s.database.bySID(l.sid) != nil:
		return raise(15063, "The login already has an account under a different user name.")
	}
	u.sid = l.sid
	return p.end()
}

func dropUser(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	u := s.database.user(name)
	if u == nil || !s.may("ALTER ANY USER", target{}) {
		return cannot("drop", "user", name)
	}
	for _, e := range s.database.entities {
		if e.owner == u.id {
			return raise(15138, "The database principal owns a schema in the database, and cannot be dropped.")
		}
	}
	s.database.drop(u)
	return p.end()
}

func createRole(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	switch {
	case !s.may("ALTER ANY ROLE", target{}):
		return raise(15247, "User does not have permission to perform this action.")
	case s.database.user(name) != nil:
		return raise(15023, "User, group, or role '%s' already exists in the current database.", name)
	}
	r := &user{id: s.server.catalog.next(), name: name, kind: "R", owner: s.user.id, members: map[int]bool{}}
	s.database.users = append(s.database.users, r)
	return p.end()
}

func dropRole(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	r := s.database.user(name)
	switch {
	case r == nil || r.kind != "R" || isFixed(r.id) || !s.may("ALTER", target{class: classPrincipal, major: r.id}):
		return cannot("drop", "role", name)
	case len(r.members) > 0:
		return raise(15144, "The role has members. It must be empty before it can be dropped.")
	}
	s.database.drop(r)
	return p.end()
}

func alterRole(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	add := p.take("add", "member")
	if !add && !p.take("drop", "member") {
		return p.syntax()
	}
	member, err := p.name()
	if err != nil {
		return err
	}
	r, u := s.database.user(name), s.database.user(member)
	switch {
	case r == nil || r.kind != "R" || !s.alters(r):
		return cannot("alter", "role", name)
	case u == nil:
		return cannot("add", "principal", member)
	}
	delete(r.members, u.id)
	if add {
		r.members[u.id] = true
	}
	return p.end()
}

// alters reports whether the session may change a role's members: of a fixed
// role only an owner of the database may.
func (s *session) alters(r *user) bool {
	if isFixed(r.id) {
		return s.user.id == dbo || slices.Contains(s.principals(), s.database.user("db_owner").id)
	}
	return s.may("ALTER", target{class: classPrincipal, major: r.id})
}

func createServerRole(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	c := s.server.catalog
	switch {
	case !s.mayOnServer("ALTER ANY SERVER ROLE", target{class: classServer}):
		return raise(15247, "User does not have permission to perform this action.")
	case c.login(name) != nil:
		return raise(15025, "The server principal '%s' already exists.", name)
	}
	c.principals = append(c.principals, &login{id: c.next(), name: name, kind: "R", owner: s.login.id, members: map[int]bool{}})
	return p.end()
}

func alterServerRole(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	add := p.take("add", "member")
	if !add && !p.take("drop", "member") {
		return p.syntax()
	}
	member, err := p.name()
	if err != nil {
		return err
	}
	r, l := s.server.catalog.login(name), s.server.catalog.login(member)
	if r == nil || r.kind != "R" || l == nil || !s.altersServer(r) {
		return cannot("alter", "server role", name)
	}
	delete(r.members, l.id)
	if add {
		r.members[l.id] = true
	}
	return p.end()
}

func (s *session) altersServer(r *login) bool {
	if s.sysadmin() || r.members[s.login.id] && r.fixed {
		return true
	}
	return !r.fixed && (r.owner == s.login.id || s.mayOnServer("ALTER ANY SERVER ROLE", target{class: classServer}))
}
