package database

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A Login says where to connect, and as whom. It never prints the password. It
// is the dialer that drivers open their connections with: see DialContext.
type Login struct {
	Host     string
	Port     int
	Database string
	User     string
	Password string
	// TLS verifies the server; nil is a connection in plain text, as the secret
	// or the operator demands.
	TLS *tls.Config
	// Secret has the fields that only one driver knows.
	Secret secret.Document
	// Report takes what is worth a line in the log. It may be nil.
	Report *rotation.Report

	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	role      string // whose login it is, for messages
	plaintext bool   // go on without TLS if the server offers none
}

// Address is host and port.
func (l Login) Address() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// DialContext opens a connection as a [net.Dialer] does, without TLS, or as the
// configuration's Dial says.
func (l Login) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if l.dial != nil {
		return l.dial(ctx, network, address)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Format implements fmt.Formatter: every verb prints who and where alone.
func (l Login) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, strings.TrimSpace(fmt.Sprintf("%s user %q at %s", l.role, l.User, l.Address())))
}

// login reads a login from a secret; role says whose it is.
func (r *Rotator) login(role string, doc secret.Document, report *rotation.Report) (Login, error) {
	l := Login{
		Host:     strings.TrimSpace(doc.Text("host")),
		Port:     r.driver.Port,
		Database: doc.Text("dbname"),
		User:     doc.Text("username"),
		Password: doc.Text("password"),
		Secret:   doc,
		Report:   report,
		dial:     r.Dial,
		role:     role,
	}
	if l.Database == "" {
		l.Database = r.driver.Database
	}
	return l, l.complete(r.driver)
}

// complete checks the secret's fields and sets the port. TLS is for connect to
// set.
func (l *Login) complete(d Driver) error {
	if e := l.Secret.Text("engine"); e == "" {
		return l.bad("has no field %q", "engine")
	} else if !slices.Contains(d.Engines, e) {
		return l.bad("is for the engine %q; this function rotates %s", e, strings.Join(d.Engines, ", "))
	}
	for _, f := range []struct{ name, value string }{{"host", l.Host}, {"username", l.User}, {"password", l.Password}, {"dbname", l.Database}} {
		if f.value == "" {
			return l.bad("has no field %q", f.name)
		}
		if strings.ContainsRune(f.value, 0) {
			return l.bad("has a NUL character in its field %q", f.name)
		}
	}
	if p := l.Secret.Text("port"); p != "" {
		n, err := strconv.ParseFloat(strings.TrimSpace(p), 64) // 5432, "5432" and 5432.0, as AWS's functions take them
		if l.Port = int(n); err != nil || n < 1 || n > 65535 || n != float64(l.Port) {
			return l.bad("has the port %q, which is no number from 1 to 65535", p)
		}
	}
	return nil
}

// ssl is "true" or "false" as the secret's field says, whatever the case of its
// letters. Anything else is "", as AWS's functions have it: verified TLS.
func (l Login) ssl() string {
	switch ssl := strings.ToLower(strings.TrimSpace(l.Secret.Text("ssl"))); ssl {
	case "true", "false":
		return ssl
	}
	return ""
}

func (l Login) bad(format string, args ...any) error {
	return rotation.Fail(rotation.BadSecret, "the %s secret %s", l.role, fmt.Sprintf(format, args...))
}

// sameServer keeps a changed secret from sending a password elsewhere: it is nil
// if both are of one server.
func sameServer(a, b Login) *rotation.Fault {
	if a.Host != b.Host || a.Port != b.Port {
		return rotation.Fail(rotation.BadSecret, "the %s and %s secrets name different servers: %s and %s", a.role, b.role, a.Address(), b.Address())
	}
	return nil
}
