package pgwire

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

func TestNothingComesFromTheEnvironment(t *testing.T) {
	t.Setenv("PGHOST", "elsewhere")
	t.Setenv("PGPASSWORD", "theirs")
	t.Setenv("PGAPPNAME", "theirs")
	t.Setenv("PGOPTIONS", "-c role=root")
	l := database.Login{Host: "here", Port: 1, Database: "d", User: "u", Password: `p 'host=x' \`}
	c, err := Config(l, "md5", map[string]string{"application_name": "rotor"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "here" || c.Port != 1 || c.Password != l.Password || c.RequireAuth != "md5" || len(c.RuntimeParams) != 1 || c.RuntimeParams["application_name"] != "rotor" || len(c.Fallbacks) != 0 {
		t.Errorf("host %s, port %d, parameters %v, authentication %s", c.Host, c.Port, c.RuntimeParams, c.RequireAuth)
	}
	for _, host := range []string{"/tmp", "@socket"} {
		l.Host = host
		var f *rotation.Fault
		if _, err := Config(l, "", nil); !errors.As(err, &f) || f.Class != rotation.BadSecret {
			t.Errorf("%s: got %v", host, err)
		}
	}
}

func TestFaultsHaveTheirClassAndQuoteNoStatement(t *testing.T) {
	codes := Codes{"28000": {Class: rotation.LoginRefused}}
	pe := &pgconn.PgError{Code: "28000", Message: "m", Detail: "d.", Where: "PASSWORD 'hunter2'", InternalQuery: "hunter2"}
	err := codes.Fault(fmt.Errorf("above: %w", pe))
	var f *rotation.Fault
	if !errors.As(err, &f) || f.Class != rotation.LoginRefused || err.Error() != "m (d), SQLSTATE 28000" || Code(err) != "28000" {
		t.Errorf("got %v", err)
	}
	if f := codes.Server(&pgconn.PgError{Code: "99999"}); f.Class != rotation.Unknown {
		t.Errorf("got class %s", f.Class)
	}
	if other := errors.New("x"); codes.Fault(other) != other || codes.Fault(nil) != nil || Code(other) != "" {
		t.Error("an error that is not the server's was changed")
	}
	if err := NoTLS(errors.New("failed: server refused TLS connection")); !errors.Is(err, database.ErrNoTLS) {
		t.Errorf("got %v", err)
	}
}

func FuzzIdent(f *testing.F) {
	for _, s := range []string{``, `a`, `"`, `a"b`, `a\`, `ü";--`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		inner := Ident(s)[1 : len(Ident(s))-1]
		if strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) || strings.ReplaceAll(inner, `""`, `"`) != s {
			t.Fatalf("Ident(%q) = %s", s, Ident(s))
		}
	})
}

func TestListsOfNames(t *testing.T) {
	literal := func(s string) string { return "<" + s + ">" }
	for in, want := range map[string]string{
		`"$user", public`:    `<$user>, <public>`,
		`"a, b", "c""d" ,e`:  `<a, b>, <c"d>, <e>`,
		`""`:                 `<>`,
		``:                   `<>`,
		`"back\slash", it's`: `<back\slash>, <it's>`,
	} {
		if got := SettingValue("Search_Path", in, literal); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
	if got := SettingValue("application_name", `a, "b"`, literal); got != `<a, "b">` {
		t.Errorf("a text became %s", got)
	}
	if got := Parameter(`my.o"wn`); got != `"my"."o""wn"` {
		t.Errorf("got %s", got)
	}
}
