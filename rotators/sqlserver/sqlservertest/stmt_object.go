package sqlservertest

import (
	"slices"
	"strings"
)

func createDatabase(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	if !s.mayOnServer("CREATE ANY DATABASE", target{class: classServer}) {
		return raise(262, "CREATE DATABASE permission denied in database 'master'.")
	}
	d := s.server.catalog.addDatabase(name, s.login.sid)
	d.contained = p.take("containment", "=", "partial")
	return p.end()
}

// alterDatabase knows what takes a database out of use.
func alterDatabase(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	d := s.server.catalog.database(name)
	if d == nil || !s.mayOnServer("CONTROL SERVER", target{class: classServer}) {
		return raise(5011, "User does not have permission to alter database '%s', the database does not exist, or the database is not in a state that allows access checks.", name)
	}
	switch {
	case p.take("set", "read_only"):
		d.readOnly = true
	case p.take("set", "read_write"):
		d.readOnly = false
	case p.take("set", "offline"):
		d.offline = true
	case p.take("set", "online"):
		d.offline = false
	default:
		return p.syntax()
	}
	if p.take("with", "rollback", "immediate") {
		return p.end()
	}
	return p.end()
}

func dropDatabase(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	d := s.server.catalog.database(name)
	if d == nil || !s.sysadmin() {
		return raise(3701, "Cannot drop the database '%s', because it does not exist or you do not have permission.", name)
	}
	s.server.catalog.databases = slices.DeleteFunc(s.server.catalog.databases, func(o *database) bool { return o == d })
	return p.end()
}

// createSchema makes a schema for its owner, the session's user or another.
func createSchema(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	owner := s.user
	if p.take("authorization") {
		to, err := p.name()
		if err != nil {
			return err
		}
		if owner = s.database.user(to); owner == nil {
			return cannot("find", "user", to)
		}
	}
	if !s.may("CREATE SCHEMA", target{}) {
		return raise(2760, "The specified schema name '%s' either does not exist or you do not have permission to use it.", name)
	}
	s.database.entities = append(s.database.entities, &entity{id: s.server.catalog.next(), class: classSchema, name: name, owner: owner.id})
	return p.end()
}

// createTrigger makes a trigger for DDL. Its body is not looked at.
func createTrigger(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	if err := p.expect("on", "database", "for"); err != nil {
		return err
	}
	if !s.may("ALTER ANY DATABASE DDL TRIGGER", target{}) {
		return raise(1088, "Cannot find the object \"%s\" because it does not exist or you do not have permissions.", name)
	}
	t := &trigger{id: s.server.catalog.next(), name: name}
	err = p.list(func() error {
		event, err := p.name()
		t.events = append(t.events, event)
		return err
	})
	if err != nil {
		return err
	}
	s.database.triggers = append(s.database.triggers, t)
	p.rest()
	return nil
}

// creator makes things of a class. What follows their name and columns is not
// looked at.
func creator(class int, inSchema bool, kind string) func(*parser, *session) error {
	return func(p *parser, s *session) error {
		path, err := p.path()
		if err != nil {
			return err
		}
		e := &entity{id: s.server.catalog.next(), class: class, name: path[len(path)-1], kind: kind}
		if inSchema {
			schema := s.database.schema(schemaOf(path, s.user))
			if schema == nil || !s.may("ALTER", target{class: classSchema, major: schema.id}) {
				return raise(2760, "The specified schema name \"%s\" either does not exist or you do not have permission to use it.", schemaOf(path, s.user))
			}
			e.schema = schema.id
		} else if e.owner = s.user.id; p.take("authorization") {
			to, err := p.name()
			if err != nil {
				return err
			}
			u := s.database.user(to)
			if u == nil {
				return cannot("find", "user", to)
			}
			e.owner = u.id
		}
		e.columns = p.columnNames()
		p.rest()
		s.database.entities = append(s.database.entities, e)
		return nil
	}
}

func schemaOf(path []string, by *user) string {
	if len(path) > 1 {
		return path[len(path)-2]
	}
	return by.schema
}

// columnNames reads the names in a table's parentheses.
func (p *parser) columnNames() (all []string) {
	if !p.take("(") {
		return nil
	}
	for depth, first := 1, true; depth > 0 && !p.done(); p.at++ {
		switch t := p.tokens[p.at]; {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case t.is(",") && depth == 1:
			first = true
			continue
		case first:
			all = append(all, t.text)
		}
		first = false
	}
	return all
}

// alterAuthorization gives a schema or an object to another owner, and drops
// all permissions on it.
func alterAuthorization(p *parser, s *session) error {
	on, err := p.securable(s, "")
	if err != nil {
		return err
	}
	if err := p.expect("to"); err != nil {
		return err
	}
	to, err := p.name()
	if err != nil {
		return err
	}
	if on.class == classDatabase {
		l := s.server.catalog.login(to)
		if l == nil || !s.sysadmin() {
			return cannot("find", "login", to)
		}
		s.database.owner, s.database.users[dbo].sid = l.sid, l.sid
		return p.end()
	}
	u, e := s.database.user(to), s.database.entityByID(on.class, on.major)
	if u == nil || e == nil || !s.may("TAKE OWNERSHIP", target{class: on.class, major: on.major}) {
		return cannot("find", "principal", to)
	}
	e.owner = u.id
	s.database.permissions = slices.DeleteFunc(s.database.permissions, func(p *permission) bool {
		within := s.database.entityByID(p.class, p.major)
		return p.class == on.class && p.major == on.major || on.class == classSchema && within != nil && within.schema == on.major && within.owner == 0
	})
	return p.end()
}

// reach finds a statement's object, also in another database, and checks a
// permission on it.
func (s *session) reach(path []string, permission string, columns []string) error {
	at := *s
	if len(path) == 3 {
		if err := at.enter(path[0]); err != nil {
			return err
		}
		path = path[1:]
	}
	e := at.database.find(classObject, true, path, at.user)
	if e == nil {
		return raise(208, "Invalid object name '%s'.", strings.Join(path, "."))
	}
	if len(columns) == 0 && (permission == "SELECT" || permission == "UPDATE") {
		columns = e.columns
	}
	if len(columns) == 0 && !at.may(permission, target{class: classObject, major: e.id}) {
		return raise(229, "The %s permission was denied on the object '%s', database '%s'.", permission, e.name, at.database.name)
	}
	for _, name := range columns {
		minor := slices.Index(e.columns, name) + 1
		switch {
		case minor == 0:
			return raise(207, "Invalid column name '%s'.", name)
		case !at.mayColumn(permission, e.id, minor) && len(columns) == len(e.columns):
			return raise(229, "The %s permission was denied on the object '%s', database '%s'.", permission, e.name, at.database.name)
		case !at.mayColumn(permission, e.id, minor):
			return raise(230, "The %s permission was denied on the column '%s' of the object '%s', database '%s'.", permission, name, e.name, at.database.name)
		}
	}
	return nil
}

// selectFrom knows SELECT * or columns FROM one object; the rest is not looked
// at.
func selectFrom(p *parser, s *session) error {
	var columns []string
	if !p.take("*") {
		err := p.list(func() error {
			name, err := p.name()
			columns = append(columns, name)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := p.expect("from"); err != nil {
		return err
	}
	return s.touch(p, "SELECT", columns)
}

// touch reads an object's name and checks a permission on it.
func (s *session) touch(p *parser, permission string, columns []string) error {
	path, err := p.path()
	if err != nil {
		return err
	}
	if permission == "UPDATE" && p.take("set") {
		name, err := p.name()
		if err != nil {
			return err
		}
		columns = []string{name}
	}
	p.rest()
	return s.reach(path, permission, columns)
}

func toucher(permission string) func(*parser, *session) error {
	return func(p *parser, s *session) error { return s.touch(p, permission, nil) }
}
