// Package harnesstest makes of this project's test servers what functiontest needs to know of any server.
package harnesstest

import (
	"encoding/json"
	"net"
	"strconv"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/localtls"
)

// Rotor is the package of the operator's command.
const Rotor = "github.com/seed492efc12/rotor/cmd/rotor"

// New is a harness for a server, in which New and Refused are still to be set, and Bootstrap for a built function.
func New(engine string, s *servertest.Server) functiontest.Harness {
	h := functiontest.Harness{
		Engine: engine, Server: s.Title, Real: s.Real,
		Env: trusting(s), Address: address(s),
	}
	if s.HasLog() {
		h.Log = func() func() string { mark := s.Mark(); return func() string { return s.LogSince(mark) } }
		h.Logins = func() func() (int, int) { mark := s.Mark(); return func() (int, int) { return s.LoginsSince(mark) } }
	}
	return h
}

func trusting(s *servertest.Server) map[string]string {
	return map[string]string{"CA_BUNDLE": string(s.CA)}
}

func address(s *servertest.Server) string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Suspects are servers, started by start, that nobody can tell: one without TLS, of which the error says plain, and those
// with each fault of a certificate. Fields are those of a secret besides the administrator's login.
func Suspects(t *testing.T, start func(t *testing.T, o servertest.Options) *servertest.Server, plain string, fields map[string]any) (all []functiontest.Suspect) {
	t.Helper()
	for _, c := range []struct {
		name    string
		options servertest.Options
		says    string
	}{
		{"no TLS", servertest.NoTLS(), plain},
		{"another authority", servertest.Faulty(localtls.OtherCA), "CA_BUNDLE"},
		{"expired", servertest.Faulty(localtls.Expired), "Renew"},
		{"another name", servertest.Faulty(localtls.WrongName), "tlsServerName"},
	} {
		all = append(all, Suspect(t, c.name, start(t, c.options), c.says, fields))
	}
	return all
}

// Suspect is one such server.
func Suspect(t *testing.T, name string, s *servertest.Server, says string, fields map[string]any) functiontest.Suspect {
	t.Helper()
	c := functiontest.Suspect{
		Name: name, Address: address(s), Env: trusting(s), Says: says,
		Secret: Secret(t, fields).With("username", s.AdminUser).With("password", s.AdminPassword),
	}
	if s.HasLog() {
		mark := s.Mark()
		c.Logins = func() (int, int) { return s.LoginsSince(mark) }
	}
	return c
}

// Secret is a document with fields.
func Secret(t *testing.T, fields map[string]any) secret.Document {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	d, err := secret.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
