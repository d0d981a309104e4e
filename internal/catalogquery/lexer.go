package catalogquery

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	word   kind = iota // a name or keyword without quotes
	quoted             // a name in quotes
	text               // a literal
	number
	placeholder // @p1, :1, $1
	sign
)

type token struct {
	kind kind
	text string // without quotes
}

// signs of more than one character.
var signs = []string{"<>", "!=", "<=", ">=", "||", "::"}

// scan splits a query into tokens.
func (p *parser) scan(s string) error {
	for {
		var err error
		if s, err = p.skip(s); err != nil || s == "" {
			return err
		}
		if s, err = p.scanOne(s); err != nil {
			return err
		}
	}
}

// skip leaves out blanks and comments.
func (p *parser) skip(s string) (string, error) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		switch {
		case strings.HasPrefix(s, "--"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			_, rest, ok := strings.Cut(s[2:], "*/")
			if !ok {
				return "", p.dialect.Errors.Syntax("/*")
			}
			s = rest
		default:
			return s, nil
		}
	}
}

func (p *parser) add(k kind, text string) { p.tokens = append(p.tokens, token{k, text}) }

func (p *parser) scanOne(s string) (string, error) {
	first, size := utf8.DecodeRuneInString(s)
	switch {
	case first == '\'' || (first == 'N' || first == 'n') && strings.HasPrefix(s[1:], "'"):
		return p.scanQuoted(text, s[strings.IndexByte(s, '\'')+1:], '\'')
	case first == '"':
		return p.scanQuoted(quoted, s[1:], '"')
	case first == '[' && p.dialect.Fold == nil:
		return p.scanQuoted(quoted, s[1:], ']')
	case strings.ContainsRune("@:$", first) && len(s) > 1 && (isName(rune(s[1])) || s[1] == '@'):
		n := 1 + strings.IndexFunc(s[1:]+" ", func(r rune) bool { return !isName(r) && r != '@' })
		p.add(placeholder, s[:n])
		return s[n:], nil
	case unicode.IsDigit(first):
		n := strings.IndexFunc(s+" ", func(r rune) bool { return !unicode.IsDigit(r) })
		p.add(number, s[:n])
		return s[n:], nil
	case isName(first):
		n := strings.IndexFunc(s+" ", func(r rune) bool { return !isName(r) })
		p.add(word, s[:n])
		return s[n:], nil
	}
	for _, two := range signs {
		if strings.HasPrefix(s, two) {
			size = len(two)
		}
	}
	p.add(sign, s[:size])
	return s[size:], nil
}

func isName(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '$' || r == '#'
}

// scanQuoted reads up to a closing quote that is not doubled.
func (p *parser) scanQuoted(k kind, s string, end byte) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != end {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != end {
			p.add(k, b.String())
			return s[i+1:], nil
		}
		b.WriteByte(end)
		i++
	}
	return "", p.dialect.Errors.Syntax(b.String())
}
