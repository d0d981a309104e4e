package postgres

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

func TestQuoting(t *testing.T) {
	for in, want := range map[string]string{`a`: `"a"`, `a"b`: `"a""b"`, ``: `""`, `a\b'`: `"a\b'"`} {
		if got := pgwire.Ident(in); got != want {
			t.Errorf("pgwire.Ident(%q) = %s", in, got)
		}
	}
	for in, want := range map[string]string{`a`: `'a'`, `it's`: `'it''s'`, `a\b'`: ` E'a\\b'''`, ``: `''`} {
		if got := literal(in); got != want {
			t.Errorf("literal(%q) = %s", in, got)
		}
	}
}

// readLiteral is the server's reading of a literal: the plain form with
// standard_conforming_strings on or off, or the E form.
func readLiteral(s string, standard bool) (string, bool) {
	s = strings.TrimPrefix(s, " ")
	escapes := strings.HasPrefix(s, "E") || !standard
	s = strings.TrimPrefix(s, "E")
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	var b strings.Builder
	body := s[1 : len(s)-1]
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == '\'' && (i+1 == len(body) || body[i+1] != '\''):
			return "", false // ends early
		case body[i] == '\'', escapes && body[i] == '\\':
			if i++; i == len(body) {
				return "", false
			}
		}
		b.WriteByte(body[i])
	}
	return b.String(), true
}

func FuzzQuoting(f *testing.F) {
	for _, s := range []string{``, `a`, `'`, `\`, `\'`, `''`, `"`, `E'`, "\n", `ü`, `$1;--`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, standard := range []bool{true, false} {
			if got, ok := readLiteral(literal(s), standard); !ok || got != s {
				t.Fatalf("literal(%q) = %s reads %q", s, literal(s), got)
			}
		}
		quoted := pgwire.Ident(s)
		inner := strings.ReplaceAll(quoted[1:len(quoted)-1], `""`, "")
		if strings.Contains(inner, `"`) || strings.ReplaceAll(quoted[1:len(quoted)-1], `""`, `"`) != s {
			t.Fatalf("pgwire.Ident(%q) = %s", s, quoted)
		}
	})
}

func TestOnlyWhatDiffersIsSaid(t *testing.T) {
	want := attributes{flags: []bool{false, true, false, false, false, true}, limit: 3, validUntil: "2030-01-01"}
	if got := options(fresh, want); got != ` CREATEDB NOINHERIT BYPASSRLS CONNECTION LIMIT 3 VALID UNTIL '2030-01-01'` {
		t.Errorf("got %s", got)
	}
	if got := options(want, fresh); got != ` NOCREATEDB INHERIT NOBYPASSRLS CONNECTION LIMIT -1 VALID UNTIL 'infinity'` {
		t.Errorf("got %s", got)
	}
	if got := options(want, want); got != "" {
		t.Errorf("got %s", got)
	}
	settings := []setting{{"", "a", "1"}, {"db", "b.c", "2"}}
	if got := strings.Join(settingChanges("x", settings, settings), ";"); got != "" {
		t.Errorf("got %s", got)
	}
	if got := strings.Join(settingChanges("x", settings, []setting{{"", "a", "2"}}), ";"); got != `ALTER ROLE "x" IN DATABASE "db" RESET "b"."c";ALTER ROLE "x" SET "a" TO '2'` {
		t.Errorf("got %s", got)
	}
}
