package sqlserver

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// A wire is the one network connection of a session. It implements the client
// driver's HostDialer, so that names are resolved by the login's dialer. It
// dials once: a server that sends clients on to another one (routing of Azure
// and of read-only replicas) gets no second login with the password.
type wire struct {
	login database.Login

	mu    sync.Mutex
	conn  net.Conn
	route string // where the server sent the client
	lost  error  // the network's own error, which the client driver may keep as text alone
	ended bool   // the time is up
}

// HostName implements mssql.HostDialer.
func (w *wire) HostName() string { return w.login.Host }

// DialContext implements mssql.Dialer.
func (w *wire) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	dialled := w.conn != nil
	if dialled {
		w.route = address
	}
	w.mu.Unlock()
	if dialled {
		return nil, fmt.Errorf("the server sends the client on to %s", address)
	}
	conn, err := w.login.DialContext(ctx, network, w.login.Address())
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	if w.ended {
		_ = conn.SetDeadline(time.Now())
	}
	return &socket{conn, w}, nil
}

// until ends the connection with ctx, which the client driver itself heeds only
// while it dials and, after a while, in a query. The function returned stops
// that; it reports whether the time was up before.
func (w *wire) until(ctx context.Context) (stop func() bool) {
	release := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = true
		if w.conn != nil {
			_ = w.conn.SetDeadline(time.Now())
		}
	})
	return func() bool { return !release() }
}

func (w *wire) fails(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost == nil {
		w.lost = err
	}
}

func (w *wire) state() (route string, lost error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.route, w.lost
}

// A socket remembers what the network said.
type socket struct {
	net.Conn
	wire *wire
}

// Read implements net.Conn.
func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if err != nil {
		s.wire.fails(err)
	}
	return n, err
}

// Write implements net.Conn.
func (s *socket) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	if err != nil {
		s.wire.fails(err)
	}
	return n, err
}

// handshake is how the client driver begins an error of TLS, which it then
// quotes as text.
const handshake = "TLS Handshake failed: "

// connectFault gives an error of a connection attempt its class.
func (w *wire) connectFault(ctx context.Context, err error) error {
	route, lost := w.state()
	_, isServer := serverErrorOf(err)
	text := err.Error()
	switch {
	case isServer:
		return loginFault(err)
	case route != "":
		return rotation.Fail(rotation.Unreachable, "the server sends clients on to %s, and a password goes to no server that the secret does not name", route).
			With("Let the secret's host be the server itself, or let the gateway pass connections through (Azure: the connection policy Proxy).")
	case ctx.Err() != nil && lost != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), lost)
	case strings.Contains(text, "server does not support encryption"):
		return fmt.Errorf("%w: %w", database.ErrNoTLS, err)
	case strings.Contains(text, handshake) && w.login.TLS == nil:
		return rotation.Fail(rotation.TLS, "the server takes encrypted connections only").
			With(`Leave "ssl" out of the secret, or set it to true.`)
	case strings.Contains(text, handshake) && lost == nil:
		return &tlsError{text, tlsCause(text)}
	case lost != nil:
		return fmt.Errorf("connecting: %w", lost)
	}
	return err
}

// A tlsError is what was wrong in a handshake.
type tlsError struct {
	text  string
	cause error
}

func (e *tlsError) Error() string { return e.text }
func (e *tlsError) Unwrap() error { return e.cause }

// tlsCause tells from crypto/tls's text which of its errors it was. If the text
// should change one day, the error still is one of TLS, with less of a remedy.
func tlsCause(text string) error {
	switch {
	case strings.Contains(text, "x509: certificate signed by unknown authority"):
		return x509.UnknownAuthorityError{}
	case strings.Contains(text, "x509: certificate has expired"):
		return x509.CertificateInvalidError{Reason: x509.Expired}
	case strings.Contains(text, "x509: certificate is valid for"), strings.Contains(text, "x509: cannot validate certificate for"),
		strings.Contains(text, "x509: certificate is not valid for any names"):
		return x509.HostnameError{Certificate: &x509.Certificate{}}
	}
	return &rotation.Fault{Class: rotation.TLS, Err: errors.New("the handshake failed")}
}
