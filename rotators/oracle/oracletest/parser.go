package oracletest

import (
	"slices"
	"strings"
)

// A parser reads one statement.
type parser struct {
	source string
	tokens []token
	binds  []string
	maxLen int // of names, in bytes
}

func (p *parser) done() bool { return len(p.tokens) == 0 }

// rest reads over what does not matter here.
func (p *parser) rest() { p.tokens = nil }

func (p *parser) syntax() *sqlError { return syntax(p.source) }

// take consumes key words and punctuation, if they are next.
func (p *parser) take(words ...string) bool {
	if len(p.tokens) < len(words) {
		return false
	}
	for i, w := range words {
		if !p.tokens[i].is(w) {
			return false
		}
	}
	p.tokens = p.tokens[len(words):]
	return true
}

// expect is take for what has to come.
func (p *parser) expect(words ...string) *sqlError {
	if p.take(words...) {
		return nil
	}
	return p.syntax()
}

// kind consumes a token of one of the kinds.
func (p *parser) kind(kinds ...tokenKind) (token, bool) {
	if p.done() || !slices.Contains(kinds, p.tokens[0].kind) {
		return token{}, false
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t, true
}

func (p *parser) name() (string, *sqlError) {
	t, ok := p.kind(wordToken, quotedToken)
	if !ok {
		return "", p.syntax()
	}
	if len(t.text) > p.maxLen {
		return "", raise(972, "identifier is too long")
	}
	return t.text, nil
}

// names reads names with commas between.
func (p *parser) names() (all []string, err *sqlError) {
	for len(all) == 0 || p.take(",") {
		n, err := p.name()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// password reads a password in double quotes, or one that needs none.
func (p *parser) password() (string, *sqlError) {
	t, ok := p.kind(quotedToken, wordToken)
	if !ok {
		return "", raise(988, "missing or invalid password(s)")
	}
	if len(t.text) > 30 {
		return "", raise(972, "identifier is too long")
	}
	return t.text, nil
}

// qualified reads a name that may have an owner.
func (p *parser) qualified(schema string) (key, *sqlError) {
	first, err := p.name()
	if err != nil || !p.take(".") {
		return key{schema, first}, err
	}
	second, err := p.name()
	return key{first, second}, err
}

// words consumes key words up to one of the ends, which stays.
func (p *parser) words(ends ...string) string {
	var all []string
	for !p.done() && p.tokens[0].kind == wordToken && !slices.Contains(ends, p.tokens[0].text) {
		all = append(all, p.tokens[0].text)
		p.tokens = p.tokens[1:]
	}
	return strings.Join(all, " ")
}

// value reads a literal or a bind.
func (p *parser) value() (string, *sqlError) {
	t, ok := p.kind(stringToken, bindToken, numberToken)
	if !ok {
		return "", p.syntax()
	}
	if t.kind != bindToken {
		return t.text, nil
	}
	n := 0
	for _, digit := range t.text {
		n = 10*n + int(digit-'0')
	}
	if n < 1 || n > len(p.binds) {
		return "", raise(1008, "not all variables bound")
	}
	return p.binds[n-1], nil
}
