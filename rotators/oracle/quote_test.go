package oracle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/rotators/oracle"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

func FuzzQuotesHoldEveryPassword(f *testing.F) {
	for _, s := range []string{"a", `'`, `\`, `a"b`, `"`, "", "\x00", "--", "/*", "ü漢", `x REPLACE y`, ` ACCOUNT UNLOCK`, ":1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if oracle.CheckPassword(s) != nil {
			if s != "" && !strings.ContainsAny(s, "\"\x00") {
				t.Fatalf("%q is refused", s)
			}
			return
		}
		got, err := oracletest.Words("ALTER USER x IDENTIFIED BY " + oracle.QuotePassword(s) + " ACCOUNT LOCK")
		if want := []string{"ALTER", "USER", "X", "IDENTIFIED", "BY", s, "ACCOUNT", "LOCK"}; err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q reads as %q: %v", s, got, err)
		}
	})
}

// A name with a double quote exists nowhere; if one did, the statement must fail or
// keep the name inside its quotes.
func FuzzNoNameLeavesItsQuotes(f *testing.F) {
	for _, s := range []string{"a", `a"b`, `" TO x; --`, `"`, `""`, "ü漢", "a b", `'`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := oracletest.Words("GRANT " + oracle.Ident(s) + " TO x")
		if err != nil {
			return
		}
		middle := got[1 : len(got)-2]
		if got[0] != "GRANT" || got[len(got)-2] != "TO" || got[len(got)-1] != "X" || strings.Join(middle, "") != strings.ReplaceAll(s, `"`, "") {
			t.Fatalf("%q reads as %q", s, got)
		}
	})
}

func TestNoGeneratedPasswordHasADoubleQuote(t *testing.T) {
	g, err := password.New(password.Policy{Length: 30, RequireEach: true}, oracle.Driver.Password)
	if err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		if p := g.Generate(); oracle.CheckPassword(p) != nil || len(p) > 30 {
			t.Fatalf("generated %q", p)
		}
	}
	if _, err := password.New(password.Policy{Length: 31}, oracle.Driver.Password); err == nil || !strings.Contains(err.Error(), "PASSWORD_LENGTH") {
		t.Errorf("31 bytes: %v", err)
	}
}
