package mysql

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A tokenKind is what a token of a server's SHOW statements can be.
type tokenKind int

const (
	endToken    tokenKind = iota
	wordToken             // a key word, number or bare name
	nameToken             // in backticks or double quotes
	textToken             // in single quotes
	symbolToken           // one character of punctuation
)

// A token is a part of a statement as the server wrote it. Raw has its quotes,
// and value is what it means.
type token struct {
	kind       tokenKind
	raw, value string
	start, end int
}

// is compares key words, in whatever case, and punctuation.
func (t token) is(text string) bool {
	return (t.kind == wordToken || t.kind == symbolToken) && strings.EqualFold(t.raw, text)
}

// A lexer cuts what SHOW GRANTS and SHOW CREATE USER print in a session that
// facts has settled: backslashes escape in texts, and nothing is a comment.
type lexer struct {
	source string
	at     int
}

// next cuts one token. Its error quotes nothing of the source, which may hold a
// hash.
func (l *lexer) next() (token, error) {
	l.skipSpace()
	start := l.at
	if start == len(l.source) {
		return token{start: start, end: start}, nil
	}
	t := token{start: start}
	switch c := l.source[start]; {
	case c == '`', c == '"':
		t.kind = nameToken
	case c == '\'':
		t.kind = textToken
	case isWord(c):
		t.kind = wordToken
		for l.at < len(l.source) && isWord(l.source[l.at]) {
			l.at++
		}
	default:
		t.kind = symbolToken
		l.at++
	}
	var err error
	if t.kind == nameToken || t.kind == textToken {
		t.value, err = l.quoted(l.source[start], t.kind == textToken)
	}
	t.end = l.at
	t.raw = l.source[start:t.end]
	if t.kind == wordToken || t.kind == symbolToken {
		t.value = t.raw
	}
	return t, err
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= utf8.RuneSelf
}

// quoted cuts up to the closing quote. A doubled quote is one; in texts a
// backslash takes away the meaning of what follows.
func (l *lexer) quoted(quote byte, escapes bool) (string, error) {
	var b strings.Builder
	for l.at++; l.at < len(l.source); l.at++ {
		c := l.source[l.at]
		more := l.at+1 < len(l.source)
		switch {
		case c == quote && more && l.source[l.at+1] == quote:
			l.at++
			b.WriteByte(quote)
		case c == quote:
			l.at++
			return b.String(), nil
		case c == '\\' && escapes && more:
			l.at++
			b.WriteByte(unescape(l.source[l.at]))
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("the server's text has an unclosed quote at byte %d", l.at)
}

// unescape is what a character means after a backslash.
func unescape(c byte) byte {
	switch c {
	case '0':
		return 0
	case 'b':
		return '\b'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'Z':
		return 26
	}
	return c
}

// lex cuts all of a text; the last token is endToken.
func lex(source string) ([]token, error) {
	l := lexer{source: source}
	var all []token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
		if t.kind == endToken {
			return all, nil
		}
	}
}

func (l *lexer) skipSpace() {
	for l.at < len(l.source) && strings.IndexByte(" \t\r\n", l.source[l.at]) >= 0 {
		l.at++
	}
}

// done reports whether nothing is left.
func (l *lexer) done() bool {
	l.skipSpace()
	return l.at == len(l.source)
}

// take cuts some words, if they are next.
func (l *lexer) take(words ...string) bool {
	m := *l
	for _, w := range words {
		if t, err := m.next(); err != nil || !t.is(w) {
			return false
		}
	}
	*l = m
	return true
}

// text cuts a text in single quotes, if it is next, and returns what it means.
func (l *lexer) text() (string, bool) {
	m := *l
	t, err := m.next()
	if err != nil || t.kind != textToken {
		return "", false
	}
	*l = m
	return t.value, true
}

// number cuts a number such as 3 or 3.500000, if it is next.
func (l *lexer) number() (string, bool) {
	l.skipSpace()
	end := l.at
	for end < len(l.source) && (l.source[end] == '.' || l.source[end] >= '0' && l.source[end] <= '9') {
		end++
	}
	text := l.source[l.at:end]
	l.at = end
	return text, text != ""
}

// accounts cuts a list of names, each with a host or without.
func (l *lexer) accounts() (list []string, ok bool) {
	for {
		t, err := l.next()
		if err != nil || t.kind == endToken || t.kind == symbolToken {
			return nil, false
		}
		tokens := []token{t}
		if m := *l; m.take("@") {
			at, _ := l.next()
			host, err := l.next()
			if err != nil || host.kind == endToken {
				return nil, false
			}
			tokens = append(tokens, at, host)
		}
		list = append(list, quoteAnew(tokens))
		if !l.take(",") {
			return list, true
		}
	}
}

// skipClause cuts a clause that is not understood: up to the next word that
// starts one. It returns the words without what is quoted.
func (l *lexer) skipClause() string {
	var words []string
	for {
		before := l.at
		t, err := l.next()
		switch {
		case err != nil:
			l.at = len(l.source)
			return strings.Join(append(words, "an unclosed quote"), " ")
		case t.kind == endToken:
			return strings.Join(words, " ")
		case len(words) > 0 && slices.ContainsFunc(clauseWords, t.is) && !(t.is("WITH") && words[len(words)-1] == "IDENTIFIED"):
			l.at = before
			return strings.Join(words, " ")
		}
		words = append(words, t.redacted())
	}
}

// redacted is the token if it is a key word, a number or punctuation. All else
// may be a hash.
func (t token) redacted() string {
	if t.kind == symbolToken && t.raw[0] < utf8.RuneSelf {
		return t.raw
	}
	upper := !strings.ContainsFunc(t.raw, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') })
	digits := !strings.ContainsFunc(t.raw, func(r rune) bool { return r < '0' || r > '9' })
	if t.kind == wordToken && len(t.raw) <= 40 && (upper || digits) {
		return t.raw
	}
	return "..."
}

// redact is a line of the server's without what may not be shown.
func redact(line string) string {
	var words []string
	l := lexer{source: line}
	for {
		t, err := l.next()
		if err != nil {
			return strings.Join(append(words, "an unclosed quote"), " ")
		}
		if t.kind == endToken {
			return strings.Join(words, " ")
		}
		words = append(words, t.redacted())
	}
}
