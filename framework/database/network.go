package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// networkFault gives err the class of what went wrong on the way to the server,
// unless a driver has given it one. An error that it does not know stays as it
// is.
func networkFault(err error) error {
	var known *rotation.Fault
	if errors.As(err, &known) {
		return err
	}
	if remedy, ok := tlsRemedy(err); ok {
		return &rotation.Fault{Class: rotation.TLS, Err: err, Remedy: remedy}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return &rotation.Fault{Class: rotation.DNS, Err: err, Transient: dns.IsTimeout || dns.IsTemporary}
	}
	if unreachable(err) {
		return &rotation.Fault{Class: rotation.Unreachable, Err: err, Transient: true}
	}
	return err
}

// unreachable covers what happens before an answer, or instead of one. None of
// it counts as a failed login, so that it may be tried again.
func unreachable(err error) bool {
	var op *net.OpError
	var timeout interface{ Timeout() bool }
	return errors.As(err, &op) ||
		errors.As(err, &timeout) && timeout.Timeout() ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// tlsRemedy says what to do about an error of TLS, if err is one.
func tlsRemedy(err error) (remedy string, ok bool) {
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		told      *net.OpError
	)
	switch {
	case errors.Is(err, ErrNoTLS):
		return `Turn TLS on in the server. Only if that cannot be: "ssl": false in the secret, or TLS_FALLBACK=plaintext in the function, sends the login in plain text.`, true
	case errors.As(err, &authority):
		return "Give the function the authority that signed the server's certificate: CA_BUNDLE, a path or PEM text.", true
	case errors.As(err, &hostname):
		return "Use the name in the certificate as the secret's host; if host is an alias (CNAME), put that name into the secret's tlsServerName.", true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "Renew the server's certificate (on RDS: choose a current certificate authority).", true
	}
	if errors.As(err, &told) && told.Op == "remote error" { // an alert that the server sent
		if strings.Contains(told.Error(), "certificate required") {
			return "The server demands a certificate of its clients, and a function has none: let it take clients without one, who log in by their passwords.", true
		}
		return rotation.TLS.Remedy(), true
	}
	return rotation.TLS.Remedy(), errors.As(err, &invalid) || errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert)
}
