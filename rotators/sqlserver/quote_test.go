package sqlserver

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

var hard = []string{`a`, `]`, `]]`, `a]b[c`, `'`, `''`, `"`, `\`, "\\\n", "\n", `--`, `/*`, `*/`, `;`, `@p1`, `N'`, `ü😀`, ` `, `$(x)`, `%`}

func FuzzIdent(f *testing.F) {
	for _, s := range hard {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			t.Skip("no text can hold it")
		}
		names, texts, err := sqlservertest.Read("DROP USER " + ident(name) + " X")
		if err != nil || !slices.Equal(names, []string{name}) || len(texts) > 0 {
			t.Fatalf("ident(%q) = %s reads %q, %q, %v", name, ident(name), names, texts, err)
		}
	})
}

func FuzzLiteral(f *testing.F) {
	for _, s := range hard {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if continues(text) || !utf8.ValidString(text) {
			t.Skip("refused before it is quoted")
		}
		names, texts, err := sqlservertest.Read("PASSWORD = " + literal(text) + " X")
		if err != nil || !slices.Equal(texts, []string{text}) || len(names) > 0 {
			t.Fatalf("literal(%q) = %s reads %q, %q, %v", text, literal(text), texts, names, err)
		}
	})
}

func TestAPasswordThatTheServerWouldCutIsRefused(t *testing.T) {
	for _, p := range []string{"a\\\nb", "a\\\r\nb", strings.Repeat("x", 129), strings.Repeat("😀", 65)} {
		err := checkPassword(p)
		if err == nil || strings.Contains(err.Error(), p) {
			t.Errorf("%q: got %v", p, err)
		}
	}
	for _, p := range []string{`a\b`, `\`, "\n", strings.Repeat("😀", 64)} {
		if err := checkPassword(p); err != nil {
			t.Errorf("%q: got %v", p, err)
		}
	}
	_, texts, _ := sqlservertest.Read(literal("a\\\nb"))
	if texts[0] == "a\\\nb" {
		t.Error("the server does not cut it: the rule is not needed")
	}
}

func TestUsersThatAreNotTheCustomersAreRefused(t *testing.T) {
	for _, name := range []string{"sa", "SA", "dbo", "rdsa", "rdsadmin", "##MS_PolicySigningCertificate##", `DOMAIN\joe`, strings.Repeat("x", 129), strings.Repeat("😀", 65)} {
		if checkUser(name) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, name := range []string{"app", "sales", "##temp", strings.Repeat("x", 128), strings.Repeat("😀", 64)} {
		if err := checkUser(name); err != nil {
			t.Error(err)
		}
	}
}
