package sqlservertest

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// A parser walks over the tokens of a batch.
type parser struct {
	source string
	tokens []token
	at     int
}

func (p *parser) done() bool { return p.at == len(p.tokens) }

func (p *parser) syntax() error {
	if p.done() {
		return syntax("end of batch")
	}
	return syntax(p.tokens[p.at].text)
}

// ends reports whether the statement is over: a batch holds one here.
func (p *parser) end() error {
	for p.take(";") {
	}
	if !p.done() {
		return p.syntax()
	}
	return nil
}

// take passes over key words or punctuation if all of them come next.
func (p *parser) take(words ...string) bool {
	if p.at+len(words) > len(p.tokens) {
		return false
	}
	for i, word := range words {
		if !p.tokens[p.at+i].is(word) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) expect(words ...string) error {
	if !p.take(words...) {
		return p.syntax()
	}
	return nil
}

func (p *parser) kind(kinds ...tokenKind) (string, bool) {
	if p.done() || !slices.Contains(kinds, p.tokens[p.at].kind) {
		return "", false
	}
	p.at++
	return p.tokens[p.at-1].text, true
}

// name reads an identifier of at most 128 characters.
func (p *parser) name() (string, error) {
	name, ok := p.kind(wordToken, quotedToken)
	if !ok || name == "" {
		return "", p.syntax()
	}
	if len(utf16.Encode([]rune(name))) > 128 {
		return "", &sqlError{103, 15, "The identifier that starts with '" + name[:10] + "' is too long. Maximum length is 128."}
	}
	return name, nil
}

// path reads a name of up to three parts.
func (p *parser) path() (parts []string, err error) {
	for {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		if parts = append(parts, name); len(parts) == 3 || !p.take(".") {
			return parts, nil
		}
	}
}

// text reads a literal.
func (p *parser) text() (string, error) {
	text, ok := p.kind(stringToken)
	if !ok {
		return "", p.syntax()
	}
	return text, nil
}

// words reads key words up to one of the stops, in upper case: the name of a
// permission.
func (p *parser) words(stops ...string) string {
	var all []string
	for !p.done() && p.tokens[p.at].kind == wordToken && !slices.ContainsFunc(stops, p.tokens[p.at].is) {
		all = append(all, strings.ToUpper(p.tokens[p.at].text))
		p.at++
	}
	return strings.Join(all, " ")
}

// list reads items between commas.
func (p *parser) list(item func() error) error {
	for {
		if err := item(); err != nil {
			return err
		}
		if !p.take(",") {
			return nil
		}
	}
}

// names reads names between parentheses, if there are any.
func (p *parser) names() (all []string, err error) {
	if !p.take("(") {
		return nil, nil
	}
	err = p.list(func() error {
		name, err := p.name()
		all = append(all, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, p.expect(")")
}

// rest passes over whatever is left.
func (p *parser) rest() { p.at = len(p.tokens) }
