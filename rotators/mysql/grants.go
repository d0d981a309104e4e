package mysql

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A grant is one line of SHOW GRANTS. Names are in backticks, whatever the server
// quoted them with.
type grant struct {
	denied     bool // REVOKE: MySQL's partial revokes
	privileges []privilege
	object     string // after ON: `db`.*, `db`.`table`, PROCEDURE `db`.`name`, *.*; of PROXY, an account
	roles      []string
	defaults   []string // of SET DEFAULT ROLE, which MariaDB prints too
	grantee    string   // "" is the account that was asked for
	option     bool     // WITH GRANT OPTION or WITH ADMIN OPTION
}

// A privilege may be of single columns.
type privilege struct {
	name    string
	columns []string
}

var errGrant = errors.New("it is not understood")

// parseGrant reads a line of SHOW GRANTS FOR a. The end of what is granted is
// found by the tokens before it, and never by the text " TO ", which may be
// part of a name; the grantee is recognised by its own quoted forms, of which
// MySQL 5.7's has its name in it as it is.
func parseGrant(line string, a account) (g grant, err error) {
	if rest, ok := cutWords(line, "SET", "DEFAULT", "ROLE"); ok {
		return parseDefaultRole(rest, a)
	}
	preposition := "TO"
	rest, ok := cutWords(line, "GRANT")
	if !ok {
		preposition, g.denied = "FROM", true
		rest, ok = cutWords(line, "REVOKE")
	}
	if !ok {
		return g, errGrant
	}
	found, rest, err := cutItems(rest, "ON", preposition)
	if err != nil {
		return g, err
	}
	if found.end.is("ON") {
		g.privileges = found.privileges()
		if g.denied && !slices.ContainsFunc(g.privileges, func(p privilege) bool { return p.name != "" }) {
			g.privileges = []privilege{{name: grantOption}} // which MySQL leaves out (seen on 9.7.4)
		}
		if found, rest, err = cutItems(rest, preposition); err != nil {
			return g, err
		}
		if g.object = found.object(); len(g.privileges) == 1 && g.privileges[0].name == "PROXY" {
			if g.object, err = proxied(found); err != nil {
				return g, err
			}
		}
	} else {
		g.roles = found.names()
	}
	if g.grantee, rest, err = cutGrantee(rest, a); err != nil {
		return g, err
	}
	g.option, err = hasOption(rest)
	return g, err
}

// proxied is the account that another may act as, in one form. MariaDB up to
// 11.4 has it in single quotes, in which the names are as they are: one that
// could mean something else is not understood.
func proxied(found items) (string, error) {
	t := found.list[0]
	if len(found.list) != 1 || len(t) != 3 || !t[1].is("@") {
		return "", errGrant
	}
	for _, name := range []token{t[0], t[2]} {
		if name.kind == textToken && name.raw != "'"+name.value+"'" {
			return "", errGrant
		}
	}
	return account{t[0].value, t[2].value}.String(), nil
}

// parseDefaultRole reads what follows SET DEFAULT ROLE.
func parseDefaultRole(text string, a account) (g grant, err error) {
	found, rest, err := cutItems(text, "FOR")
	if err == nil {
		g.grantee, _, err = cutGrantee(rest, a)
	}
	g.defaults = found.names()
	return g, err
}

// items are a list with commas, and the word that ended it.
type items struct {
	list [][]token
	end  token
}

// cutItems cuts a list off a text, up to one of some words outside brackets and
// quotes.
func cutItems(text string, words ...string) (items, string, error) {
	l := lexer{source: text}
	found := items{list: [][]token{nil}}
	depth := 0
	for {
		t, err := l.next()
		if err != nil {
			return found, "", err
		}
		switch {
		case t.kind == endToken:
			return found, "", errGrant
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case t.is(",") && depth == 0:
			found.list = append(found.list, nil)
			continue
		}
		for _, w := range words {
			if depth == 0 && t.is(w) {
				found.end = t
				return found, text[t.end:], nil
			}
		}
		n := len(found.list) - 1
		found.list[n] = append(found.list[n], t)
	}
}

// names are the items as names, each with a host or without.
func (i items) names() []string {
	var all []string
	for _, tokens := range i.list {
		if len(tokens) > 0 {
			all = append(all, quoteAnew(tokens))
		}
	}
	return all
}

// object is what is granted on: PROCEDURE `db`.`name`, `db`.*, *.*.
func (i items) object() string {
	tokens, kind := i.list[0], ""
	for len(tokens) > 1 && tokens[0].kind == wordToken && !tokens[1].is(".") {
		kind += strings.ToUpper(tokens[0].raw) + " "
		tokens = tokens[1:]
	}
	return kind + quoteAnew(tokens)
}

// quoteAnew writes names in one form. A server can keep a name as a session with
// ANSI_QUOTES wrote it, and show it so to others (MySQL 9.7, of what roles
// hold).
func quoteAnew(tokens []token) string {
	text := ""
	for _, t := range tokens {
		if t.kind == symbolToken {
			text += t.raw
		} else {
			text += ident(t.value)
		}
	}
	return text
}

// privileges are the items as words with columns after them. Old servers do not
// quote columns.
func (i items) privileges() []privilege {
	var all []privilege
	for _, tokens := range i.list {
		var p privilege
		var words []string
		for _, t := range tokens {
			switch {
			case t.kind == nameToken:
				p.columns = append(p.columns, ident(t.value))
			case t.kind == wordToken && len(words) > 0 && p.columns != nil:
				p.columns = append(p.columns, ident(t.value))
			case t.kind == wordToken:
				words = append(words, strings.ToUpper(t.raw))
			case t.is("("):
				p.columns = []string{}
			}
		}
		p.name = strings.Join(words, " ")
		all = append(all, p)
	}
	return all
}

// cutWords cuts key words off the start of a text.
func cutWords(text string, words ...string) (rest string, ok bool) {
	l := lexer{source: text}
	for _, w := range words {
		if t, err := l.next(); err != nil || !t.is(w) {
			return text, false
		}
	}
	return text[l.at:], true
}

// cutAccount cuts an account off the start of a text, however the server has
// quoted it: a proxy may have lost the settings of the session.
func cutAccount(text string, a account) (rest string, ok bool) {
	text = strings.TrimLeft(text, " ")
	raw := "'" + a.user + "'@'" + a.host + "'" // MySQL 5.7
	if rest, ok := strings.CutPrefix(text, raw); ok && (rest == "" || rest[0] == ' ') {
		return rest, true
	}
	l := lexer{source: text}
	for _, part := range []string{a.user, "@", a.host} {
		if t, err := l.next(); err != nil || t.kind == endToken || t.value != part {
			return text, false
		}
	}
	return text[l.at:], true
}

// cutGrantee cuts the grantee off the start of a text: the account that was
// asked for, or a role of it.
func cutGrantee(text string, a account) (grantee, rest string, err error) {
	if rest, ok := cutAccount(text, a); ok {
		return "", rest, nil
	}
	l := lexer{source: text}
	t, err := l.next()
	if err != nil || t.kind == endToken {
		return "", "", errors.Join(err, errGrant)
	}
	end := t.end
	if at, err := l.next(); err == nil && at.is("@") && at.start == end { // MySQL's roles have a host
		host, err := l.next()
		if err != nil {
			return "", "", err
		}
		end = host.end
	}
	return text[t.start:end], text[end:], nil
}

// option is how a line ends that grants an option, or limits what an account
// may use. MariaDB has the password's hash and REQUIRE before it, with texts
// that may say what they like, but always end in a quote.
var option = regexp.MustCompile(`(?:^| )WITH(?: (GRANT|ADMIN) OPTION)?(?: MAX_[A-Z_]+ [0-9.]+)*$`)

// hasOption reports whether GRANT OPTION or ADMIN OPTION is at the end of what
// follows the grantee.
func hasOption(tail string) (bool, error) {
	tail = strings.TrimSpace(tail)
	found := option.FindStringSubmatch(tail)
	known := tail == "" || strings.HasPrefix(tail, "IDENTIFIED ") || strings.HasPrefix(tail, "REQUIRE ") || found != nil && strings.HasPrefix(tail, "WITH")
	if !known {
		return false, errGrant
	}
	return found != nil && found[1] != "", nil
}

// ownHoldings is what the session may do, its active roles included: SHOW
// GRANTS by itself counts them, on MariaDB and on MySQL 8. It may have lines
// that are not understood, and that are in the way of nobody who finds what he
// looks for.
func (c *conn) ownHoldings(ctx context.Context) (*holdings, error) {
	f, err := c.settle(ctx)
	if err != nil {
		return nil, err
	}
	return c.readHoldings(ctx, "SHOW GRANTS", f.self)
}

// holdingsOf is all that was granted to an account itself.
func (c *conn) holdingsOf(ctx context.Context, f *facts, a account) (*holdings, error) {
	h, err := c.readHoldings(ctx, "SHOW GRANTS FOR "+a.String(), a)
	if isPrivilege(err) {
		return nil, c.lacks(err, f, "GRANT SELECT ON mysql.* TO "+f.self.String())
	}
	if err == nil && f.maria {
		err = c.lend(ctx, f, a, h)
	}
	if err != nil {
		return nil, err
	}
	return h, h.whole(a)
}

// lend looks for default roles that MariaDB lets an account have because they were
// granted to another one of the user, whose host takes in this one's (seen on 10.11.18, 11.4.5 and 11.8.9).
func (c *conn) lend(ctx context.Context, f *facts, a account, h *holdings) error {
	for _, role := range h.defaults {
		if _, ok := h.roles[role]; ok {
			continue
		}
		l := lexer{source: role}
		name, err := l.next()
		if err != nil {
			return err
		}
		rows, err := c.rows(ctx, "SELECT User, Host FROM mysql.roles_mapping WHERE User = "+literal(a.user)+" AND Role = "+literal(name.value))
		if err != nil {
			return c.lacks(err, f, "GRANT SELECT ON mysql.* TO "+f.self.String())
		}
		h.lent[role] = slices.ContainsFunc(rows, func(row []string) bool { return row[0] == a.user && serves(row[1], a.host) })
	}
	return nil
}

func (c *conn) readHoldings(ctx context.Context, query string, a account) (*holdings, error) {
	lines, err := c.column(ctx, query)
	if err != nil {
		return nil, fault(err)
	}
	h := newHoldings()
	for _, line := range lines {
		h.read(line, a)
	}
	return h, nil
}

// read counts a line of SHOW GRANTS, or keeps it in unread.
func (h *holdings) read(line string, a account) {
	g, err := parseGrant(line, a)
	if err != nil {
		h.unread = append(h.unread, redact(line))
		return
	}
	h.add(g)
}

// whole fails if something that was granted is not understood.
func (h *holdings) whole(a account) error {
	if len(h.unread) == 0 {
		return nil
	}
	return notUnderstood("SHOW GRANTS", a, h.unread).
		With("REVOKE that from the account, or use ROTATION_STRATEGY=single-user, which does not need it; and report these words.")
}

// notUnderstood is the failure of what needs words of the server's that this
// package does not know: what cannot be read can be neither copied nor compared.
// The words are without what they quote.
func notUnderstood(query string, a account, words []string) *rotation.Fault {
	return rotation.Fail(rotation.FewerRights, "%s has something that Rotor does not know, so that another user may have less. %s says of it: %s", a, query, strings.Join(words, "; "))
}
