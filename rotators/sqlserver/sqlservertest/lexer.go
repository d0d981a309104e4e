package sqlservertest

import "strings"

// A tokenKind is a lexical class.
type tokenKind int

const (
	wordToken   tokenKind = iota // an unquoted name or key word, as it was written
	quotedToken                  // a name in brackets or double quotes, without them
	stringToken                  // the value of a literal
	numberToken
	punctToken
)

// A token is one lexeme of a batch.
type token struct {
	kind       tokenKind
	text       string
	begin, end int // in the source
}

// is says whether the token is a key word, in lower case, or punctuation.
func (t token) is(text string) bool {
	return t.kind == wordToken && strings.EqualFold(t.text, text) || (t.kind == punctToken || t.kind == numberToken) && t.text == text
}

// lex cuts a batch by the rules of Transact-SQL with QUOTED_IDENTIFIER ON: a
// doubled closing quote is one; in a literal, a backslash and the end of its
// line are nothing; comments may be nested.
func lex(source string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(source); {
		t, n, err := lexOne(source[at:])
		if err != nil {
			return nil, err
		}
		if t.text != "" || t.kind != punctToken {
			t.begin, t.end = at, at+n
			tokens = append(tokens, t)
		}
		at += n
	}
	return tokens, nil
}

// lexOne reads one token, or passes over white space or a comment: then it is
// empty punctuation.
func lexOne(rest string) (t token, n int, err error) {
	switch c := rest[0]; {
	case c == ' ' || c == '\n' || c == '\t' || c == '\r':
		return token{kind: punctToken}, 1, nil
	case strings.HasPrefix(rest, "--"):
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return token{kind: punctToken}, n, nil
		}
		return token{kind: punctToken}, len(rest), nil
	case strings.HasPrefix(rest, "/*"):
		n, err := comment(rest)
		return token{kind: punctToken}, n, err
	case (c == 'N' || c == 'n') && len(rest) > 1 && rest[1] == '\'':
		return quotedText(rest, 1, '\'', stringToken)
	case c == '\'':
		return quotedText(rest, 0, '\'', stringToken)
	case c == '[':
		return quotedText(rest, 0, ']', quotedToken)
	case c == '"':
		return quotedText(rest, 0, '"', quotedToken)
	case c >= '0' && c <= '9':
		n := run(rest)
		return token{kind: numberToken, text: rest[:n]}, n, nil
	case isWord(c):
		n := run(rest)
		return token{kind: wordToken, text: rest[:n]}, n, nil
	case strings.HasPrefix(rest, "::"):
		return token{kind: punctToken, text: "::"}, 2, nil
	}
	return token{kind: punctToken, text: rest[:1]}, 1, nil
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '#' || c == '@' || c >= 0x80
}

func run(s string) int {
	n := 0
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

func comment(s string) (n int, err error) {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
		}
		if depth == 0 {
			return i + 1, nil
		}
	}
	return 0, &sqlError{113, 15, "Missing end comment mark '*/'."}
}

// quotedText reads from an opening quote at open to the closing one.
func quotedText(s string, open int, quote byte, kind tokenKind) (token, int, error) {
	var b strings.Builder
	for i := open + 1; i < len(s); i++ {
		switch {
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
			b.WriteByte(quote)
			i++
		case s[i] == quote:
			return token{kind: kind, text: b.String()}, i + 1, nil
		case kind == stringToken && strings.HasPrefix(s[i:], "\\\r\n"):
			i += 2
		case kind == stringToken && strings.HasPrefix(s[i:], "\\\n"):
			i++
		default:
			b.WriteByte(s[i])
		}
	}
	return token{}, 0, &sqlError{105, 15, "Unclosed quotation mark after the character string '" + b.String() + "'."}
}

// Read is how the server reads a batch: its names in brackets, and its texts.
func Read(batch string) (names, texts []string, err error) {
	tokens, err := lex(batch)
	for _, t := range tokens {
		switch t.kind {
		case quotedToken:
			names = append(names, t.text)
		case stringToken:
			texts = append(texts, t.text)
		}
	}
	return names, texts, err
}
