package redshift

import (
	"strings"
	"testing"
)

// readLiteral is the server's reading of a literal, in which a backslash escapes.
func readLiteral(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	var b strings.Builder
	body := s[1 : len(s)-1]
	for i := 0; i < len(body); i++ {
		if body[i] == '\'' && (i+1 == len(body) || body[i+1] != '\'') {
			return "", false // ends early
		}
		if body[i] == '\'' || body[i] == '\\' {
			if i++; i == len(body) {
				return "", false
			}
		}
		b.WriteByte(body[i])
	}
	return b.String(), true
}

func FuzzLiteral(f *testing.F) {
	for _, s := range []string{``, `a`, `'`, `\`, `\'`, `''`, `"`, `E'`, "\n", `ü`, `$1;--`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, ok := readLiteral(literal(s)); !ok || got != s {
			t.Fatalf("literal(%q) = %s reads %q", s, literal(s), got)
		}
	})
}
