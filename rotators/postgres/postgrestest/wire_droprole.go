package postgrestest

// DROP ROLE.

func parseDropRole(p *parser) (action, error) {
	ifExists := p.take("if", "exists")
	named, err := list(p, p.role)
	if err != nil {
		return nil, err
	}
	return func(s *wireSession) (string, error) { return "DROP ROLE", s.dropRoles(named, ifExists) }, nil
}

func (s *wireSession) dropRoles(named []roleName, ifExists bool) error {
	c, err := s.writable()
	if err != nil {
		return err
	}
	me := s.currentUser()
	if my := c.roles[me]; !my.super && !my.createRole {
		return denied("permission denied to drop role").
			because("Only roles with the CREATEROLE attribute and the ADMIN option on the target roles may drop roles.")
	}
	var names []string
	for _, one := range named {
		if one.special != "" {
			return raise("22023", "cannot use special role specifier in DROP ROLE")
		}
		name, err := s.resolve(one)
		if err != nil && ifExists {
			s.notice("NOTICE", "00000", "role \""+one.name+"\" does not exist, skipping")
			continue
		}
		if err == nil {
			err = s.mayDrop(c, name)
		}
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	for _, name := range names { // the memberships of all go first, then what they granted others counts
		c.dropMemberships(name)
	}
	for _, name := range names {
		if err := c.needed(name); err != nil {
			return err
		}
		c.dropRole(name)
	}
	return nil
}

// mayDrop checks the right to drop a role.
func (s *wireSession) mayDrop(c *catalog, name string) error {
	me := s.currentUser()
	switch {
	case name == me:
		return raise("55006", "current user cannot be dropped")
	case name == s.user:
		return raise("55006", "session user cannot be dropped")
	case c.roles[name].oid == bootstrapOID:
		return raise("2BP01", "cannot drop role %s because it is required by the database system", name)
	case c.isSuper(name) && !c.isSuper(me):
		return denied("permission denied to drop role").
			because("Only roles with the SUPERUSER attribute may drop roles with the SUPERUSER attribute.")
	case !c.isAdmin(me, name):
		return denied("permission denied to drop role").
			because("Only roles with the CREATEROLE attribute and the ADMIN option on role %q may drop this role.", name)
	}
	return nil
}

// needed says what keeps a role from being dropped: memberships that it granted, and databases that it owns.
func (c *catalog) needed(name string) error {
	refusal := raise("2BP01", "role %q cannot be dropped because some objects depend on it", name)
	for _, m := range c.memberships {
		if m.grantor == name {
			return refusal.because("privileges for membership of role %s in role %s", m.member, m.role)
		}
	}
	for _, d := range c.databases {
		if d.owner == name {
			return refusal.because("owner of database %s", d.name)
		}
	}
	return nil
}
