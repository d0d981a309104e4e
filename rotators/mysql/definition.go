package mysql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A definition is what SHOW CREATE USER says of an account, without its name.
type definition struct {
	ways    []authentication
	require string // after REQUIRE; NONE if nothing
	limits  map[string]string
	expire  string // after PASSWORD EXPIRE: DEFAULT, NEVER, INTERVAL ...
	expired bool   // PASSWORD EXPIRE by itself: the password has to be changed
	locked  bool
	policy  []string // MySQL's other clauses, as they are
	roles   string   // MySQL: after DEFAULT ROLE; NONE if nothing
}

// definitionOf asks for an account; the session's own needs no privilege.
func (c *conn) definitionOf(ctx context.Context, f *facts, a account) (definition, error) {
	query := "SHOW CREATE USER " + a.String()
	if a == f.self {
		query = "SHOW CREATE USER CURRENT_USER()"
	}
	rows, err := c.column(ctx, query)
	if err != nil {
		return definition{}, c.lacks(err, f, "GRANT SELECT ON mysql.* TO "+f.self.String())
	}
	if len(rows) != 1 {
		return definition{}, fmt.Errorf("SHOW CREATE USER answered with %d rows", len(rows))
	}
	text, require := rows[0], ""
	if at := rawRequire(text); !f.maria && at >= 0 {
		if text, require, err = c.requirement(ctx, f, a, text, at); err != nil {
			return definition{}, err
		}
	}
	d, err := parseDefinition(text, a)
	if err != nil {
		return d, fmt.Errorf("reading what SHOW CREATE USER says of %s: %w", a, err)
	}
	if require != "" {
		d.require = require
	}
	return d, nil
}

// rawRequire finds where an account's demands on certificates begin, or is -1.
func rawRequire(text string) int {
	for _, first := range []string{"SUBJECT", "ISSUER", "CIPHER"} {
		if at := strings.Index(text, " REQUIRE "+first+" '"); at >= 0 {
			return at
		}
	}
	return -1
}

// requirement takes an account's demands on certificates out of its definition,
// and quotes them anew: MySQL prints them as they are, quotes and backslashes
// included (rewrite_ssl_properties in sql_rewrite.cc). They come from the table,
// which the session's own account may not read; of that one only what stands
// before them matters.
func (c *conn) requirement(ctx context.Context, f *facts, a account, text string, at int) (rest, require string, err error) {
	if a == f.self {
		return text[:at], "", nil
	}
	rows, err := c.rows(ctx, "SELECT x509_subject, x509_issuer, ssl_cipher FROM mysql.user WHERE User = "+literal(a.user)+" AND Host = "+literal(a.host))
	if err != nil {
		return "", "", c.lacks(err, f, "GRANT SELECT ON mysql.* TO "+f.self.String())
	}
	if len(rows) != 1 {
		return "", "", rotation.Fail(rotation.NoUser, "the account %s is gone", a)
	}
	raw, quoted := " REQUIRE", ""
	for i, name := range []string{"SUBJECT", "ISSUER", "CIPHER"} {
		if value := rows[0][i]; value != "" {
			raw += " " + name + " '" + value + "'"
			quoted += " " + name + " " + literal(value)
		}
	}
	before, after, ok := strings.Cut(text, raw)
	if !ok {
		return "", "", fmt.Errorf("reading what SHOW CREATE USER says of %s: %w", a, errDefinition)
	}
	return before + after, strings.TrimSpace(quoted), nil
}

var errDefinition = errors.New("it is not understood")

// clauses start the parts of a definition.
var clauses = []string{"IDENTIFIED", "REQUIRE", "WITH", "PASSWORD", "ACCOUNT", "DEFAULT", "FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME", "ATTRIBUTE", "COMMENT"}

// parseDefinition reads CREATE USER <account> <clauses>, in the dialects of
// MariaDB and of MySQL from 5.7 on.
func parseDefinition(text string, a account) (definition, error) {
	d := definition{require: "NONE", limits: map[string]string{}, expire: "DEFAULT", roles: "NONE"}
	rest, ok := cutWords(text, "CREATE", "USER")
	if !ok {
		return d, errDefinition
	}
	if rest, ok = cutAccount(rest, a); !ok {
		return d, errDefinition
	}
	tokens, err := lex(rest)
	if err != nil {
		return d, err
	}
	for _, part := range split(tokens) {
		if err := d.add(rest, part); err != nil {
			return d, err
		}
	}
	if len(d.ways) == 0 {
		d.ways = []authentication{{plugin: native, has: true}} // MariaDB leaves an empty password out
	}
	return d, nil
}

// split cuts tokens into clauses: each starts with its key word, which may not
// be a word of the clause before.
func split(tokens []token) [][]token {
	var parts [][]token
	for i, t := range tokens {
		if t.kind == endToken {
			break
		}
		starts := slices.ContainsFunc(clauses, t.is) && !within(tokens[:i], t)
		if starts || len(parts) == 0 {
			parts = append(parts, nil)
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], t)
	}
	return parts
}

// within reports whether t, a key word, belongs to the words before it.
func within(before []token, t token) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	switch {
	case t.is("PASSWORD"): // IDENTIFIED BY PASSWORD 'hash'
		return last.is("BY")
	case t.is("DEFAULT"): // PASSWORD EXPIRE DEFAULT, PASSWORD REUSE INTERVAL DEFAULT
		return last.is("EXPIRE") || last.is("HISTORY") || last.is("INTERVAL") || last.is("CURRENT")
	case t.is("REQUIRE"): // PASSWORD REQUIRE CURRENT
		return last.is("PASSWORD")
	case t.is("WITH"): // IDENTIFIED WITH 'plug-in'
		return last.is("IDENTIFIED")
	case t.is("IDENTIFIED"): // a second factor
		return last.is("AND")
	}
	return false
}

// add reads one clause.
func (d *definition) add(source string, part []token) error {
	text := source[part[0].start:part[len(part)-1].end]
	after := func(n int) string { return strings.TrimSpace(source[part[n-1].end:part[len(part)-1].end]) }
	second := ""
	if len(part) > 1 {
		second = strings.ToUpper(part[1].raw)
	}
	switch first := strings.ToUpper(part[0].raw); {
	case first == "IDENTIFIED":
		return d.identified(part[1:])
	case first == "REQUIRE":
		d.require = after(1)
	case first == "WITH":
		for i := 1; i+1 < len(part); i++ {
			if part[i].kind == wordToken && strings.HasPrefix(part[i].raw, "MAX_") {
				d.limits[part[i].raw] = number(part[i+1:])
			}
		}
	case first == "PASSWORD" && second == "EXPIRE" && len(part) == 2:
		d.expired = true
	case first == "PASSWORD" && second == "EXPIRE":
		d.expire = after(2)
	case first == "ACCOUNT":
		d.locked = second == "LOCK"
	case first == "DEFAULT" && second == "ROLE":
		d.roles = after(2)
	default:
		d.policy = append(d.policy, text)
	}
	return nil
}

// number joins the tokens of a number such as 3.500000.
func number(tokens []token) string {
	text := tokens[0].raw
	if len(tokens) > 2 && tokens[1].is(".") && tokens[1].start == tokens[0].end && tokens[2].start == tokens[1].end {
		text += "." + tokens[2].raw
	}
	return text
}

// identified reads what follows IDENTIFIED: BY PASSWORD 'hash', WITH 'plug-in'
// AS 'hash', or VIA plug-in USING 'hash' OR another.
func (d *definition) identified(part []token) error {
	if len(part) >= 3 && part[0].is("BY") && part[1].is("PASSWORD") {
		d.ways = append(d.ways, authentication{native, part[2].value, true})
		return nil
	}
	if len(part) < 2 || !part[0].is("WITH") && !part[0].is("VIA") {
		return errDefinition
	}
	for i := 1; i < len(part); i++ {
		way := authentication{plugin: part[i].value}
		if i+2 < len(part) && (part[i+1].is("AS") || part[i+1].is("USING")) {
			way.stored, way.has = part[i+2].value, true
			i += 2
		}
		d.ways = append(d.ways, way)
		if i+1 >= len(part) {
			return nil
		}
		if i++; part[i].is("AND") { // further factors are for the copy to lack: nobody could use them here
			return nil
		}
		if !part[i].is("OR") {
			return errDefinition
		}
	}
	return errDefinition
}

var limitNames = []string{"MAX_QUERIES_PER_HOUR", "MAX_UPDATES_PER_HOUR", "MAX_CONNECTIONS_PER_HOUR", "MAX_USER_CONNECTIONS"}

// options are the clauses that make another account alike, apart from the
// password, the lock and the default roles. They say what is the default too:
// the other account may have something else.
func (d definition) options(f *facts) string {
	names := slices.Clone(limitNames)
	if f.maria {
		names = append(names, "MAX_STATEMENT_TIME")
	}
	for name := range maps.Keys(d.limits) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	text := "REQUIRE " + d.require + " WITH"
	for _, name := range names {
		value := d.limits[name]
		if value == "" {
			value = "0"
		}
		text += " " + name + " " + value
	}
	text += " PASSWORD EXPIRE " + d.expire
	for _, p := range d.policy {
		text += " " + p
	}
	return text
}
