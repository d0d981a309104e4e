package postgrestest

// ALTER ROLE ... [IN DATABASE ...] SET and RESET.

// parseRoleSetting reads what follows the role's name, if it is about settings.
func parseRoleSetting(p *parser, named roleName, everyone bool) (change action, ok bool, err error) {
	database := ""
	if p.take("in", "database") {
		if database, err = p.name(); err != nil {
			return nil, false, err
		}
	}
	var clause setClause
	all := false
	switch {
	case p.take("set"):
		clause, err = parseSetClause(p)
	case p.take("reset", "all"):
		all = true
	case p.take("reset"):
		clause.name, err = p.parameterName()
	case database != "":
		err = p.syntax()
	default:
		return nil, false, nil
	}
	return func(s *wireSession) (string, error) {
		return "ALTER ROLE", s.setForRole(named, everyone, database, clause, all)
	}, true, err
}

// setForRole changes what sessions of a role, or of everyone, start with.
func (s *wireSession) setForRole(named roleName, everyone bool, database string, clause setClause, all bool) error {
	scope := settingScope{database: database}
	if !everyone {
		name, err := s.resolve(named)
		if err != nil {
			return err
		}
		scope.role = name
	}
	if err := s.maySetFor(scope, everyone); err != nil {
		return err
	}
	c, err := s.writable()
	if err != nil {
		return err
	}
	if database != "" && c.databases[database] == nil {
		return raise("3D000", "database %q does not exist", database)
	}
	if all {
		delete(c.settings, scope)
		return nil
	}
	if err := s.know(clause.name); err != nil {
		return err
	}
	if clause.value == nil {
		delete(c.settings[scope], clause.name)
		return nil
	}
	if c.settings[scope] == nil {
		c.settings[scope] = map[string]string{}
	}
	c.settings[scope][clause.name] = *clause.value
	return nil
}

// maySetFor checks the right to change settings: one's own, and those of the roles that one administers.
func (s *wireSession) maySetFor(scope settingScope, everyone bool) error {
	c, me := s.view(), s.currentUser()
	refusal := denied("permission denied to alter setting")
	switch {
	case c.isSuper(me):
		return nil
	case everyone:
		return refusal.because("Only roles with the SUPERUSER attribute may alter settings globally.")
	}
	refusal = denied("permission denied to alter role")
	switch {
	case c.isSuper(scope.role):
		return refusal.because("Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER attribute.")
	case scope.role != me && (!c.roles[me].createRole || !c.isAdmin(me, scope.role)):
		return refusal.because("Only roles with the CREATEROLE attribute and the ADMIN option on role %q may alter this role.", scope.role)
	}
	return nil
}
