package database

import (
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// secure gives l the TLS settings that its secret asks for: verified TLS,
// unless "ssl" is false.
func (r *Rotator) secure(l *Login) error {
	ssl := l.ssl()
	if ssl == "false" {
		return nil
	}
	roots, err := r.Roots()
	if err != nil {
		return &rotation.Fault{Class: rotation.BadConfig, Err: fmt.Errorf("reading the certificate authorities: %w", err)}
	}
	l.plaintext = r.Plaintext && ssl == ""
	l.TLS = &tls.Config{RootCAs: roots, ServerName: l.Host, MinVersion: tls.VersionTLS12, VerifyConnection: expiry(l.Report)}
	if name := l.Secret.Text("tlsServerName"); name != "" {
		l.TLS.ServerName = name
	}
	return nil
}

// expiry reports how long the server's certificate, already verified, is valid.
func expiry(report *rotation.Report) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		report.Gauge("CertificateDaysToExpiry", time.Until(s.PeerCertificates[0].NotAfter).Hours()/24)
		return nil
	}
}

// rdsAuthorities are the certificate authorities of RDS and DocumentDB, which
// no system trusts by itself. `make certificates` writes the file.
//
//go:embed rds.pem
var rdsAuthorities []byte

// Roots returns the certificate authorities that connections trust: the
// system's, those of RDS and DocumentDB, and extra, which is PEM or empty.
func Roots(extra []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a bare system: the rest must do
	}
	pool.AppendCertsFromPEM(rdsAuthorities)
	if len(extra) > 0 && !pool.AppendCertsFromPEM(extra) {
		return nil, errors.New("no certificate in PEM form was found")
	}
	return pool, nil
}

// IsCertificates reports whether Roots would accept extra.
func IsCertificates(extra []byte) bool { return x509.NewCertPool().AppendCertsFromPEM(extra) }
