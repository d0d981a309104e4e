package mysql

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// A policy is one of MySQL 8's clauses about passwords.
type policy struct {
	name    string
	unshown string // what holds where SHOW CREATE USER says nothing; "" where it always says something
}

const requireCurrent = "PASSWORD REQUIRE CURRENT"

var policies = []policy{
	{name: "PASSWORD HISTORY"},
	{name: "PASSWORD REUSE INTERVAL"},
	{name: requireCurrent},
	{name: "FAILED_LOGIN_ATTEMPTS", unshown: "0"},
	{name: "PASSWORD_LOCK_TIME", unshown: "0"},
}

// demands are what an account wants of a client's certificate, by SUBJECT,
// ISSUER and CIPHER, as the table has them.
type demands map[string]string

var demandNames = []string{"SUBJECT", "ISSUER", "CIPHER"}

// clauseWords start the clauses of a definition. After one that is not
// understood, reading goes on at the next of them.
var clauseWords = []string{"IDENTIFIED", "DEFAULT", "REQUIRE", "WITH", "PASSWORD", "ACCOUNT", "FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME", "ATTRIBUTE", "COMMENT"}

// parseDefinition reads CREATE USER <account> <clauses>, in the dialects of
// MariaDB and of MySQL from 5.7 on. MariaDB may have a second line, ALTER USER,
// of what does not fit into the first. Without want, it reads up to demands on
// certificates, if there are any.
func parseDefinition(lines []string, a account, want demands) definition {
	d := definition{require: "NONE", limits: map[string]string{}, expire: "DEFAULT", policy: map[string]string{}}
	for _, line := range lines {
		rest, ok := cutWords(line, "CREATE", "USER")
		if !ok {
			rest, ok = cutWords(line, "ALTER", "USER")
		}
		if ok {
			rest, ok = cutAccount(rest, a)
		}
		if !ok {
			d.unread = append(d.unread, redact(line))
			continue
		}
		d.read(&lexer{source: rest}, want)
	}
	if len(lines) > 0 && d.factors == 0 && len(d.unread) == 0 {
		d.ways, d.factors = []authentication{{plugin: native, has: true}}, 1 // MariaDB leaves an empty password out
	}
	return d
}

// read reads clauses. Those that are not understood it keeps in unread.
func (d *definition) read(l *lexer, want demands) {
	for !l.done() {
		before := *l
		if d.clause(l, want) {
			continue
		}
		*l = before
		d.unread = append(d.unread, l.skipClause())
	}
}

// clause reads one clause, and reports whether it is understood.
func (d *definition) clause(l *lexer, want demands) bool {
	switch {
	case l.take("IDENTIFIED"):
		d.factors++
		return d.identified(l)
	case l.take("AND", "IDENTIFIED"): // of which Rotor makes no use
		d.factors++
		_, ok := l.factor()
		return ok
	case l.take("DEFAULT", "ROLE"):
		var ok bool
		d.roles, ok = l.accounts()
		d.rolesRead = ok
		return ok
	case l.take("REQUIRE"):
		d.rolesRead = true // they would stand before it
		return d.requires(l, want)
	case l.take("WITH"):
		return d.limited(l)
	case l.take("PASSWORD", "EXPIRE"):
		d.expires(l)
		return true
	case l.take("ACCOUNT", "LOCK"):
		d.locked = true
		return true
	case l.take("ACCOUNT", "UNLOCK"):
		return true
	case l.take("ATTRIBUTE"):
		text, ok := l.text()
		if d.attribute = text; text == "{}" {
			d.attribute = ""
		}
		return ok
	}
	return d.policed(l)
}

// identified reads what follows IDENTIFIED: BY PASSWORD 'hash', WITH 'plug-in'
// AS 'hash', or VIA plug-in USING 'hash' OR another.
func (d *definition) identified(l *lexer) bool {
	switch {
	case l.take("BY", "PASSWORD"):
		stored, ok := l.text()
		if ok {
			d.ways = []authentication{{plugin: native, stored: stored, has: true}}
		}
		return ok
	case l.take("VIA"):
		var ways []authentication
		for {
			w, ok := l.way("USING")
			if !ok {
				return false
			}
			if ways = append(ways, w); !l.take("OR") {
				d.ways = ways
				return true
			}
		}
	}
	w, ok := l.factor()
	if ok {
		d.ways = []authentication{w}
	}
	return ok
}

// factor reads WITH 'plug-in' AS 'hash'.
func (l *lexer) factor() (authentication, bool) {
	if !l.take("WITH") {
		return authentication{}, false
	}
	return l.way("AS")
}

// way reads a plug-in and what the server keeps for it: a text, or bytes
// (print_identified_with_as_hex), or the words <secret>, for whoever may not
// read mysql.user.
func (l *lexer) way(preposition string) (w authentication, ok bool) {
	t, err := l.next()
	if err != nil || t.kind != wordToken && t.kind != textToken {
		return w, false
	}
	w.plugin = t.value
	if !l.take(preposition) {
		return w, true
	}
	if l.take("<", "secret", ">") {
		w.hidden = true
		return w, true
	}
	w.has = true
	if w.stored, ok = l.text(); ok {
		return w, true
	}
	t, err = l.next()
	digits, isHex := strings.CutPrefix(t.raw, "0x")
	stored, herr := hex.DecodeString(digits)
	w.stored = string(stored)
	return w, err == nil && isHex && herr == nil
}

// requires reads what follows REQUIRE. Behind demands on certificates that are
// not known, nothing can be told from what they are.
func (d *definition) requires(l *lexer, want demands) bool {
	for _, word := range []string{"NONE", "SSL", "X509"} {
		if l.take(word) {
			d.require = word
			return true
		}
	}
	if !slices.ContainsFunc(demandNames, func(name string) bool { m := *l; return m.take(name) }) {
		return false
	}
	d.demanding = true
	if want == nil {
		l.at = len(l.source)
		return true
	}
	d.require = ""
	left := maps.Clone(want)
	maps.DeleteFunc(left, func(_, value string) bool { return value == "" })
	for len(left) > 0 {
		i := slices.IndexFunc(demandNames, func(name string) bool { return left[name] != "" && l.take(name) })
		if i < 0 || !l.value(left[demandNames[i]]) {
			return false
		}
		d.require += " " + demandNames[i] + " " + literal(left[demandNames[i]])
		delete(left, demandNames[i])
	}
	d.require = strings.TrimPrefix(d.require, " ")
	return true
}

// value reads a text that is known, in quotes, whether or not the server has
// escaped what is in it.
func (l *lexer) value(known string) bool {
	m := *l
	m.skipSpace()
	if rest, ok := strings.CutPrefix(m.source[m.at:], "'"+known+"'"); ok && (rest == "" || rest[0] == ' ') {
		l.at = len(l.source) - len(rest)
		return true
	}
	text, ok := l.text()
	return ok && text == known
}

// limited reads what follows WITH.
func (d *definition) limited(l *lexer) bool {
	for n := 0; ; n++ {
		before := *l
		t, err := l.next()
		if err != nil || t.kind != wordToken || !strings.HasPrefix(t.raw, "MAX_") {
			*l = before
			return n > 0
		}
		value, ok := l.number()
		if !ok {
			return false
		}
		d.limits[t.raw] = value
	}
}

// expires reads what follows PASSWORD EXPIRE.
func (d *definition) expires(l *lexer) {
	if value, ok := l.setting(); ok {
		d.expire = value
		return
	}
	d.expired = true
}

// policed reads one of MySQL 8's clauses about passwords.
func (d *definition) policed(l *lexer) bool {
	for _, p := range policies {
		if !l.take(strings.Fields(p.name)...) {
			continue
		}
		value, ok := l.setting()
		d.policy[p.name] = value
		return ok || p.name == requireCurrent
	}
	return false
}

// setting reads the value of a clause about passwords, as it stands.
func (l *lexer) setting() (string, bool) {
	for _, word := range []string{"DEFAULT", "NEVER", "OPTIONAL", "UNBOUNDED"} {
		if l.take(word) {
			return word, true
		}
	}
	before, interval := *l, ""
	if l.take("INTERVAL") {
		interval = "INTERVAL "
	}
	value, ok := l.number()
	if !ok {
		*l = before
		return "", false
	}
	if l.take("DAY") {
		value += " DAY"
	}
	return interval + value, true
}
