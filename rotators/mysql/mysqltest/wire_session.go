package mysqltest

import (
	"strings"
)

// A wireSession is one connection.
type wireSession struct {
	*wire
	packets
	id      uint32
	secure  bool
	account *wireAccount
	failed  *code // how the last statement ended, for SHOW WARNINGS
}

// A result is rows of text; one without columns is OK.
type result struct {
	columns []string
	rows    [][]string
}

func (s *wireSession) run() error {
	if err := s.login(); err != nil {
		return err
	}
	for {
		b, err := s.read()
		if err != nil {
			return err
		}
		switch b[0] {
		case 0x01: // COM_QUIT
			s.wire.log.add(s.id, "Quit", "")
			return nil
		case 0x0e, 0x1f: // COM_PING, COM_RESET_CONNECTION
			err = s.ok()
		case 0x03: // COM_QUERY
			err = s.query(string(b[1:]))
		default: // prepared statements among them: Rotor sends none
			err = s.fail(raise(1295, "This command is not supported by the wire-level server"))
		}
		if err != nil {
			return err
		}
	}
}

// query runs a statement and answers it.
func (s *wireSession) query(text string) error {
	s.mu.Lock()
	r, c := s.execute(text)
	s.mu.Unlock()
	s.failed = c
	switch {
	case c != nil:
		return s.fail(c)
	case r == nil || r.columns == nil:
		return s.ok()
	}
	return s.rows(r)
}

// execute runs a statement and logs it, without its passwords if it is understood. s.mu is held.
func (s *wireSession) execute(text string) (*result, *code) {
	p, c := parse(text)
	if c != nil {
		s.wire.log.add(s.id, "Query", "(not understood)") // as a real server: it may hold a password
		return nil, c
	}
	s.wire.log.add(s.id, "Query", "%s", p.withoutPasswords())
	for _, f := range forms {
		q := *p
		if q.take(f.words...) {
			return f.run(s, &q)
		}
	}
	return nil, p.syntax()
}

// mayOpen says why the session may not use a database.
func (s *wireSession) mayOpen(database string) *code {
	if database == "" || database == "information_schema" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account.has("SELECT", "*.*") {
		return nil
	}
	for name := range s.account.grants {
		if strings.HasPrefix(name, quote(database)+".") {
			return nil
		}
	}
	return raise(1044, "Access denied for user '%s'@'%s' to database '%s'", s.account.user, s.account.host, database)
}
