package redshifttest

import (
	"strconv"
	"strings"
)

// An action is what a statement does to the catalog.
type action func(c *catalog, s *session) error

// A parser walks over the tokens of one statement.
type parser struct {
	source string
	tokens []token
	at     int
	fold   bool // quoted names lose their upper-case letters, as they do by default
}

func (p *parser) done() bool { return p.at == len(p.tokens) }

func (p *parser) syntax() error {
	if p.done() {
		return raise("42601", "syntax error at end of input")
	}
	return raise("42601", "syntax error at or near %q", p.tokens[p.at].text)
}

func (p *parser) end() error {
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
	if p.done() {
		return "", false
	}
	for _, k := range kinds {
		if p.tokens[p.at].kind == k {
			p.at++
			return p.tokens[p.at-1].text, true
		}
	}
	return "", false
}

// user reads a user's name, which keeps its case in quotes.
func (p *parser) user() (string, error) {
	name, ok := p.kind(wordToken, quotedToken)
	if !ok {
		return "", p.syntax()
	}
	return name, nil
}

// name reads the name of anything else.
func (p *parser) name() (string, error) {
	name, err := p.user()
	if p.fold {
		name = strings.ToLower(name)
	}
	return name, err
}

func (p *parser) text() (string, error) {
	text, ok := p.kind(stringToken)
	if !ok {
		return "", p.syntax()
	}
	return text, nil
}

func (p *parser) number() (int, error) {
	digits, ok := p.kind(numberToken)
	if !ok {
		return 0, p.syntax()
	}
	return strconv.Atoi(digits)
}

// rest passes over whatever is left.
func (p *parser) rest() { p.at = len(p.tokens) }

// arguments reads the types of a routine: (integer, character varying).
func (p *parser) arguments() (string, error) {
	if err := p.expect("("); err != nil {
		return "", err
	}
	var b strings.Builder
	for !p.take(")") {
		if p.done() {
			return "", p.syntax()
		}
		t := p.tokens[p.at]
		p.at++
		switch {
		case t.is(","):
			b.WriteString(", ")
			continue
		case b.Len() > 0 && !strings.HasSuffix(b.String(), " "):
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String(), nil
}

// object reads the name of an object of a kind.
func (p *parser) object(kind string) (object, error) {
	o := object{kind: kind}
	var err error
	if o.name, err = p.name(); err != nil {
		return o, err
	}
	if p.take(".") {
		o.schema = o.name
		if o.name, err = p.name(); err != nil {
			return o, err
		}
	}
	if kind == "function" || kind == "procedure" {
		o.arguments, err = p.arguments()
	}
	return o, err
}

// parse reads a statement that changes the catalog.
func parse(p *parser) (action, error) {
	for _, form := range []struct {
		start []string
		parse func(*parser) (action, error)
	}{
		{[]string{"create", "user"}, createUser}, {[]string{"alter", "user"}, alterUser}, {[]string{"drop", "user"}, dropUser},
		{[]string{"create", "group"}, createGroup}, {[]string{"alter", "group"}, alterGroup}, {[]string{"drop", "group"}, dropGroup},
		{[]string{"create", "role"}, createRole}, {[]string{"drop", "role"}, dropRole},
		{[]string{"grant", "role"}, grantRole}, {[]string{"revoke", "role"}, revokeRole},
		{[]string{"grant", "alter", "user"}, grantPower}, {[]string{"grant", "assumerole"}, grantAssumeRole}, {[]string{"revoke", "assumerole"}, revokeAssumeRole},
		{[]string{"grant"}, grantPrivileges}, {[]string{"revoke"}, revokePrivileges},
		{[]string{"create", "rls", "policy"}, createPolicy}, {[]string{"create", "masking", "policy"}, createPolicy},
		{[]string{"attach"}, attach}, {[]string{"detach"}, detach},
		{[]string{"alter", "default", "privileges"}, alterDefaults},
		{[]string{"create"}, createObject}, {[]string{"alter"}, alterOwner}, {[]string{"drop"}, dropObject},
	} {
		if p.take(form.start...) {
			return form.parse(p)
		}
	}
	return nil, unknown(p.source)
}
