package redshifttest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// superuser wraps an action that takes one.
func superuser(act action) action {
	return func(c *catalog, s *session) error {
		if !c.users[s.user].super {
			return denied("permission denied")
		}
		return act(c, s)
	}
}

// An option is one of CREATE USER and ALTER USER.
type option func(name string, u *user)

var hashForm = regexp.MustCompile(`^md5[0-9a-f]{32}$`)

// readOption reads one option. Ok is false if there is none.
func readOption(p *parser) (o option, err error) {
	switch {
	case p.take("createuser"):
		return func(_ string, u *user) { u.super = true }, nil
	case p.take("nocreateuser"):
		return func(_ string, u *user) { u.super = false }, nil
	case p.take("createdb"):
		return func(_ string, u *user) { u.createDB = true }, nil
	case p.take("nocreatedb"):
		return func(_ string, u *user) { u.createDB = false }, nil
	case p.take("syslog", "access", "unrestricted"):
		return func(_ string, u *user) { u.unrestricted = true }, nil
	case p.take("syslog", "access", "restricted"):
		return func(_ string, u *user) { u.unrestricted = false }, nil
	case p.take("connection", "limit", "unlimited"):
		return func(_ string, u *user) { u.limit = -1 }, nil
	case p.take("connection", "limit"):
		n, err := p.number()
		return func(_ string, u *user) { u.limit = n }, err
	case p.take("session", "timeout"):
		n, err := p.number()
		return func(_ string, u *user) { u.timeout = n }, err
	case p.take("reset", "session", "timeout"):
		return func(_ string, u *user) { u.timeout = 0 }, nil
	case p.take("password", "disable"):
		return func(_ string, u *user) { u.hash = "" }, nil
	case p.take("password"):
		return readPassword(p)
	}
	return nil, p.syntax()
}

// readPassword reads a password and what goes with it. A text becomes a hash.
func readPassword(p *parser) (option, error) {
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	until, limited := "", p.take("valid", "until")
	if limited {
		if until, err = p.text(); err != nil {
			return nil, err
		}
	}
	return func(name string, u *user) {
		u.hash = text
		if !hashForm.MatchString(text) {
			u.hash = "md5" + md5Hex(text+name)
		}
		if limited {
			u.validUntil = strings.TrimPrefix(until, "infinity")
		}
	}, nil
}

func readOptions(p *parser) ([]option, error) {
	p.take("with")
	var all []option
	for !p.done() {
		o, err := readOption(p)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
		p.take(",")
	}
	return all, nil
}

func createUser(p *parser) (action, error) {
	name, err := p.user()
	if err != nil {
		return nil, err
	}
	options, err := readOptions(p)
	return superuser(func(c *catalog, _ *session) error {
		if _, ok := c.users[name]; ok {
			return raise("42710", "user %q already exists", name)
		}
		u := user{limit: -1}
		for _, o := range options {
			o(name, &u)
		}
		c.users[name] = u
		return nil
	}), err
}

func alterUser(p *parser) (action, error) {
	name, err := p.user()
	if err != nil {
		return nil, err
	}
	ownPassword := len(p.tokens) == 5 && p.tokens[3].is("password") // ALTER USER u PASSWORD 'x'
	o, err := readSetting(p)
	var options []option
	if o != nil {
		options = []option{o}
	} else if err == nil {
		options, err = readOptions(p)
	}
	return func(c *catalog, s *session) error {
		u, ok := c.users[name]
		switch {
		case !c.users[s.user].super && (!ownPassword || name != s.user && (u.super || !c.hasPower(grantee{"user", s.user}, "ALTER USER"))):
			return denied("permission denied")
		case !ok:
			return missing("user", name)
		}
		for _, o := range options {
			o(name, &u)
		}
		c.users[name] = u
		return nil
	}, err
}

// readSetting reads SET and RESET of a parameter, if it is next.
func readSetting(p *parser) (option, error) {
	if p.take("reset") {
		if p.take("session", "timeout") {
			return func(_ string, u *user) { u.timeout = 0 }, nil
		}
		name, err := p.parameter()
		return func(_ string, u *user) {
			u.settings = maps.Clone(u.settings)
			delete(u.settings, name)
		}, err
	}
	if !p.take("set") {
		return nil, nil
	}
	name, err := p.parameter()
	if err == nil && !p.take("to") && !p.take("=") {
		err = p.syntax()
	}
	if err != nil {
		return nil, err
	}
	var values []string
	for len(values) == 0 || p.take(",") {
		v, ok := p.kind(wordToken, quotedToken, stringToken, numberToken)
		if !ok {
			return nil, p.syntax()
		}
		values = append(values, v)
	}
	if name == "search_path" {
		for i, v := range values {
			values[i] = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
	}
	return func(_ string, u *user) {
		u.settings = maps.Clone(u.settings)
		if u.settings == nil {
			u.settings = map[string]string{}
		}
		u.settings[name] = strings.Join(values, ", ")
	}, nil
}

// parameter reads a setting's name, which may have dots.
func (p *parser) parameter() (string, error) {
	name, err := p.user()
	for err == nil && p.take(".") {
		var part string
		part, err = p.user()
		name += "." + part
	}
	return strings.ToLower(name), err
}

func dropUser(p *parser) (action, error) {
	name, err := p.user()
	return superuser(func(c *catalog, _ *session) error {
		if _, ok := c.users[name]; !ok {
			return missing("user", name)
		}
		c.dropUser(name)
		return nil
	}), err
}

func createGroup(p *parser) (action, error) {
	name, err := p.name()
	return superuser(func(c *catalog, _ *session) error {
		c.groups[name] = nil
		return nil
	}), err
}

func alterGroup(p *parser) (action, error) {
	group, err := p.name()
	if err != nil {
		return nil, err
	}
	add := p.take("add", "user")
	if !add && !p.take("drop", "user") {
		return nil, p.syntax()
	}
	member, err := p.user()
	return superuser(func(c *catalog, _ *session) error {
		members, ok := c.groups[group]
		if !ok {
			return missing("group", group)
		}
		if _, ok := c.users[member]; !ok {
			return missing("user", member)
		}
		members = slices.DeleteFunc(slices.Clone(members), func(m string) bool { return m == member })
		if add {
			members = append(members, member)
		}
		c.groups[group] = members
		return nil
	}), err
}

func dropGroup(p *parser) (action, error) {
	name, err := p.name()
	return superuser(func(c *catalog, _ *session) error {
		delete(c.groups, name)
		return nil
	}), err
}

func createRole(p *parser) (action, error) {
	name, err := p.name()
	return superuser(func(c *catalog, _ *session) error {
		c.roles[name] = true
		return nil
	}), err
}

func dropRole(p *parser) (action, error) {
	name, err := p.name()
	return superuser(func(c *catalog, _ *session) error {
		delete(c.roles, name)
		maps.DeleteFunc(c.roleGrants, func(r roleGrant, _ bool) bool { return r.role == name })
		return nil
	}), err
}

// roleAndGrantee reads "r TO u" or "r TO ROLE s".
func roleAndGrantee(p *parser, preposition string) (r roleGrant, err error) {
	if r.role, err = p.name(); err == nil {
		err = p.expect(preposition)
	}
	if err == nil {
		r.grantee, err = p.grantee()
	}
	return r, err
}

func (c *catalog) know(r roleGrant) error {
	if !c.roles[r.role] {
		return missing("role", r.role)
	}
	return c.knowGrantee(r.grantee)
}

func grantRole(p *parser) (action, error) {
	r, err := roleAndGrantee(p, "to")
	admin := p.take("with", "admin", "option")
	return superuser(func(c *catalog, _ *session) error {
		c.roleGrants[r] = c.roleGrants[r] || admin
		return c.know(r)
	}), err
}

func revokeRole(p *parser) (action, error) {
	r, err := roleAndGrantee(p, "from")
	return superuser(func(c *catalog, _ *session) error {
		delete(c.roleGrants, r)
		return c.know(r)
	}), err
}
