package redshifttest

import "strings"

// A tokenKind is a lexical class.
type tokenKind int

const (
	wordToken   tokenKind = iota // an unquoted name or key word, in lower case
	quotedToken                  // a quoted name, without its quotes, as it was written
	stringToken                  // the value of a literal
	numberToken
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

// lex cuts a text that may hold several statements, by the rules of PostgreSQL 8.0: a backslash in a literal escapes
// what follows it.
func lex(source string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(source); {
		rest := source[at:]
		c := rest[0]
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			at++
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				return nil, raise("42601", "unterminated comment")
			}
			at += end + 2
		case c == '\'' || c == '"':
			text, n, ok := cutQuoted(rest, c)
			if !ok || c == '"' && text == "" {
				return nil, raise("42601", "unterminated quoted text")
			}
			kind := stringToken
			if c == '"' {
				kind = quotedToken
			}
			tokens = append(tokens, token{kind, text})
			at += n
		case isWord(c) && (c < '0' || c > '9'):
			n := run(rest)
			tokens = append(tokens, token{wordToken, strings.ToLower(rest[:n])})
			at += n
		case c >= '0' && c <= '9':
			n := run(rest)
			tokens = append(tokens, token{numberToken, rest[:n]})
			at += n
		default:
			tokens = append(tokens, token{punctToken, rest[:1]})
			at++
		}
	}
	return tokens, nil
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

func run(s string) int {
	n := 0
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

// cutQuoted reads a text between quotes, where a doubled quote is one, and returns its length in the source.
func cutQuoted(s string, quote byte) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
			b.WriteByte(quote)
			i++
		case s[i] == quote:
			return b.String(), i + 1, true
		case s[i] == '\\' && quote == '\'' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}

// split cuts tokens into statements.
func split(tokens []token) [][]token {
	var all [][]token
	var one []token
	for _, t := range append(tokens, token{punctToken, ";"}) {
		if !t.is(";") {
			one = append(one, t)
			continue
		}
		if len(one) > 0 {
			all = append(all, one)
		}
		one = nil
	}
	return all
}
