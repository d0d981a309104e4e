package mysqltest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A wireToken is one lexeme of a statement.
type wireToken struct {
	kind       byte   // 'w' word, 'n' name in backticks, 't' text in quotes, 's' symbol
	value      string // without its quotes
	start, end int
}

// A parser walks over the tokens of one statement.
type parser struct {
	source string
	tokens []wireToken
	at     int
}

// parse cuts a statement. Comments count as white space, but hints too: the server plans nothing.
func parse(source string) (*parser, *code) {
	p := &parser{source: source}
	for i := 0; i < len(source); {
		switch c := source[i]; {
		case strings.IndexByte(" \t\r\n;", c) >= 0:
			i++
		case strings.HasPrefix(source[i:], "/*"):
			end := strings.Index(source[i:], "*/")
			if end < 0 {
				return nil, p.syntax()
			}
			i += end + 2
		case c == '`' || c == '\'':
			value, size, ok := cutQuoted(source[i:], c)
			if !ok {
				return nil, p.syntax()
			}
			p.tokens = append(p.tokens, wireToken{map[byte]byte{'`': 'n', '\'': 't'}[c], value, i, i + size})
			i += size
		case isWordByte(c):
			start := i
			for i < len(source) && isWordByte(source[i]) {
				i++
			}
			p.tokens = append(p.tokens, wireToken{'w', source[start:i], start, i})
		default:
			p.tokens = append(p.tokens, wireToken{'s', source[i : i+1], i, i + 1})
			i++
		}
	}
	return p, nil
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_$", c) >= 0 || c >= utf8.RuneSelf
}

// cutQuoted cuts a quoted name or text; in texts a backslash escapes, as no sql_mode is set that says otherwise.
func cutQuoted(s string, q byte) (value string, size int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == q && i+1 < len(s) && s[i+1] == q:
			i++
			b.WriteByte(q)
		case s[i] == q:
			return b.String(), i + 1, true
		case s[i] == '\\' && q == '\'' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}

func (p *parser) done() bool { return p.at == len(p.tokens) }

// syntax is the error of the grammar. The real one quotes the statement, and so does this.
func (p *parser) syntax() *code {
	near := p.source
	if p.at < len(p.tokens) {
		near = p.source[p.tokens[p.at].start:]
	}
	return raise(1064, "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '%.80s' at line 1", near)
}

// end makes sure that nothing is left.
func (p *parser) end() *code {
	if !p.done() {
		return p.syntax()
	}
	return nil
}

// peek reports whether a word or symbol is so many tokens ahead.
func (p *parser) peek(ahead int, word string) bool {
	if p.at+ahead >= len(p.tokens) {
		return false
	}
	t := p.tokens[p.at+ahead]
	return (t.kind == 'w' || t.kind == 's') && strings.EqualFold(t.value, word)
}

// take passes over words and symbols if all of them come next.
func (p *parser) take(words ...string) bool {
	for i, w := range words {
		if !p.peek(i, w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

// expect is take for what has to be there.
func (p *parser) expect(words ...string) *code {
	if !p.take(words...) {
		return p.syntax()
	}
	return nil
}

// kind passes over a token of one of some kinds.
func (p *parser) kind(kinds string) (string, *code) {
	if p.done() || strings.IndexByte(kinds, p.tokens[p.at].kind) < 0 {
		return "", p.syntax()
	}
	p.at++
	return p.tokens[p.at-1].value, nil
}

// list reads one or more things with commas between them.
func list[T any](p *parser, one func() (T, *code)) (all []T, c *code) {
	for {
		item, c := one()
		if c != nil {
			return nil, c
		}
		all = append(all, item)
		if !p.take(",") {
			return all, nil
		}
	}
}

// A who names an account.
type who struct{ user, host string }

func (w who) String() string { return quote(w.user) + "@" + quote(w.host) }

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// account reads 'user'@'host', in any quotes. Without a host it is %.
func (p *parser) account() (who, *code) {
	user, c := p.kind("wnt")
	if c != nil {
		return who{}, c
	}
	w := who{user, "%"}
	if p.take("@") {
		w.host, c = p.kind("wnt")
	}
	return w, c
}

// object reads what a privilege is on, and gives it MySQL's own quotes.
func (p *parser) object() (string, *code) {
	prefix := ""
	for _, word := range []string{"PROCEDURE", "FUNCTION"} {
		if p.take(word) {
			prefix = word + " "
		}
	}
	p.take("TABLE")
	parts := []string{"", ""}
	for i := range parts {
		if i == 1 {
			if c := p.expect("."); c != nil {
				return "", c
			}
		}
		if p.take("*") {
			parts[i] = "*"
			continue
		}
		name, c := p.kind("wn")
		if c != nil {
			return "", c
		}
		parts[i] = quote(name)
	}
	return prefix + parts[0] + "." + parts[1], nil
}

// privileges reads a list of privileges, one for each column.
func (p *parser) privileges() (all []string, c *code) {
	names, c := list(p, func() ([]string, *code) {
		var words, columns []string
		for !p.done() && p.tokens[p.at].kind == 'w' && !p.peek(0, "ON") && !p.peek(0, "TO") && !p.peek(0, "FROM") {
			words = append(words, strings.ToUpper(p.tokens[p.at].value))
			p.at++
		}
		if len(words) == 0 {
			return nil, p.syntax()
		}
		name := strings.Join(words, " ")
		if !p.take("(") {
			return []string{name}, nil
		}
		columns, c := list(p, func() (string, *code) { return p.kind("wn") })
		if c != nil {
			return nil, c
		}
		for i := range columns {
			columns[i] = name + " (" + quote(columns[i]) + ")"
		}
		return columns, p.expect(")")
	})
	return slices.Concat(names...), c
}

// withoutPasswords is the statement as MySQL logs it.
// Source: MySQL manual, 8.1.2.3 "Passwords and Logging".
func (p *parser) withoutPasswords() string {
	var b strings.Builder
	last := 0
	for i, t := range p.tokens {
		if i > 0 && t.kind == 't' && p.tokens[i-1].kind == 'w' && slices.Contains([]string{"BY", "REPLACE"}, strings.ToUpper(p.tokens[i-1].value)) {
			b.WriteString(p.source[last:t.start] + "<secret>")
			last = t.end
		}
	}
	return b.String() + p.source[last:]
}
