package oracletest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A userOption is one clause of CREATE USER and ALTER USER.
type userOption func(c *catalog, u *user) *sqlError

// A change is what a statement does to a user.
type change struct {
	name          string
	password, old string // of IDENTIFIED BY and REPLACE
	changes       bool   // there is an IDENTIFIED BY
	proves        bool   // there is a REPLACE
	endsRollover  bool
	options       []userOption
}

func readUser(p *parser) (ch change, err *sqlError) {
	if ch.name, err = p.name(); err != nil {
		return ch, err
	}
	for !p.done() {
		if err := ch.clause(p); err != nil {
			return ch, err
		}
	}
	return ch, nil
}

func (ch *change) clause(p *parser) (err *sqlError) {
	switch {
	case p.take("IDENTIFIED", "BY"):
		ch.changes = true
		ch.password, err = p.password()
	case p.take("IDENTIFIED", "EXTERNALLY"):
		ch.add(func(_ *catalog, u *user) *sqlError { u.authentication, u.password = "EXTERNAL", ""; return nil })
	case p.take("REPLACE"):
		ch.proves = true
		ch.old, err = p.password()
	case p.take("EXPIRE", "PASSWORD", "ROLLOVER", "PERIOD"):
		ch.endsRollover = true
	case p.take("PASSWORD", "EXPIRE"):
		ch.add(func(_ *catalog, u *user) *sqlError { u.expired = true; return nil })
	case p.take("ACCOUNT", "LOCK"):
		ch.add(func(c *catalog, u *user) *sqlError { u.locked, u.timed, u.lockDate = true, false, c.now(); return nil })
	case p.take("ACCOUNT", "UNLOCK"):
		ch.add(func(_ *catalog, u *user) *sqlError {
			u.locked, u.timed, u.failed, u.lockDate = false, false, 0, ""
			return nil
		})
	case p.take("GRANT", "CONNECT", "THROUGH"):
		var proxy string
		proxy, err = p.name()
		ch.add(func(_ *catalog, u *user) *sqlError { u.proxies = append(u.proxies, proxy); return nil })
	case p.take("QUOTA"):
		return ch.quota(p)
	case p.take("DEFAULT", "ROLE"):
		return ch.defaultRoles(p)
	default:
		return ch.place(p)
	}
	return err
}

func (ch *change) add(o userOption) { ch.options = append(ch.options, o) }

// place reads tablespaces and the profile.
func (ch *change) place(p *parser) *sqlError {
	var put func(u *user, name string)
	switch {
	case p.take("DEFAULT", "TABLESPACE"):
		put = func(u *user, name string) { u.tablespace = name }
	case p.take("TEMPORARY", "TABLESPACE"):
		put = func(u *user, name string) { u.temp = name }
	case p.take("PROFILE"):
		name, err := p.name()
		ch.add(func(c *catalog, u *user) *sqlError {
			if c.profiles[name] == nil {
				return raise(2380, "profile %s does not exist", name)
			}
			u.profile = name
			return nil
		})
		return err
	default:
		return p.syntax()
	}
	name, err := p.name()
	ch.add(func(_ *catalog, u *user) *sqlError {
		if !slices.Contains([]string{"USERS", "TEMP", "DATA", "TEMP2", "Odd space"}, name) {
			return raise(959, "tablespace '%s' does not exist", name)
		}
		put(u, name)
		return nil
	})
	return err
}

func (ch *change) quota(p *parser) *sqlError {
	n := "-1"
	if !p.take("UNLIMITED") {
		t, ok := p.kind(numberToken)
		if !ok {
			return p.syntax()
		}
		n = t.text
	}
	if err := p.expect("ON"); err != nil {
		return err
	}
	tablespace, err := p.name()
	ch.add(func(_ *catalog, u *user) *sqlError {
		if delete(u.quotas, tablespace); n != "0" {
			u.quotas[tablespace] = n
		}
		return nil
	})
	return err
}

func (ch *change) defaultRoles(p *parser) *sqlError {
	if p.take("ALL") {
		ch.add(func(_ *catalog, u *user) *sqlError { u.defaults = nil; return nil })
		return nil
	}
	var names []string
	if !p.take("NONE") {
		var err *sqlError
		if names, err = p.names(); err != nil {
			return err
		}
	}
	ch.add(func(c *catalog, u *user) *sqlError {
		roles := map[string]bool{}
		for _, r := range names {
			if c.granted[roleGrant{ch.name, r}] == nil {
				return raise(1955, "DEFAULT ROLE '%s' not granted to user", r)
			}
			roles[r] = true
		}
		u.defaults = roles
		return nil
	})
	return nil
}

func createUser(p *parser, _ *session) (action, *sqlError) {
	ch, err := readUser(p)
	return func(c *catalog, s *session) error {
		switch {
		case !c.holds(s.user, s.roles, "CREATE USER"):
			return denied()
		case c.users[ch.name] != nil, c.roles[ch.name]:
			return raise(1920, "user name '%s' conflicts with another user or role name", ch.name)
		}
		u := &user{authentication: "PASSWORD", profile: "DEFAULT", tablespace: "USERS", temp: "TEMP", quotas: map[string]string{}}
		if err := ch.apply(c, s, u); err != nil {
			return err
		}
		u.rollover = ""
		u.created = c.now()
		if u.locked {
			u.lockDate = u.created
		}
		c.users[ch.name] = u
		return nil
	}, err
}

func alterUser(p *parser, _ *session) (action, *sqlError) {
	ch, err := readUser(p)
	return func(c *catalog, s *session) error {
		u, may := c.users[ch.name], c.holds(s.user, s.roles, "ALTER USER")
		switch {
		case !may && (ch.name != s.user || len(ch.options) > 0):
			return denied()
		case u == nil:
			return raise(1918, "user '%s' does not exist", ch.name)
		case ch.changes && !may && !ch.proves && c.profiles[u.profile].verify:
			return raise(28221, "REPLACE not specified")
		case ch.proves && ch.old != u.password && (u.rollover == "" || ch.old != u.rollover):
			return raise(28008, "invalid old password")
		}
		changed := *u // all or nothing
		changed.quotas = maps.Clone(u.quotas)
		if err := ch.apply(c, s, &changed); err != nil {
			return err
		}
		*u = changed
		return nil
	}, err
}

// apply does what was read to u.
func (ch *change) apply(c *catalog, s *session, u *user) error {
	for _, o := range ch.options {
		if err := o(c, u); err != nil {
			return err
		}
	}
	if ch.endsRollover {
		if !s.server.config.since("19") {
			return raise(922, "missing or invalid option")
		}
		u.rollover = ""
	}
	if !ch.changes {
		return nil
	}
	p := c.profiles[u.profile]
	if p.verify && (len(ch.password) < 8 || !strings.ContainsFunc(ch.password, unicode.IsDigit)) {
		return raise(28003, "password verification for the specified password failed\nORA-20001: Password must contain at least 1 digit(s)")
	}
	if p.reuseMax > 0 && slices.Contains(u.history, ch.password) {
		return raise(28007, "the password cannot be reused")
	}
	if p.rollover > 0 && u.rollover == "" {
		u.rollover = u.password
	}
	u.password, u.authentication, u.expired = ch.password, "PASSWORD", false
	u.history = append(slices.Clone(u.history), ch.password)
	return nil
}

func dropUser(p *parser, _ *session) (action, *sqlError) {
	name, err := p.name()
	p.take("CASCADE")
	return func(c *catalog, s *session) error {
		if !c.holds(s.user, s.roles, "DROP USER") {
			return denied()
		}
		if c.users[name] == nil {
			return raise(1918, "user '%s' does not exist", name)
		}
		c.dropUser(name)
		return nil
	}, err
}

func createRole(p *parser, _ *session) (action, *sqlError) {
	name, err := p.name()
	return func(c *catalog, s *session) error {
		if !c.holds(s.user, s.roles, "CREATE ROLE") {
			return denied()
		}
		c.roles[name] = true
		return nil
	}, err
}

func dropRole(p *parser, _ *session) (action, *sqlError) {
	name, err := p.name()
	return func(c *catalog, s *session) error {
		if err := c.mayGrantRole(s, name); err != nil {
			return err
		}
		delete(c.roles, name)
		maps.DeleteFunc(c.granted, func(g roleGrant, _ *roleHeld) bool { return g.role == name || g.grantee == name })
		maps.DeleteFunc(c.object, func(g objectGrant, _ *objectOption) bool { return g.grantee == name })
		return nil
	}, err
}

func setProfile(p *parser, _ *session) (action, *sqlError) {
	name, err := p.name()
	if err == nil {
		err = p.expect("LIMIT")
	}
	limits := map[string]int{}
	for err == nil && !p.done() {
		t, ok := p.kind(wordToken)
		n, isNumber := p.kind(numberToken, wordToken)
		if !ok || !isNumber {
			return nil, p.syntax()
		}
		limits[t.text], _ = strconv.Atoi(n.text)
		if n.text == "CHECKED" {
			limits[t.text] = 1
		}
	}
	return func(c *catalog, s *session) error {
		if !c.holds(s.user, s.roles, "CREATE PROFILE") {
			return denied()
		}
		c.profiles[name] = &profile{failedLogins: limits["FAILED_LOGIN_ATTEMPTS"], reuseMax: limits["PASSWORD_REUSE_MAX"], sessions: limits["SESSIONS_PER_USER"],
			rollover: limits["PASSWORD_ROLLOVER_TIME"], verify: limits["PASSWORD_VERIFY_FUNCTION"] != 0}
		return nil
	}, err
}
