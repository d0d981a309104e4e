package mysql

import (
	"fmt"
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
	for l.at < len(l.source) && strings.IndexByte(" \t\r\n", l.source[l.at]) >= 0 {
		l.at++
	}
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
