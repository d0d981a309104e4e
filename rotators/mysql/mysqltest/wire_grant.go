package mysqltest

import (
	"strings"
)

// isDynamic: dynamic privileges are one word with underscores.
func isDynamic(privilege string) bool { return strings.Contains(privilege, "_") }

// roleList reads roles if what comes next is a list of them: names, and no ON.
func (p *parser) roleList(preposition string) ([]who, bool) {
	start := p.at
	roles, c := list(p, p.account)
	if c == nil && p.peek(0, preposition) {
		return roles, true
	}
	p.at = start
	return nil, false
}

func (s *wireSession) grant(p *parser) (*result, *code) {
	if c := s.writes(""); c != nil {
		return nil, c
	}
	if p.take("PROXY", "ON") {
		return nil, s.proxy(p, "TO")
	}
	if roles, ok := p.roleList("TO"); ok && s.since(8, 0) {
		return nil, s.grantRoles(p, roles)
	}
	privileges, object, a, c := s.target(p, "TO")
	if c != nil {
		return nil, c
	}
	option := p.take("WITH", "GRANT", "OPTION")
	if c := p.end(); c != nil {
		return nil, c
	}
	for _, name := range privileges {
		if !s.account.mayGrant(name, object) {
			return nil, s.denied(name, object)
		}
	}
	for _, name := range privileges {
		s.put(a, name, object, option)
	}
	if option && !isDynamic(privileges[0]) {
		s.put(a, "GRANT OPTION", object, false)
	}
	return nil, nil
}

// denied is the error for the level of the object.
func (s *wireSession) denied(privilege, object string) *code {
	switch {
	case object == "*.*" && isDynamic(privilege):
		return raise(1227, "Access denied; you need (at least one of) the GRANT OPTION privilege(s) for this operation")
	case object == "*.*":
		return raise(1045, "Access denied for user '%s'@'%s' (using password: YES)", s.account.user, s.account.host)
	case strings.HasSuffix(object, ".*"):
		return raise(1044, "Access denied for user '%s'@'%s' to database %s", s.account.user, s.account.host, strings.TrimSuffix(object, ".*"))
	}
	return raise(1142, "%s, GRANT command denied to user '%s'@'127.0.0.1' for table %s", privilege, s.account.user, object)
}

// put grants one privilege. What a database denied it no longer does.
func (s *wireSession) put(a *wireAccount, name, object string, option bool) {
	switch {
	case isDynamic(name):
		a.dynamic[name] = a.dynamic[name] || option
		return
	case name == "USAGE":
		return
	case name == "ALL" || name == "ALL PRIVILEGES":
		name = "ALL PRIVILEGES"
		if object == "*.*" {
			for _, g := range globals {
				s.put(a, g, object, option)
			}
			return
		}
		for other := range a.grants[object] {
			if other != "GRANT OPTION" && !strings.Contains(other, "(") {
				delete(a.grants[object], other)
			}
		}
	}
	if a.denied[object][name] {
		delete(a.denied[object], name)
		return
	}
	if a.grants[object] == nil {
		a.grants[object] = map[string]bool{}
	}
	if name == "GRANT OPTION" || !a.grants[object]["ALL PRIVILEGES"] || strings.Contains(name, "(") {
		a.grants[object][name] = true
	}
}

// target reads privileges, ON what, and TO or FROM whom.
func (s *wireSession) target(p *parser, preposition string) (privileges []string, object string, a *wireAccount, c *code) {
	if privileges, c = p.privileges(); c == nil {
		c = p.expect("ON")
	}
	if c == nil {
		object, c = p.object()
	}
	if c == nil {
		c = p.expect(preposition)
	}
	if c != nil {
		return nil, "", nil, c
	}
	name, c := p.account()
	if c == nil {
		if a = s.find(name.user, name.host); a == nil {
			c = raise(1410, "You are not allowed to create a user with GRANT")
		}
	}
	for _, name := range privileges {
		if c == nil && isDynamic(name) && (object != "*.*" || !s.since(8, 0)) {
			c = raise(3619, "Illegal privilege level specified for %s", name)
		}
	}
	return privileges, object, a, c
}

func (s *wireSession) grantRoles(p *parser, roles []who) *code {
	if c := p.expect("TO"); c != nil {
		return c
	}
	name, c := p.account()
	if c != nil {
		return c
	}
	option := p.take("WITH", "ADMIN", "OPTION")
	a := s.find(name.user, name.host)
	if a == nil {
		return raise(3523, "Unknown authorization ID %s", name)
	}
	for _, r := range roles {
		if s.find(r.user, r.host) == nil {
			return raise(3523, "Unknown authorization ID %s", r)
		}
		if !s.account.has("ROLE_ADMIN", "*.*") && !s.account.roles[r] {
			return s.writes("ROLE_ADMIN")
		}
	}
	for _, r := range roles {
		a.roles[r] = a.roles[r] || option
	}
	return p.end()
}

// proxy grants or revokes PROXY.
func (s *wireSession) proxy(p *parser, preposition string) *code {
	of, c := p.account()
	if c == nil {
		c = p.expect(preposition)
	}
	if c != nil {
		return c
	}
	name, c := p.account()
	if c != nil {
		return c
	}
	a := s.find(name.user, name.host)
	if a == nil {
		return raise(1410, "You are not allowed to create a user with GRANT")
	}
	if preposition == "FROM" {
		delete(a.proxies, of)
	} else {
		a.proxies[of] = p.take("WITH", "GRANT", "OPTION")
	}
	return p.end()
}

func (s *wireSession) revoke(p *parser) (*result, *code) {
	if c := s.writes(""); c != nil {
		return nil, c
	}
	if p.take("PROXY", "ON") {
		return nil, s.proxy(p, "FROM")
	}
	if roles, ok := p.roleList("FROM"); ok && s.since(8, 0) {
		return nil, s.revokeRoles(p, roles)
	}
	privileges, object, a, c := s.target(p, "FROM")
	if c == nil {
		c = p.end()
	}
	if c != nil {
		return nil, c
	}
	for _, name := range privileges {
		if !s.account.mayGrant(name, object) {
			return nil, s.denied(name, object)
		}
		s.take(a, name, object)
	}
	return nil, nil
}

// take revokes one privilege. Of one that the account has on everything, a database denies it from now on (partial
// revokes).
func (s *wireSession) take(a *wireAccount, name, object string) {
	switch {
	case isDynamic(name):
		delete(a.dynamic, name)
	case name == "ALL" || name == "ALL PRIVILEGES":
		for p := range a.grants[object] {
			if p != "GRANT OPTION" {
				delete(a.grants[object], p)
			}
		}
	case a.grants[object][name]:
		delete(a.grants[object], name)
	case a.grants["*.*"][name] && strings.HasSuffix(object, ".*"):
		if a.denied[object] == nil {
			a.denied[object] = map[string]bool{}
		}
		a.denied[object][name] = true
	}
}

func (s *wireSession) revokeRoles(p *parser, roles []who) *code {
	if c := p.expect("FROM"); c != nil {
		return c
	}
	name, c := p.account()
	if c != nil {
		return c
	}
	a := s.find(name.user, name.host)
	if a == nil {
		return raise(3523, "Unknown authorization ID %s", name)
	}
	for _, r := range roles {
		delete(a.roles, r)
		for i, d := range a.defaults {
			if d == r {
				a.defaults = append(a.defaults[:i:i], a.defaults[i+1:]...)
				break
			}
		}
	}
	return p.end()
}
