package postgrestest

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A tokenKind is a lexical class of PostgreSQL's manual, section 4.1.
type tokenKind int

const (
	wordToken   tokenKind = iota // an unquoted identifier or key word, folded to lower case
	quotedToken                  // a quoted identifier, without its quotes
	stringToken                  // a string constant of any form, its value
	numberToken
	paramToken // $1, without the dollar sign
	punctToken // an operator or other punctuation
)

// A token is one lexeme of a statement.
type token struct {
	kind  tokenKind
	text  string // its meaning: folded, without quotes and escapes
	start int    // where it stands in the source
	end   int
}

// is says whether the token is a given key word or punctuation.
func (t token) is(text string) bool {
	return (t.kind == wordToken || t.kind == punctToken) && t.text == text
}

// maxIdentifier is NAMEDATALEN - 1, in bytes; longer identifiers are cut.
const maxIdentifier = 63

// A lexer cuts SQL into tokens by PostgreSQL's rules, with standard_conforming_strings on.
type lexer struct {
	source string
	at     int
	tokens []token
}

// lex cuts a text that may hold several statements. Comments and white space go.
func lex(source string) ([]token, error) {
	l := &lexer{source: source}
	for {
		if err := l.skipBlanks(); err != nil {
			return nil, err
		}
		if l.at == len(source) {
			return l.tokens, nil
		}
		start := l.at
		kind, text, err := l.next()
		if err != nil {
			return nil, err
		}
		l.tokens = append(l.tokens, token{kind: kind, text: text, start: start, end: l.at})
	}
}

// rest is what is still to be cut.
func (l *lexer) rest() string { return l.source[l.at:] }

// skipBlanks passes over white space, line comments and nested block comments.
func (l *lexer) skipBlanks() error {
	for {
		l.at += len(l.rest()) - len(strings.TrimLeft(l.rest(), " \t\r\n\f\v"))
		switch rest := l.rest(); {
		case strings.HasPrefix(rest, "--"):
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				l.at += end
			} else {
				l.at = len(l.source)
			}
		case strings.HasPrefix(rest, "/*"):
			if err := l.skipBlockComment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (l *lexer) skipBlockComment() error {
	for depth := 0; l.at < len(l.source); {
		switch rest := l.rest(); {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.at += 2
		default:
			l.at++
		}
		if depth == 0 {
			return nil
		}
	}
	return raise("42601", "unterminated /* comment")
}

// next cuts one token; there is one.
func (l *lexer) next() (tokenKind, string, error) {
	rest := l.rest()
	c := rest[0]
	switch {
	case c == '\'':
		return l.quoted(stringToken, '\'', "unterminated quoted string")
	case c == '"':
		return l.identifier()
	case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		l.at++
		return l.escapedString()
	case c == '$':
		return l.dollar()
	case isWordStart(c):
		word := l.while(func(c byte) bool { return isWordStart(c) || isDigit(c) || c == '$' })
		return wordToken, truncate(strings.ToLower(word)), nil
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return numberToken, l.while(func(c byte) bool { return isDigit(c) || c == '.' }), nil
	case strings.IndexByte(operatorBytes, c) >= 0:
		return punctToken, l.while(func(c byte) bool { return strings.IndexByte(operatorBytes, c) >= 0 }), nil
	case strings.HasPrefix(rest, "::"):
		l.at += 2
		return punctToken, "::", nil
	}
	l.at++
	return punctToken, rest[:1], nil
}

// operatorBytes may be joined to operators of several characters.
const operatorBytes = "+-*/<>=~!@#%^&|`?"

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// while cuts the longest run of bytes that belong.
func (l *lexer) while(belongs func(byte) bool) string {
	start := l.at
	for l.at < len(l.source) && belongs(l.source[l.at]) {
		l.at++
	}
	return l.source[start:l.at]
}

// identifier cuts a quoted identifier.
func (l *lexer) identifier() (tokenKind, string, error) {
	kind, text, err := l.quoted(quotedToken, '"', "unterminated quoted identifier")
	if err == nil && text == "" {
		err = raise("42601", "zero-length delimited identifier")
	}
	return kind, truncate(text), err
}

// quoted cuts a text between quotes, where a doubled quote is one quote.
func (l *lexer) quoted(kind tokenKind, quote byte, unterminated string) (tokenKind, string, error) {
	var b strings.Builder
	for i := l.at + 1; i < len(l.source); i++ {
		if l.source[i] != quote {
			b.WriteByte(l.source[i])
			continue
		}
		if i+1 == len(l.source) || l.source[i+1] != quote {
			l.at = i + 1
			return kind, b.String(), nil
		}
		b.WriteByte(quote)
		i++
	}
	return 0, "", raise("42601", "%s at or near %q", unterminated, l.rest())
}

// dollar cuts a parameter or a dollar-quoted string.
func (l *lexer) dollar() (tokenKind, string, error) {
	rest := l.rest()
	if len(rest) > 1 && isDigit(rest[1]) {
		l.at++
		return paramToken, l.while(isDigit), nil
	}
	end := strings.IndexByte(rest[1:], '$')
	if end < 0 {
		return 0, "", raise("42601", "syntax error at or near %q", "$")
	}
	mark := rest[:end+2]
	body, after, found := strings.Cut(rest[len(mark):], mark)
	if !found {
		return 0, "", raise("42601", "unterminated dollar-quoted string at or near %q", rest)
	}
	l.at = len(l.source) - len(after)
	return stringToken, body, nil
}

// escapedString cuts the rest of E'...', with C-style escapes.
func (l *lexer) escapedString() (tokenKind, string, error) {
	var b strings.Builder
	for l.at++; l.at < len(l.source); {
		c := l.source[l.at]
		switch {
		case c == '\'' && strings.HasPrefix(l.rest(), "''"):
			b.WriteByte(c)
			l.at += 2
		case c == '\'':
			l.at++
			return stringToken, b.String(), nil
		case c == '\\' && l.at+1 < len(l.source):
			l.at++
			if err := l.escape(&b); err != nil {
				return 0, "", err
			}
		default:
			b.WriteByte(c)
			l.at++
		}
	}
	return 0, "", raise("42601", "unterminated quoted string")
}

// escape cuts what follows a backslash.
func (l *lexer) escape(b *strings.Builder) error {
	c := l.source[l.at]
	if at := strings.IndexByte("bfnrt", c); at >= 0 {
		b.WriteByte("\b\f\n\r\t"[at])
		l.at++
		return nil
	}
	switch {
	case c >= '0' && c <= '7':
		return l.code(b, 3, 8, false)
	case c == 'x':
		l.at++
		return l.code(b, 2, 16, false)
	case c == 'u':
		l.at++
		return l.code(b, 4, 16, true)
	case c == 'U':
		l.at++
		return l.code(b, 8, 16, true)
	}
	b.WriteByte(c)
	l.at++
	return nil
}

// digitsOf lists the digits of a base.
var digitsOf = map[int]string{8: "01234567", 16: "0123456789abcdefABCDEF"}

// code cuts up to a number of digits that stand for a byte, or for a code point.
func (l *lexer) code(b *strings.Builder, digits, base int, point bool) error {
	end := l.at
	for end < len(l.source) && end-l.at < digits && strings.IndexByte(digitsOf[base], l.source[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseUint(l.source[l.at:end], base, 32)
	if err != nil || point && end-l.at != digits {
		return raise("22025", "invalid Unicode escape")
	}
	l.at = end
	if point {
		b.WriteRune(rune(n))
	} else {
		b.WriteByte(byte(n))
	}
	return nil
}

// truncate cuts an identifier at the end of a character.
func truncate(name string) string {
	if len(name) <= maxIdentifier {
		return name
	}
	end := maxIdentifier
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

// splitStatements cuts tokens at the semicolons. Empty statements go.
func splitStatements(tokens []token) [][]token {
	var statements [][]token
	start := 0
	for i := 0; i <= len(tokens); i++ {
		if i < len(tokens) && !tokens[i].is(";") {
			continue
		}
		if i > start {
			statements = append(statements, tokens[start:i])
		}
		start = i + 1
	}
	return statements
}
