package postgres

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

func TestEveryCodeHasItsClass(t *testing.T) {
	for code, want := range map[string]rotation.Class{
		"28P01": rotation.LoginRefused, "28000": rotation.LoginRefused, "3D000": rotation.NoDatabase, "53300": rotation.TooManyConnections,
		"42501": rotation.MissingPrivilege, "57P03": rotation.Unavailable, "25006": rotation.ReadOnly, "XX000": rotation.Unavailable, "42710": rotation.Unavailable, "23505": rotation.Unavailable,
		"42704": rotation.NoUser, "57014": rotation.Timeout, "25P03": rotation.Timeout, "25P04": rotation.Timeout, "57P05": rotation.Timeout, "42601": rotation.Unknown,
	} {
		err := fault(fmt.Errorf("above: %w", &pgconn.PgError{Code: code, Message: "m", Detail: "d.", Where: "SQL statement PASSWORD 'hunter2'", InternalQuery: "hunter2"}))
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != want {
			t.Errorf("%s: got %v", code, err)
		}
		if err.Error() != "m (d), SQLSTATE "+code {
			t.Errorf("%s prints %q", code, err)
		}
	}
	if other := errors.New("x"); fault(other) != other || fault(nil) != nil {
		t.Error("an error that is not the server's was changed")
	}
}

func TestLoginErrors(t *testing.T) {
	for _, c := range []struct {
		code, routine string
		class         rotation.Class
		next          bool // leads to another password
		says          string
	}{
		{"28P01", "auth_failed", rotation.LoginRefused, true, "VALID UNTIL"},
		{"28P01", "", rotation.LoginRefused, true, "VALID UNTIL"}, // a pooler
		{"28000", "auth_failed", rotation.LoginRefused, true, "rds_iam"},
		{"28000", "InitializeSessionUserId", rotation.AccountLocked, false, "LOGIN"},
		{"28000", "ClientAuthentication", rotation.LoginRefused, false, "pg_hba.conf"},
		{"53300", "", rotation.TooManyConnections, false, ""},
		{"57P03", "", rotation.Unavailable, false, ""},
		{"3D000", "", rotation.NoDatabase, false, ""},
	} {
		err := connectFault(&pgconn.PgError{Code: c.code, Routine: c.routine}, true)
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != c.class || errors.Is(err, database.ErrLoginRefused) != c.next || !strings.Contains(f.Remedy, c.says) {
			t.Errorf("%s in %q: got %v", c.code, c.routine, err)
		}
	}
	var f *rotation.Fault
	if err := connectFault(&pgconn.PgError{Code: "28000", Routine: "ClientAuthentication"}, false); !errors.As(err, &f) || f.Class != rotation.TLS {
		t.Errorf("got %v", err)
	}
	if err := connectFault(errors.New("failed: server refused TLS connection"), true); !errors.Is(err, database.ErrNoTLS) {
		t.Errorf("got %v", err)
	}
}

// TestVerifiersAreThoseOfTheStandard checks the server's signature in the
// example of RFC 7677, section 3: user "user", password "pencil".
func TestVerifiersAreThoseOfTheStandard(t *testing.T) {
	const nonce = `rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	got, err := scramVerifier("pencil", salt, 4096)
	rest, ok := strings.CutPrefix(got, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
	_, key, found := strings.Cut(rest, ":")
	if err != nil || !ok || !found {
		t.Fatal(got, err)
	}
	serverKey, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	signature := mac(serverKey, "n=user,r=rOprNGfwEbeRWgbNEkqO,r="+nonce+",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r="+nonce)
	if got := base64.StdEncoding.EncodeToString(signature); got != "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Errorf("the server's signature is %s", got)
	}
}

func TestVerifiersFollowTheServer(t *testing.T) {
	if got, err := (facts{md5: true, user: "joe"}).verifier("secret"); err != nil || got != "md5c59ec932d911ffdf487595b5a2adf973" {
		t.Errorf("md5 is %s, %v", got, err)
	}
	if got, err := (facts{user: "joe", iterations: 7}).verifier("secret"); err != nil || !strings.HasPrefix(got, "SCRAM-SHA-256$7:") {
		t.Errorf("scram is %s, %v", got, err)
	}
	if _, err := (facts{iterations: 7}).verifier("pässword"); err == nil {
		t.Error("a password outside ASCII was accepted")
	}
}
