package mysqltest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// writes is what every statement that changes accounts needs first.
func (s *wireSession) writes(privilege string) *code {
	if s.readOnly {
		return raise(1290, "The MySQL server is running with the --read-only option so it cannot execute this statement")
	}
	if privilege != "" && !s.account.has(privilege, "*.*") {
		return raise(1227, "Access denied; you need (at least one of) the %s privilege(s) for this operation", privilege)
	}
	return nil
}

// An identity is what a statement says of how one account logs in.
type identity struct {
	who
	plugin, password, replace                string
	given, stored, replaces, retain, discard bool
}

// identity reads an account and its IDENTIFIED clause, if there is one.
func (s *wireSession) identity(p *parser) (i identity, c *code) {
	if p.take("CURRENT_USER", "(", ")") || p.take("USER", "(", ")") {
		i.who = s.account.who
	} else if i.who, c = p.account(); c != nil {
		return i, c
	}
	if s.since(8, 0, 14) && p.take("DISCARD", "OLD", "PASSWORD") {
		i.discard = true
		return i, nil
	}
	if !p.take("IDENTIFIED") {
		return i, nil
	}
	if p.take("WITH") {
		if i.plugin, c = p.kind("wt"); c != nil {
			return i, c
		}
	}
	switch {
	case p.take("BY"):
		i.given = true
		i.password, c = p.kind("t")
	case i.plugin != "" && p.take("AS"):
		i.stored = true
		_, c = p.kind("t")
	case i.plugin == "":
		c = p.syntax()
	}
	if c == nil && s.since(8, 0, 13) && p.take("REPLACE") {
		i.replaces = true
		i.replace, c = p.kind("t")
	}
	if c == nil && s.since(8, 0, 14) && p.take("RETAIN", "CURRENT", "PASSWORD") {
		i.retain = true
	}
	return i, c
}

// options reads the clauses that follow, and applies them to each account.
func (s *wireSession) options(p *parser, all []*wireAccount) *code {
	each := func(f func(*wireAccount)) {
		for _, a := range all {
			f(a)
		}
	}
	for !p.done() {
		switch {
		case p.take("REQUIRE"):
			require, certificate, c := p.require()
			if c != nil {
				return c
			}
			each(func(a *wireAccount) { a.require, a.certificate = require, certificate })
		case p.take("WITH"):
			fields := strings.Fields(p.until("PASSWORD", "ACCOUNT"))
			if len(fields)%2 != 0 {
				return p.syntax()
			}
			each(func(a *wireAccount) {
				for i := 0; i < len(fields); i += 2 {
					delete(a.limits, fields[i])
					if fields[i+1] != "0" {
						a.limits[fields[i]] = fields[i+1]
					}
				}
			})
		case p.take("PASSWORD", "EXPIRE"):
			text := p.until("PASSWORD", "ACCOUNT", "FAILED_LOGIN_ATTEMPTS")
			each(func(a *wireAccount) {
				if a.expired = text == ""; !a.expired {
					a.expire = text
				}
			})
		case p.take("ACCOUNT", "LOCK"):
			each(func(a *wireAccount) { a.locked = true })
		case p.take("ACCOUNT", "UNLOCK"):
			each(func(a *wireAccount) { a.locked = false })
		default:
			if c := s.policy(p, each); c != nil {
				return c
			}
		}
	}
	return nil
}

// certificates are the demands on a client's certificate, in the order in which MySQL prints them.
var certificates = []string{"SUBJECT", "ISSUER", "CIPHER"}

// require reads what follows REQUIRE, and gives it in the form that SHOW CREATE USER has: with the texts as they are.
func (p *parser) require() (text string, certificate [3]string, c *code) {
	for _, word := range []string{"NONE", "SSL", "X509"} {
		if p.take(word) {
			return word, certificate, nil
		}
	}
	for found := true; found; {
		found = false
		for i, word := range certificates {
			p.take("AND")
			if p.take(word) {
				found = true
				if certificate[i], c = p.kind("t"); c != nil {
					return "", certificate, c
				}
			}
		}
	}
	for i, word := range certificates {
		if certificate[i] != "" {
			text += " " + word + " '" + certificate[i] + "'"
		}
	}
	if text == "" {
		return "", certificate, p.syntax()
	}
	return text[1:], certificate, nil
}

// policy reads one of MySQL 8's clauses about passwords.
func (s *wireSession) policy(p *parser, each func(func(*wireAccount))) *code {
	for _, name := range slices.Concat(policies, counts) {
		if s.since(8, 0) && p.take(strings.Fields(name)...) {
			text := p.until("PASSWORD", "ACCOUNT", "FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME")
			each(func(a *wireAccount) { a.policy[name] = text })
			return nil
		}
	}
	return p.syntax()
}

// until reads up to one of some words, or to the end.
func (p *parser) until(words ...string) string {
	start := p.at
	for !p.done() && !slices.ContainsFunc(words, func(w string) bool { return p.peek(0, w) }) {
		p.at++
	}
	if start == p.at {
		return ""
	}
	return p.source[p.tokens[start].start:p.tokens[p.at-1].end]
}

func (s *wireSession) createUser(p *parser) (*result, *code) {
	if c := s.writes("CREATE USER"); c != nil {
		return nil, c
	}
	i, c := s.identity(p)
	if c != nil {
		return nil, c
	}
	if utf8.RuneCountInString(i.user) > 32 {
		return nil, raise(1470, "String '%s' is too long for user name (should be no longer than 32)", i.user)
	}
	if s.find(i.user, i.host) != nil {
		return nil, raise(1396, "Operation CREATE USER failed for %s", s.name(i.who))
	}
	a := newAccount(i.who, s.defaultPlugin())
	if i.plugin != "" {
		a.plugin = i.plugin
	}
	a.primary = i.password
	if c := s.options(p, []*wireAccount{a}); c != nil {
		return nil, c
	}
	s.accounts = append(s.accounts, a)
	return nil, nil
}

// createRole makes a role: an account that nobody logs in to.
func (s *wireSession) createRole(p *parser) (*result, *code) {
	name, c := p.account()
	if c == nil {
		c = s.writes("CREATE USER")
	}
	if c != nil {
		return nil, c
	}
	a := newAccount(name, s.defaultPlugin())
	a.locked = true
	s.accounts = append(s.accounts, a)
	return nil, p.end()
}

func (s *wireSession) dropUser(p *parser) (*result, *code) {
	exists := p.take("IF", "EXISTS")
	name, c := p.account()
	if c == nil {
		c = s.writes("CREATE USER")
	}
	if c != nil {
		return nil, c
	}
	if s.find(name.user, name.host) == nil && !exists {
		return nil, raise(1396, "Operation DROP USER failed for %s", s.name(name))
	}
	s.accounts = slices.DeleteFunc(s.accounts, func(a *wireAccount) bool { return a.who == name })
	return nil, p.end()
}

// alterUser changes all accounts of the statement or none: MySQL 8's DDL is atomic.
func (s *wireSession) alterUser(p *parser) (*result, *code) {
	identities, c := list(p, func() (identity, *code) { return s.identity(p) })
	if c != nil {
		return nil, c
	}
	var changed []*wireAccount
	for _, i := range identities {
		a := s.find(i.user, i.host)
		if c := s.mayAlter(i, p.done()); c != nil {
			return nil, c
		}
		if a == nil {
			return nil, raise(1396, "Operation ALTER USER failed for %s", s.name(i.who))
		}
		a = a.copied()
		if c := s.identify(a, i); c != nil {
			return nil, c
		}
		changed = append(changed, a)
	}
	if len(changed) == 1 && s.since(8, 0) && p.take("DEFAULT", "ROLE") {
		c = s.defaultRole(p, changed[0])
	} else {
		c = s.options(p, changed)
	}
	if c != nil {
		return nil, c
	}
	for _, a := range changed {
		*s.find(a.user, a.host) = *a
	}
	return nil, nil
}

func (s *wireSession) defaultRole(p *parser, a *wireAccount) *code {
	a.defaults = nil
	if p.take("NONE") {
		return p.end()
	}
	roles, c := list(p, p.account)
	for _, r := range roles {
		if _, ok := a.roles[r]; !ok {
			return raise(3530, "%s is not granted to %s", r, a.who)
		}
	}
	a.defaults = roles
	if c == nil {
		c = p.end()
	}
	return c
}

// mayAlter: users may change their own password and nothing else, and keep their old one with
// APPLICATION_PASSWORD_ADMIN; all else takes CREATE USER.
// Source: MySQL manual, "ALTER USER Statement".
func (s *wireSession) mayAlter(i identity, onlyPassword bool) *code {
	if c := s.writes(""); c != nil {
		return c
	}
	own := i.who == s.account.who && (i.given && i.plugin == "" || i.discard) && onlyPassword
	if !own {
		return s.writes("CREATE USER")
	}
	if (i.retain || i.discard) && !s.account.has("CREATE USER", "*.*") {
		return s.writes("APPLICATION_PASSWORD_ADMIN")
	}
	return nil
}

// identify applies an IDENTIFIED clause.
// Source: set_and_validate_user_attributes and validate_password_require_current in MySQL's sql_user.cc.
func (s *wireSession) identify(a *wireAccount, i identity) *code {
	if i.discard {
		a.secondary, a.cached = "", nil
		return nil
	}
	privileged := s.account.has("CREATE USER", "*.*")
	switch {
	case i.replaces && a.who != s.account.who:
		return raise(3893, "Do not specify the current password while changing it for other users.")
	case i.replaces && i.replace != a.primary:
		return raise(3891, "Incorrect current password. Specify the correct password which has to be replaced.")
	case i.given && !i.replaces && !privileged && a.policy["PASSWORD REQUIRE CURRENT"] == "":
		return raise(3892, "Current password needs to be specified in the REPLACE clause in order to change it.")
	}
	if i.plugin != "" && i.plugin != a.plugin {
		if i.retain {
			return raise(3894, "Current password can not be retained for user '%s'@'%s' because authentication plugin is being changed.", a.user, a.host)
		}
		a.plugin, a.secondary = i.plugin, ""
	}
	if !i.given {
		return nil
	}
	if i.retain && a.primary == "" {
		return raise(3878, "Empty password can not be retained as second password for user '%s'@'%s'.", a.user, a.host)
	}
	if i.retain && i.password == "" {
		return raise(3895, "Current password can not be retained for user '%s'@'%s' because new password is empty.", a.user, a.host)
	}
	if i.retain {
		a.secondary = a.primary
	}
	a.primary, a.cached, a.expired = i.password, nil, false
	return nil
}
