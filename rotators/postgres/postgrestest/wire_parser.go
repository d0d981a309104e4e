package postgrestest

import "strconv"

// A parser walks over the tokens of one statement. Its methods either take what they are named after and move on, or
// return an error like PostgreSQL's grammar; those that return a bool leave the parser where it was when it is false.
type parser struct {
	source string
	tokens []token
	at     int
}

func (p *parser) done() bool { return p.at == len(p.tokens) }

// syntax is the error of the grammar, at the present token.
func (p *parser) syntax() *sqlError {
	if p.done() {
		return raise("42601", "syntax error at end of input")
	}
	t := p.tokens[p.at]
	return raise("42601", "syntax error at or near %q", p.source[t.start:t.end])
}

// end makes sure that nothing is left.
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

// takeOne passes over the one of some key words that comes next, if one does.
func (p *parser) takeOne(words ...string) (string, bool) {
	for _, word := range words {
		if p.take(word) {
			return word, true
		}
	}
	return "", false
}

// expect is take for what has to be there.
func (p *parser) expect(words ...string) error {
	if !p.take(words...) {
		return p.syntax()
	}
	return nil
}

// takeKind passes over a token of a kind.
func (p *parser) takeKind(kinds ...tokenKind) (string, bool) {
	if p.done() {
		return "", false
	}
	for _, kind := range kinds {
		if p.tokens[p.at].kind == kind {
			p.at++
			return p.tokens[p.at-1].text, true
		}
	}
	return "", false
}

// name reads an identifier.
func (p *parser) name() (string, error) {
	name, ok := p.takeKind(wordToken, quotedToken)
	if !ok {
		return "", p.syntax()
	}
	return name, nil
}

// text reads a string constant. A parameter is none: utility statements take no parameters.
func (p *parser) text() (string, error) {
	text, ok := p.takeKind(stringToken)
	if !ok {
		return "", p.syntax()
	}
	return text, nil
}

// number reads an integer with or without a sign.
func (p *parser) number() (int, error) {
	negative := p.take("-")
	digits, ok := p.takeKind(numberToken)
	if !ok {
		return 0, p.syntax()
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, raise("22003", "value %q is out of range for type integer", digits)
	}
	if negative {
		n = -n
	}
	return n, nil
}

// list reads one or more things with commas between them.
func list[T any](p *parser, one func() (T, error)) ([]T, error) {
	var all []T
	for {
		item, err := one()
		if err != nil {
			return nil, err
		}
		all = append(all, item)
		if !p.take(",") {
			return all, nil
		}
	}
}

// A roleName is a role as a statement names it: by its name, or as CURRENT_USER and its like.
type roleName struct {
	name    string
	special string // current_user, session_user, or empty
}

// role reads a role specification (RoleSpec in PostgreSQL's gram.y).
func (p *parser) role() (roleName, error) {
	switch word, _ := p.takeOne("current_user", "current_role", "session_user"); word {
	case "current_user", "current_role":
		return roleName{special: "current_user"}, nil
	case "session_user":
		return roleName{special: "session_user"}, nil
	}
	if !p.done() && (p.tokens[p.at].is("public") || p.tokens[p.at].is("none")) {
		return roleName{}, raise("42939", "role name %q is reserved", p.tokens[p.at].text)
	}
	name, err := p.name()
	return roleName{name: name}, err
}
