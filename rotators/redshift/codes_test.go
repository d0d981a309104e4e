package redshift

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

func TestEveryCodeHasItsClass(t *testing.T) {
	classes := map[string]rotation.Class{
		"28000": rotation.LoginRefused, "28P01": rotation.LoginRefused, "3D000": rotation.NoDatabase, "53300": rotation.TooManyConnections,
		"42501": rotation.MissingPrivilege, "25006": rotation.ReadOnly, "57P01": rotation.Unavailable, "57P02": rotation.Unavailable,
		"57P03": rotation.Unavailable, "40001": rotation.Unavailable, "40P01": rotation.Unavailable, "42710": rotation.Unavailable, "23505": rotation.Unavailable,
		"XX000": rotation.Unavailable, "58000": rotation.Unavailable, "42704": rotation.NoUser, "42P01": rotation.Unavailable,
		"57014": rotation.Timeout, "55P03": rotation.Timeout,
	}
	for code := range codes {
		if classes[code] == "" {
			t.Errorf("%s is not tested", code)
		}
	}
	for code, want := range classes {
		err := codes.Fault(fmt.Errorf("above: %w", &pgconn.PgError{Code: code, Message: "m", Where: "PASSWORD 'hunter2'", InternalQuery: "hunter2"}))
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != want || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", code, err)
		}
	}
	var f *rotation.Fault
	if err := codes.Fault(&pgconn.PgError{Code: "42601"}); !errors.As(err, &f) || f.Class != rotation.Unknown || f.Transient {
		t.Errorf("an unknown code: got %v", err)
	}
}

func TestLoginErrors(t *testing.T) {
	for _, c := range []struct {
		code, message string
		class         rotation.Class
		next          bool // leads to another password
		says          string
	}{
		{"28000", `password authentication failed for user "x"`, rotation.LoginRefused, true, "VALID UNTIL"},
		{"28P01", "", rotation.LoginRefused, true, "PASSWORD DISABLE"},
		{"28000", `no pg_hba.conf entry for host "h", SSL off`, rotation.LoginRefused, false, "require_ssl"},
		{"53300", "", rotation.TooManyConnections, false, ""},
		{"57P03", "", rotation.Unavailable, false, ""},
		{"3D000", "", rotation.NoDatabase, false, ""},
	} {
		err := connectFault(&pgconn.PgError{Code: c.code, Message: c.message})
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != c.class || errors.Is(err, database.ErrLoginRefused) != c.next || !strings.Contains(f.Remedy, c.says) {
			t.Errorf("%s %q: got %v", c.code, c.message, err)
		}
	}
	if err := connectFault(errors.New("failed: server refused TLS connection")); !errors.Is(err, database.ErrNoTLS) {
		t.Errorf("got %v", err)
	}
}
