package mysqltest

import (
	"slices"
	"strings"
)

func (s *wireSession) grant(p *parser) (*result, *code) {
	if p.take("PROXY", "ON") {
		return nil, s.proxy(p, "TO")
	}
	privileges, object, a, c := s.target(p, "TO")
	if c != nil {
		return nil, c
	}
	option := p.take("WITH", "GRANT", "OPTION")
	if c := p.end(); c != nil {
		return nil, c
	}
	if option {
		privileges = append(privileges, "GRANT OPTION")
	}
	for _, name := range privileges {
		if !s.account.mayGrant(name, object) {
			return nil, s.denied(name, object)
		}
	}
	for _, name := range privileges {
		a.put(name, object)
	}
	return nil, nil
}

// denied is the error for the level of the object.
func (s *wireSession) denied(privilege, object string) *code {
	switch {
	case object == "*.*":
		return raise(1045, "Access denied for user '%s'@'%s' (using password: YES)", s.account.user, s.account.host)
	case strings.HasSuffix(object, ".*"):
		return raise(1044, "Access denied for user '%s'@'%s' to database %s", s.account.user, s.account.host, strings.TrimSuffix(object, ".*"))
	}
	return raise(1142, "%s, GRANT command denied to user '%s'@'127.0.0.1' for table %s", privilege, s.account.user, object)
}

// put grants one privilege. ALL PRIVILEGES stands for the others on its object, but for columns and GRANT OPTION.
func (a *wireAccount) put(name, object string) {
	if name == "USAGE" {
		return
	}
	if a.grants[object] == nil {
		a.grants[object] = map[string]bool{}
	}
	list := a.grants[object]
	switch {
	case name == "ALL" || name == "ALL PRIVILEGES":
		if object == "*.*" {
			for _, g := range globals {
				list[g] = true
			}
			return
		}
		for other := range list {
			if other != "GRANT OPTION" && !strings.Contains(other, "(") {
				delete(list, other)
			}
		}
		list["ALL PRIVILEGES"] = true
	case name == "GRANT OPTION" || !list["ALL PRIVILEGES"] || strings.Contains(name, "("):
		list[name] = true
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
		a, c = s.grantee(p, preposition)
	}
	if c == nil && slices.ContainsFunc(privileges, func(name string) bool { return strings.Contains(name, "_") }) {
		c = p.syntax() // MySQL 8's dynamic privileges
	}
	return privileges, object, a, c
}

// grantee reads TO or FROM an account.
func (s *wireSession) grantee(p *parser, preposition string) (*wireAccount, *code) {
	if c := p.expect(preposition); c != nil {
		return nil, c
	}
	name, c := p.account()
	if c != nil {
		return nil, c
	}
	a := s.find(name.user, name.host)
	if a == nil { // sql_mode has NO_AUTO_CREATE_USER
		return nil, raise(1133, "Can't find any matching row in the user table")
	}
	return a, nil
}

// proxy grants or revokes PROXY.
func (s *wireSession) proxy(p *parser, preposition string) *code {
	of, c := p.account()
	if c != nil {
		return c
	}
	a, c := s.grantee(p, preposition)
	if c != nil {
		return c
	}
	if preposition == "FROM" {
		delete(a.proxies, of)
	} else {
		a.proxies[of] = p.take("WITH", "GRANT", "OPTION")
	}
	return p.end()
}

func (s *wireSession) revoke(p *parser) (*result, *code) {
	if p.take("PROXY", "ON") {
		return nil, s.proxy(p, "FROM")
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
	}
	if c := a.nothing(object); c != nil {
		return nil, c
	}
	for _, name := range privileges {
		a.take(name, object)
	}
	return nil, nil
}

// nothing is the error if the account has nothing on an object.
func (a *wireAccount) nothing(object string) *code {
	switch {
	case object == "*.*" || len(a.grants[object]) > 0:
		return nil
	case strings.HasSuffix(object, ".*"):
		return raise(1141, "There is no such grant defined for user '%s' on host '%s'", a.user, a.host)
	case strings.HasPrefix(object, "`"):
		return raise(1147, "There is no such grant defined for user '%s' on host '%s' on table %s", a.user, a.host, object)
	}
	return raise(1403, "There is no such grant defined for user '%s' on host '%s' on routine %s", a.user, a.host, object)
}

// take revokes one privilege.
func (a *wireAccount) take(name, object string) {
	list := a.grants[object]
	if name == "ALL" || name == "ALL PRIVILEGES" {
		for p := range list {
			if p != "GRANT OPTION" {
				delete(list, p)
			}
		}
	}
	delete(list, name)
}
