package postgrestest

import "strings"

// The statements that make and change roles. Who may run them follows PostgreSQL 16 and later, where CREATEROLE
// alone is not enough to change a role: it takes the ADMIN option on it.

// parseCreateRole reads CREATE ROLE, or CREATE USER, which differs in the default of LOGIN.
func parseCreateRole(login bool) func(p *parser) (action, error) {
	return func(p *parser) (action, error) {
		named, err := p.role()
		if err != nil {
			return nil, err
		}
		options, err := parseRoleOptions(p, true)
		if err != nil {
			return nil, err
		}
		return func(s *wireSession) (string, error) {
			if strings.HasPrefix(named.name, "pg_") {
				return "", raise("42939", "role name %q is reserved", named.name).because("Role names starting with \"pg_\" are reserved.")
			}
			return "CREATE ROLE", s.createRole(named, login, options)
		}, nil
	}
}

func (s *wireSession) createRole(named roleName, login bool, options roleOptions) error {
	if err := s.mayCreate(options); err != nil {
		return err
	}
	c, err := s.writable()
	if err != nil {
		return err
	}
	if named.special != "" {
		return raise("42939", "role name %q is reserved", named.special)
	}
	if c.roles[named.name] != nil {
		return raise("42710", "role %q already exists", named.name)
	}
	made := &role{oid: c.newOID(), name: named.name, inherit: true, login: login, limit: -1}
	options.apply(made, s.asMD5())
	c.roles[made.name] = made
	return s.joinNewRole(c, made.name, options)
}

// joinNewRole makes the memberships of CREATE ROLE. A creator who is no superuser gets the ADMIN option on what it
// created (CREATE ROLE's manual page, since 16).
func (s *wireSession) joinNewRole(c *catalog, made string, options roleOptions) error {
	creator := s.currentUser()
	if !c.isSuper(creator) {
		c.memberships = append(c.memberships, membership{role: made, member: creator, grantor: c.bootstrap(), admin: true})
		s.grantToCreator(c, made, creator)
	}
	for _, in := range options.in {
		if err := s.grant(grantOptions{}, in, roleName{name: made}); err != nil {
			return err
		}
	}
	for _, member := range options.members {
		if err := s.grant(grantOptions{}, roleName{name: made}, member); err != nil {
			return err
		}
	}
	on := true
	for _, admin := range options.admins {
		if err := s.grant(grantOptions{admin: &on}, roleName{name: made}, admin); err != nil {
			return err
		}
	}
	return nil
}

// grantToCreator does what the setting createrole_self_grant says.
func (s *wireSession) grantToCreator(c *catalog, made, creator string) {
	self := s.setting("createrole_self_grant")
	inherit, set := strings.Contains(self, "inherit"), strings.Contains(self, "set")
	if inherit || set {
		c.memberships = append(c.memberships, membership{role: made, member: creator, grantor: creator, inherit: inherit, set: set})
	}
}

// mayCreate checks the right to create a role with some attributes.
func (s *wireSession) mayCreate(options roleOptions) error {
	me := s.view().roles[s.currentUser()]
	if me.super {
		return nil
	}
	if !me.createRole {
		return denied("permission denied to create role").because("Only roles with the CREATEROLE attribute may create roles.")
	}
	if attribute := options.beyond(me); attribute != "" {
		return denied("permission denied to create role").
			because("Only roles with the %[1]s attribute may create roles with the %[1]s attribute.", attribute)
	}
	return nil
}

// beyond names an attribute that the options turn on, or change, and that a role has not itself.
func (o roleOptions) beyond(me *role) string {
	switch {
	case me.super:
		return ""
	case o.super != nil && *o.super:
		return "SUPERUSER"
	case o.createDB != nil && *o.createDB && !me.createDB:
		return "CREATEDB"
	case o.replication != nil && *o.replication && !me.replication:
		return "REPLICATION"
	case o.bypassRLS != nil && *o.bypassRLS && !me.bypassRLS:
		return "BYPASSRLS"
	}
	return ""
}

// parseAlterRole reads all forms of ALTER ROLE but RENAME.
func parseAlterRole(p *parser) (action, error) {
	everyone := p.take("all")
	var named roleName
	var err error
	if !everyone {
		if named, err = p.role(); err != nil {
			return nil, err
		}
	}
	if change, ok, err := parseRoleSetting(p, named, everyone); ok || err != nil {
		return change, err
	}
	if everyone {
		return nil, p.syntax()
	}
	if p.take("rename") {
		return nil, unknown(p.source)
	}
	options, err := parseRoleOptions(p, false)
	if err != nil {
		return nil, err
	}
	return func(s *wireSession) (string, error) { return "ALTER ROLE", s.alterRole(named, options) }, nil
}

func (s *wireSession) alterRole(named roleName, options roleOptions) error {
	name, err := s.resolve(named)
	if err != nil {
		return err
	}
	if err := s.mayAlter(name, options); err != nil {
		return err
	}
	c, err := s.writable()
	if err != nil {
		return err
	}
	changed := *c.roles[name]
	if options.super != nil && !*options.super && changed.oid == bootstrapOID {
		return denied("permission denied to alter role").because("The bootstrap superuser must have the SUPERUSER attribute.")
	}
	options.apply(&changed, s.asMD5())
	c.roles[name] = &changed
	return nil
}

// mayAlter checks the right to change a role (AlterRole in PostgreSQL's user.c).
func (s *wireSession) mayAlter(name string, options roleOptions) error {
	c, me := s.view(), s.currentUser()
	refusal := denied("permission denied to alter role")
	if c.isSuper(me) {
		return nil
	}
	if c.isSuper(name) || options.super != nil {
		return refusal.because("Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER attribute.")
	}
	if s.passwordsRestricted(me) && (options.password != nil || options.validUntil != nil) {
		return denied("must be a member of rds_password to alter passwords")
	}
	if c.roles[me].createRole && c.isAdmin(me, name) {
		if attribute := options.changing(c.roles[me]); attribute != "" {
			return refusal.because("Only roles with the %[1]s attribute may change the %[1]s attribute.", attribute)
		}
		return nil
	}
	if name == me && options.onlyPassword() {
		return nil
	}
	return refusal.because("Only roles with the CREATEROLE attribute and the ADMIN option on role %q may alter this role.", name)
}

// passwordsRestricted says whether Amazon RDS's rds.restrict_password_commands keeps a role from setting passwords
// (Amazon RDS User Guide, "Restricting password management").
func (s *wireSession) passwordsRestricted(name string) bool {
	const allowed = "rds_password"
	c := s.view()
	return s.setting("rds.restrict_password_commands") == "on" && (c.roles[allowed] == nil || !c.hasRole(name, allowed))
}

// changing names an attribute that ALTER ROLE mentions and that a role has not itself: turning it off counts too.
func (o roleOptions) changing(me *role) string {
	switch {
	case o.createDB != nil && !me.createDB:
		return "CREATEDB"
	case o.replication != nil && !me.replication:
		return "REPLICATION"
	case o.bypassRLS != nil && !me.bypassRLS:
		return "BYPASSRLS"
	}
	return ""
}

// onlyPassword says whether the password is all that the options are about. Everybody may change their own.
func (o roleOptions) onlyPassword() bool {
	others := []*bool{o.super, o.inherit, o.createRole, o.createDB, o.login, o.replication, o.bypassRLS}
	for _, flag := range others {
		if flag != nil {
			return false
		}
	}
	return o.limit == nil && o.validUntil == nil
}

// resolve finds the name of an existing role.
func (s *wireSession) resolve(named roleName) (string, error) {
	switch named.special {
	case "current_user":
		return s.currentUser(), nil
	case "session_user":
		return s.user, nil
	}
	if s.view().roles[named.name] == nil {
		return "", noRole(named.name)
	}
	return named.name, nil
}

// asMD5 says how the session hashes plain-text passwords.
func (s *wireSession) asMD5() bool { return s.setting("password_encryption") == "md5" }
