package oracletest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A tokenKind is a lexical class.
type tokenKind int

const (
	wordToken   tokenKind = iota // an unquoted name or key word, in upper case
	quotedToken                  // a quoted name, as it was written
	stringToken                  // the value of a literal
	numberToken
	bindToken // the number of a bind
	punctToken
)

// A token is one lexeme of a statement.
type token struct {
	kind tokenKind
	text string
}

// is says whether the token is a key word or punctuation.
func (t token) is(text string) bool {
	return (t.kind == wordToken || t.kind == punctToken) && t.text == text
}

// lex cuts a statement by Oracle's rules: a name in double quotes may hold
// anything but a double quote and NUL, and cannot be empty; a literal doubles its
// quotes; a backslash means nothing.
func lex(source string) ([]token, *sqlError) {
	var tokens []token
	for source != "" {
		r, size := utf8.DecodeRuneInString(source)
		switch {
		case unicode.IsSpace(r):
			source = source[size:]
			continue
		case strings.ContainsRune(source, 0):
			return nil, raise(911, "invalid character")
		}
		t, n, err := next(source, r, size)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		source = source[n:]
	}
	return tokens, nil
}

func next(source string, r rune, size int) (token, int, *sqlError) {
	switch {
	case r == '"':
		end := strings.IndexByte(source[1:], '"')
		if end < 0 {
			return token{}, 0, raise(1740, "missing double quote in identifier")
		}
		if end == 0 {
			return token{}, 0, raise(1741, "illegal zero-length identifier")
		}
		return token{quotedToken, source[1 : end+1]}, end + 2, nil
	case r == '\'':
		return literal(source)
	case r == ':':
		n := run(source[1:], unicode.IsDigit)
		return token{bindToken, source[1 : n+1]}, n + 1, nil
	case unicode.IsDigit(r):
		n := run(source, unicode.IsDigit)
		return token{numberToken, source[:n]}, n, nil
	case unicode.IsLetter(r):
		n := run(source, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_$#", r) })
		return token{wordToken, strings.ToUpper(source[:n])}, n, nil
	case strings.HasPrefix(source, "=>"):
		return token{punctToken, "=>"}, 2, nil
	}
	return token{punctToken, source[:size]}, size, nil
}

func literal(source string) (token, int, *sqlError) {
	var b strings.Builder
	for i := 1; i < len(source); i++ {
		if source[i] == '\'' {
			if i+1 == len(source) || source[i+1] != '\'' {
				return token{stringToken, b.String()}, i + 1, nil
			}
			i++
		}
		b.WriteByte(source[i])
	}
	return token{}, 0, raise(1756, "quoted string not properly terminated")
}

// run is how many bytes from the start are of a kind.
func run(source string, of func(rune) bool) int {
	if n := strings.IndexFunc(source, func(r rune) bool { return !of(r) }); n >= 0 {
		return n
	}
	return len(source)
}

// Words are the lexemes of a statement as the server reads them: quoted names
// without their quotes, the rest as it is in upper case.
func Words(statement string) ([]string, error) {
	tokens, err := lex(statement)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, t := range tokens {
		all = append(all, t.text)
	}
	return all, nil
}
