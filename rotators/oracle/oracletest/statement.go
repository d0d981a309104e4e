package oracletest

import (
	"strconv"
	"strings"
)

// An action is a statement that was read. It changes the catalog, all or nothing.
type action func(c *catalog, s *session) error

// statements are what the server knows besides SELECT, by the first words.
var statements = []struct {
	words []string
	read  func(p *parser, s *session) (action, *sqlError)
}{
	{[]string{"CREATE", "USER"}, createUser},
	{[]string{"ALTER", "USER"}, alterUser},
	{[]string{"DROP", "USER"}, dropUser},
	{[]string{"CREATE", "PROFILE"}, setProfile},
	{[]string{"ALTER", "PROFILE"}, setProfile},
	{[]string{"CREATE", "ROLE"}, createRole},
	{[]string{"DROP", "ROLE"}, dropRole},
	{[]string{"GRANT"}, grantStatement},
	{[]string{"REVOKE"}, revokeStatement},
	{[]string{"CREATE"}, createObject},
	{[]string{"DROP"}, dropObject},
	{[]string{"ALTER", "TABLE"}, alterTable},
	{[]string{"INSERT", "INTO"}, insert},
	{[]string{"UPDATE"}, update},
	{[]string{"DELETE", "FROM"}, deleteRows},
	{[]string{"ALTER", "SESSION", "SET", "CURRENT_SCHEMA", "="}, setSchema},
	{[]string{"BEGIN"}, block},
}

// execute runs one statement. DDL commits, so that there is nothing to undo.
func (s *Server) execute(c *session, text string, binds []string) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for held, code := range s.denied {
		if strings.Contains(text, held) && c.user != "SYS" {
			return reply{}, raise(code, "said the test")
		}
	}
	for held, others := range s.before {
		if !strings.Contains(text, held) || c.user == "SYS" {
			continue
		}
		delete(s.before, held)
		for _, other := range others {
			if _, err := s.run(&session{server: s, user: "SYS", schema: "SYS"}, other, nil); err != nil {
				return reply{}, err
			}
		}
	}
	for _, held := range s.anticipated {
		if strings.Contains(text, held) && c.user != "SYS" {
			if _, err := s.run(&session{server: s, user: "SYS", schema: "SYS"}, text, binds); err != nil {
				return reply{}, err
			}
		}
	}
	return s.run(c, text, binds)
}

func (s *Server) run(c *session, text string, binds []string) (reply, error) {
	tokens, err := lex(text)
	if err != nil {
		return reply{}, err
	}
	p := &parser{source: text, tokens: tokens, binds: binds, maxLen: 128}
	if !s.config.since("12.2") {
		p.maxLen = 30
	}
	if p.take("SELECT") {
		s.log.Addf("%s reads: %s %q", c.user, text, binds)
		return selectRows(p, c)
	}
	s.log.Addf("%s: %s %q", c.user, text, binds)
	for _, known := range statements {
		if p.take(known.words...) {
			act, err := known.read(p, c)
			switch {
			case err != nil:
				return reply{}, err
			case !p.done():
				return reply{}, p.syntax()
			case s.config.ReadOnly && c.user != "SYS":
				return reply{}, raise(16000, "database or pluggable database open for read-only access")
			}
			return reply{}, act(s.catalog, c)
		}
	}
	return reply{}, p.syntax()
}

// since reports whether the server has a release or a later one.
func (c Config) since(release string) bool {
	has, want := strings.Split(c.Version, "."), strings.Split(release, ".")
	for i := range want {
		a, _ := strconv.Atoi(has[i])
		b, _ := strconv.Atoi(want[i])
		if a != b {
			return a > b
		}
	}
	return true
}
