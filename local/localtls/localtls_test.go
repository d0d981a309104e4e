package localtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"
)

// handshake runs a TLS handshake and reports what the client, who verifies, thinks of it.
func handshake(t *testing.T, certificate tls.Certificate, roots *x509.CertPool, host string) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		far, err := listener.Accept()
		if err != nil {
			return
		}
		defer far.Close()
		tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
	}()
	near, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: roots, ServerName: host})
	if err == nil {
		near.Close()
	}
	return err
}

func TestServerCertificateIsAcceptedForEachOfItsHosts(t *testing.T) {
	ca := newCA(t)
	certificate, err := ca.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		if err := handshake(t, certificate.TLS, ca.Pool(), host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if handshake(t, certificate.TLS, ca.Pool(), "example.com") == nil {
		t.Error("the certificate was accepted for a host that it does not name")
	}
}

func TestEachFaultIsRefusedForItsOwnReason(t *testing.T) {
	ca := newCA(t)
	reasons := map[Fault]func(error) bool{
		NoFault: func(err error) bool { return err == nil },
		Expired: func(err error) bool {
			invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
			return ok && invalid.Reason == x509.Expired
		},
		WrongName: func(err error) bool { _, ok := errors.AsType[x509.HostnameError](err); return ok },
		OtherCA:   func(err error) bool { _, ok := errors.AsType[x509.UnknownAuthorityError](err); return ok },
	}
	for fault, right := range reasons {
		certificate, err := ca.Faulty(fault, "localhost")
		if err != nil {
			t.Fatal(err)
		}
		if err := handshake(t, certificate.TLS, ca.Pool(), "localhost"); !right(err) {
			t.Errorf("fault %d: refused for the wrong reason: %v", fault, err)
		}
	}
	if _, err := ca.Faulty(OtherCA + 1); err == nil {
		t.Error("an unknown fault was no error")
	}
}

func TestPEMFormsAreTheSameCertificate(t *testing.T) {
	ca := newCA(t)
	certificate, err := ca.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	fromFiles, err := tls.X509KeyPair(certificate.CertPEM, certificate.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca.PEM()) {
		t.Fatal("the authority's PEM holds no certificate")
	}
	if err := handshake(t, fromFiles, roots, "localhost"); err != nil {
		t.Error(err)
	}
}

func newCA(t *testing.T) *CA {
	t.Helper()
	ca, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}
