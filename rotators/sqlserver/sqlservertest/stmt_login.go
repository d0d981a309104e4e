package sqlservertest

import (
	"slices"
	"strings"
)

// minPassword is what the policy of this server asks for.
const minPassword = 8

// A passwordClause is PASSWORD = '...' and what may follow it.
type passwordClause struct {
	given        bool
	password     string
	old          *string
	must, unlock bool
}

func (p *parser) passwordClause() (c passwordClause, err error) {
	c.given = true
	if err = p.expect("="); err != nil {
		return c, err
	}
	if c.password, err = p.text(); err != nil {
		return c, err
	}
	for {
		switch {
		case p.take("must_change"):
			c.must = true
		case p.take("unlock"):
			c.unlock = true
		case p.take("old_password", "="):
			old, err := p.text()
			if err != nil {
				return c, err
			}
			c.old = &old
		default:
			return c, nil
		}
	}
}

// loginOptions reads what follows WITH, into l.
func (p *parser) loginOptions(l *login) (c passwordClause, err error) {
	err = p.list(func() error {
		switch {
		case p.take("password"):
			c, err = p.passwordClause()
			return err
		case p.take("default_database", "="):
			l.database, err = p.name()
		case p.take("default_language", "="):
			l.language, err = p.name()
		case p.take("credential", "="):
			l.credential, err = p.name()
		case p.take("no", "credential"):
			l.credential = ""
		case p.take("check_policy", "="):
			l.policy, err = p.onOff()
		case p.take("check_expiration", "="):
			l.expiry, err = p.onOff()
		default:
			return p.syntax()
		}
		return err
	})
	if err == nil && l.expiry && !l.policy {
		return c, raise(15122, "The CHECK_EXPIRATION option cannot be used when CHECK_POLICY is OFF.")
	}
	return c, err
}

func (p *parser) onOff() (bool, error) {
	if p.take("on") {
		return true, nil
	}
	return false, p.expect("off")
}

func createLogin(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	switch {
	case !s.mayOnServer("ALTER ANY LOGIN", target{class: classServer}):
		return raise(15247, "User does not have permission to perform this action.")
	case strings.Contains(name, `\`):
		return raise(15006, "'%s' is not a valid name because it contains invalid characters.", name)
	case s.server.catalog.login(name) != nil:
		return raise(15025, "The server principal '%s' already exists.", name)
	}
	if err := p.expect("with"); err != nil {
		return err
	}
	l := &login{policy: true, database: "master", language: "us_english"}
	c, err := p.loginOptions(l)
	if err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return err
	}
	if !c.given {
		return syntax(name)
	}
	if err := l.accepts(c.password); err != nil {
		return err
	}
	made := s.server.catalog.addLogin(name, c.password)
	made.policy, made.expiry, made.mustSet = l.policy, l.expiry, c.must
	made.database, made.language, made.credential = l.database, l.language, l.credential
	return nil
}

func alterLogin(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	l := s.server.catalog.login(name)
	if l == nil || l.kind == "R" {
		return cannot("alter", "login", name)
	}
	alters := s.mayOnServer("ALTER", target{class: classLogin, major: l.id})
	if add := p.take("add", "credential"); add || p.take("drop", "credential") {
		return s.keyCredential(p, l, add)
	}
	if p.take("enable") || p.take("disable") {
		l.disabled = p.tokens[p.at-1].is("disable")
		if !alters || s.protected(l) {
			return cannot("alter", "login", name)
		}
		return p.end()
	}
	if err := p.expect("with"); err != nil {
		return err
	}
	changed := *l
	c, err := p.loginOptions(&changed)
	if err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return err
	}
	if l.mustSet && (l.policy && !changed.policy || l.expiry && !changed.expiry) {
		return raise(15128, "The CHECK_POLICY and CHECK_EXPIRATION options cannot be turned OFF when MUST_CHANGE is ON.")
	}
	if c.given {
		err = s.setPassword(&changed, l, c, alters)
	} else if !alters {
		err = cannot("alter", "login", name)
	}
	if err == nil {
		*l = changed
	}
	return err
}

// keyCredential gives a login the credential of a provider of keys, or takes it.
func (s *session) keyCredential(p *parser, l *login, add bool) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	if !s.hasOnServer("ALTER ANY CREDENTIAL") {
		return cannot("alter", "login", l.name)
	}
	l.keys = slices.DeleteFunc(l.keys, func(o string) bool { return o == name })
	if add {
		l.keys = append(l.keys, name)
	}
	return p.end()
}

// protected reports whether only one with CONTROL SERVER may reset the login.
func (s *session) protected(l *login) bool {
	c := s.server.catalog
	high := c.login("sysadmin").members[l.id] || slices.ContainsFunc(c.permissions, func(p *permission) bool {
		return p.grantee == l.id && p.name == "CONTROL SERVER" && p.state != 'D'
	})
	return high && !s.mayOnServer("CONTROL SERVER", target{class: classServer})
}

// setPassword sets a login's password: by an administrator, or by the login
// itself with the old one.
func (s *session) setPassword(l, was *login, c passwordClause, alters bool) error {
	own := s.login == was && c.old != nil
	switch {
	case own && *c.old != was.password, !own && (!alters || s.protected(was)):
		return cannot("alter", "login", l.name)
	case own && l.policy && slices.Contains(append(l.used, l.password), c.password):
		return raise(15115, "Password validation failed. The password cannot be used at this time.")
	}
	if err := l.accepts(c.password); err != nil {
		return err
	}
	l.used = append(slices.Clone(l.used), l.password)
	l.password, l.mustSet, l.expired = c.password, c.must, false
	if c.unlock {
		l.locked, l.failures = false, 0
	}
	return nil
}

// accepts applies the policy to a password.
func (l *login) accepts(password string) error {
	if n := len(utf16Bytes(password)) / 2; n > 128 {
		return raise(15117, "Password validation failed. The password does not meet the operating system policy requirements because it is too long.")
	} else if l.policy && n < minPassword {
		return raise(15116, "Password validation failed. The password does not meet the operating system policy requirements because it is too short.")
	}
	kinds := 0
	for _, set := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"} {
		if strings.ContainsAny(password, set) {
			kinds++
		}
	}
	if l.policy && kinds < 2 {
		return raise(15118, "Password validation failed. The password does not meet the operating system policy requirements because it is not complex enough.")
	}
	return nil
}

func dropLogin(p *parser, s *session) error {
	name, err := p.name()
	if err != nil {
		return err
	}
	l := s.server.catalog.login(name)
	if l == nil || !s.mayOnServer("ALTER ANY LOGIN", target{class: classServer}) {
		return cannot("drop", "login", name)
	}
	s.server.catalog.drop(l)
	return p.end()
}
