package sqlservertest

import "strings"

// statements are what the server can do, by how they begin. Of two that fit, the
// first is taken. Those that change nothing in a database may run where that is
// read-only.
var statements = []struct {
	start string
	run   func(*parser, *session) error
	reads bool
}{
	{"use", useDatabase, true},
	{"create login", createLogin, true}, {"alter login", alterLogin, true}, {"drop login", dropLogin, true},
	{"create server role", createServerRole, true}, {"alter server role", alterServerRole, true},
	{"create database scoped credential", creator(32, false, ""), false},
	{"create database", createDatabase, true}, {"alter database", alterDatabase, true}, {"drop database", dropDatabase, true},
	{"create user", createUser, false}, {"alter user", alterUser, false}, {"drop user", dropUser, false},
	{"create role", createRole, false}, {"alter role", alterRole, false}, {"drop role", dropRole, false},
	{"create schema", createSchema, false}, {"create trigger", createTrigger, false}, {"alter authorization", alterAuthorization, false},
	{"create table", creator(classObject, true, "U"), false}, {"create view", creator(classObject, true, "V"), false},
	{"create procedure", creator(classObject, true, "P"), false}, {"create type", creator(classType, true, ""), false},
	{"create certificate", creator(25, false, ""), false}, {"create symmetric key", creator(24, false, ""), false},
	{"create queue", creator(classObject, true, "SQ"), false}, {"create assembly", creator(5, false, ""), false}, {"create xml schema collection", creator(10, true, ""), false},
	{"create message type", creator(15, false, ""), false}, {"create contract", creator(16, false, ""), false}, {"create service", creator(17, false, ""), false},
	{"create fulltext catalog", creator(23, false, ""), false}, {"create external language", creator(34, false, ""), false},
	{"grant", granter('G'), false}, {"deny", granter('D'), false}, {"revoke", granter('R'), false},
	{"select", selectFrom, true}, {"insert into", toucher("INSERT"), false}, {"update", toucher("UPDATE"), false},
	{"delete from", toucher("DELETE"), false}, {"exec", toucher("EXECUTE"), true},
}

func granter(verb byte) func(*parser, *session) error {
	return func(p *parser, s *session) error { return grant(p, s, verb) }
}

// execute runs one statement.
func (s *session) execute(p *parser) error {
	for _, st := range statements {
		if !p.take(strings.Fields(st.start)...) {
			continue
		}
		if s.database.readOnly && !st.reads {
			return raise(3906, "Failed to update database \"%s\" because the database is read-only.", s.database.name)
		}
		return st.run(p, s)
	}
	return unknown(p.source)
}

func useDatabase(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return err
	}
	if s.server.azure && !strings.EqualFold(name, s.database.name) {
		return raise(40508, "USE statement is not supported to switch between databases. Use a new connection to connect to a different database.")
	}
	return s.enter(name)
}

// enter moves the session to a database where its login has a user, or guest
// one.
func (s *session) enter(name string) error {
	d := s.server.catalog.database(name)
	switch {
	case d == nil:
		return raise(911, "Database '%s' does not exist. Make sure that the name is entered correctly.", name)
	case d == s.database:
		return nil
	case d.offline:
		return raise(942, "Database '%s' cannot be opened because it is offline.", name)
	}
	u := s.in(d)
	if u == nil {
		return raise(916, "The server principal is not able to access the database \"%s\" under the current security context.", name)
	}
	s.database, s.user = d, u
	return nil
}

// in is the session's user in a database; nil is none.
func (s *session) in(d *database) *user {
	switch {
	case s.login == nil:
		return nil // of a contained database, where it is
	case d.owner == s.login.sid || s.sysadmin():
		return d.users[dbo]
	}
	if u := d.bySID(s.login.sid); u != nil && d.connects(u) {
		return u
	}
	if d.name == "master" || d.name == "msdb" || s.mayOnServer("CONNECT ANY DATABASE", target{class: classServer}) {
		return d.users[guest]
	}
	return nil
}

// connects reports whether a user has CONNECT.
func (d *database) connects(u *user) bool {
	granted := false
	for _, p := range d.permissions {
		if p.name == "CONNECT" && p.grantee == u.id {
			if p.state == 'D' {
				return false
			}
			granted = true
		}
	}
	return granted
}
