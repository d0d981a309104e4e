package mysqltest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// needs is the error of a statement that takes a privilege which the account lacks.
func (s *wireSession) needs(privilege string) *code {
	if s.account.has(privilege, "*.*") {
		return nil
	}
	return raise(1227, "Access denied; you need (at least one of) the %s privilege(s) for this operation", privilege)
}

// An identity is an account, and its new password if there is one.
type identity struct {
	who
	password     string
	given, named bool // a password; a plug-in
}

// identity reads an account and its IDENTIFIED clause, if there is one.
func (s *wireSession) identity(p *parser) (i identity, c *code) {
	if i.who, c = p.account(); c != nil || !p.take("IDENTIFIED") {
		return i, c
	}
	if p.take("WITH") {
		i.named = true
		plugin, c := p.kind("wt")
		if c != nil {
			return i, c
		}
		if plugin != nativePlugin {
			return i, raise(1524, "Plugin '%s' is not loaded", plugin)
		}
	}
	if c := p.expect("BY"); c != nil {
		return i, c
	}
	i.given = true
	i.password, c = p.kind("t")
	return i, c
}

var limitNames = []string{"MAX_QUERIES_PER_HOUR", "MAX_UPDATES_PER_HOUR", "MAX_CONNECTIONS_PER_HOUR", "MAX_USER_CONNECTIONS"}

// options reads the clauses that follow, and applies them to each account.
func (s *wireSession) options(p *parser, all []*wireAccount) *code {
	for !p.done() {
		apply, c := s.option(p)
		if c != nil {
			return c
		}
		for _, a := range all {
			apply(a)
		}
	}
	return nil
}

// option reads one clause.
func (s *wireSession) option(p *parser) (apply func(*wireAccount), c *code) {
	switch {
	case p.take("REQUIRE"):
		require, certificate, c := p.require()
		return func(a *wireAccount) { a.require, a.certificate = require, certificate }, c
	case p.take("WITH"):
		fields := strings.Fields(p.until("PASSWORD", "ACCOUNT"))
		if len(fields)%2 != 0 {
			return nil, p.syntax()
		}
		return func(a *wireAccount) {
			for i := 0; i < len(fields); i += 2 {
				a.limits[fields[i]] = fields[i+1] // shown from now on, even if it is 0
			}
		}, nil
	case p.take("PASSWORD", "EXPIRE"):
		text := p.until("PASSWORD", "ACCOUNT")
		return func(a *wireAccount) {
			if a.expired = text == ""; !a.expired {
				a.expire = text
			}
		}, nil
	case p.take("ACCOUNT", "LOCK"):
		return func(a *wireAccount) { a.locked = true }, nil
	case p.take("ACCOUNT", "UNLOCK"):
		return func(a *wireAccount) { a.locked = false }, nil
	}
	return nil, p.syntax()
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
	i, c := s.identity(p)
	if c == nil {
		c = s.needs("CREATE USER")
	}
	if c != nil {
		return nil, c
	}
	if utf8.RuneCountInString(i.user) > 32 {
		return nil, raise(1470, "String '%s' is too long for user name (should be no longer than 32)", i.user)
	}
	if s.find(i.user, i.host) != nil {
		return nil, raise(1396, "Operation CREATE USER failed for %s", i.shown())
	}
	a := newAccount(i.who)
	a.password = i.password
	if c := s.options(p, []*wireAccount{a}); c != nil {
		return nil, c
	}
	s.accounts = append(s.accounts, a)
	return nil, nil
}

func (s *wireSession) dropUser(p *parser) (*result, *code) {
	exists := p.take("IF", "EXISTS")
	name, c := p.account()
	if c == nil {
		c = s.needs("CREATE USER")
	}
	if c != nil {
		return nil, c
	}
	if s.find(name.user, name.host) == nil && !exists {
		return nil, raise(1396, "Operation DROP USER failed for %s", name.shown())
	}
	s.accounts = slices.DeleteFunc(s.accounts, func(a *wireAccount) bool { return a.who == name })
	return nil, p.end()
}

// alterUser changes all accounts of the statement or none.
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
			return nil, raise(1396, "Operation ALTER USER failed for %s", i.shown())
		}
		a = a.copied()
		if i.given {
			a.password, a.expired = i.password, false
		}
		changed = append(changed, a)
	}
	if c := s.options(p, changed); c != nil {
		return nil, c
	}
	for _, a := range changed {
		*s.find(a.user, a.host) = *a
	}
	return nil, nil
}

// mayAlter: users may change their own password and nothing else; all else takes CREATE USER.
// Source: MySQL manual, "ALTER USER Statement".
func (s *wireSession) mayAlter(i identity, onlyPassword bool) *code {
	if i.who == s.account.who && i.given && !i.named && onlyPassword {
		return nil
	}
	return s.needs("CREATE USER")
}
