package postgrestest

// CREATE and DROP DATABASE, in their barest forms: databases are names to log in to.

func parseCreateDatabase(p *parser) (action, error) {
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	owner := roleName{special: "current_user"}
	p.take("with")
	if p.take("owner") {
		p.take("=")
		if owner, err = p.role(); err != nil {
			return nil, err
		}
	}
	return func(s *wireSession) (string, error) { return "CREATE DATABASE", s.createDatabase(name, owner) }, nil
}

func (s *wireSession) createDatabase(name string, owner roleName) error {
	c, err := s.alone("CREATE DATABASE")
	if err != nil {
		return err
	}
	if me := c.roles[s.currentUser()]; !me.super && !me.createDB {
		return denied("permission denied to create database")
	}
	if c.databases[name] != nil {
		return raise("42P04", "database %q already exists", name)
	}
	resolved, err := s.resolve(owner)
	if err != nil {
		return err
	}
	c.databases[name] = &database{oid: c.newOID(), name: name, owner: resolved}
	return nil
}

func parseDropDatabase(p *parser) (action, error) {
	ifExists := p.take("if", "exists")
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	force := p.take("with", "(", "force", ")")
	return func(s *wireSession) (string, error) { return "DROP DATABASE", s.dropDatabase(name, ifExists, force) }, nil
}

func (s *wireSession) dropDatabase(name string, ifExists, force bool) error {
	c, err := s.alone("DROP DATABASE")
	if err != nil {
		return err
	}
	known, me := c.databases[name], s.currentUser()
	switch {
	case known == nil && ifExists:
		s.notice("NOTICE", "00000", "database \""+name+"\" does not exist, skipping")
		return nil
	case known == nil:
		return raise("3D000", "database %q does not exist", name)
	case !c.isSuper(me) && !c.isMember(me, known.owner):
		return denied("must be owner of database %s", name)
	case name == s.database:
		return raise("55006", "cannot drop the currently open database")
	}
	if users := s.server.sessionsIn(name, force); users > 0 {
		return raise("55006", "database %q is being accessed by other users", name)
	}
	delete(c.databases, name)
	for scope := range c.settings {
		if scope.database == name {
			delete(c.settings, scope)
		}
	}
	return nil
}

// alone is the catalog for a command that no transaction may hold.
func (s *wireSession) alone(command string) (*catalog, error) {
	if s.tx.explicit {
		return nil, raise("25001", "%s cannot run inside a transaction block", command)
	}
	return s.writable()
}

// sessionsIn counts the sessions in a database, or ends them.
func (w *wireServer) sessionsIn(name string, end bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for session := range w.sessions {
		if !session.loggedIn || session.database != name {
			continue
		}
		if end {
			session.socket.Close()
		} else {
			n++
		}
	}
	return n
}
