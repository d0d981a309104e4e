// Package localtls is a throw-away certificate authority for servers that live on one machine for the length of a
// test or a demonstration: a verified TLS connection needs a certificate from somewhere.
//
//	ca, err := localtls.New()
//	certificate, err := ca.Server("localhost", "127.0.0.1")
//	// give certificate.TLS, or its PEM files, to the server, and ca.PEM() to the client
//
// [CA.Faulty] makes the certificates that a client must refuse. Keys are made anew each time and are not meant to
// outlive the process.
package localtls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// lifetime is generous for a test and too short for anything else.
const lifetime = 24 * time.Hour

// A CA is a certificate authority with a self-signed certificate. It may be used from many goroutines.
type CA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// New makes a CA whose certificate is valid for a day.
func New() (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the authority's key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "Rotor throw-away authority"},
		NotBefore:             now.Add(-lifetime),
		NotAfter:              now.Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("signing the authority's certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate back: %w", err)
	}
	return &CA{certificate: certificate, key: key}, nil
}

// PEM is the authority's certificate, as a client's bundle of trusted authorities holds it.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.certificate.Raw})
}

// Pool trusts this authority and no other.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	return pool
}

// A Certificate is a server's certificate with its private key, for servers written in Go and for those that read files.
type Certificate struct {
	TLS     tls.Certificate
	CertPEM []byte
	KeyPEM  []byte // PKCS #8
}

// Server makes a certificate for a server reached by the given host names and IP addresses.
func (ca *CA) Server(hosts ...string) (Certificate, error) {
	return ca.issue(hosts, time.Now().Add(lifetime))
}

// issue signs a certificate for hosts that was valid since the authority is.
func (ca *CA) issue(hosts []string, until time.Time) (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, fmt.Errorf("making a server's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "Rotor throw-away server"},
		NotBefore:    ca.certificate.NotBefore,
		NotAfter:     until,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, // members of a cluster are each other's clients
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, &key.PublicKey, ca.key)
	if err != nil {
		return Certificate{}, fmt.Errorf("signing a server's certificate: %w", err)
	}
	return encode(der, key)
}

// encode puts a certificate and its key into the forms that servers take.
func encode(der []byte, key *ecdsa.PrivateKey) (Certificate, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Certificate{}, fmt.Errorf("encoding a server's key: %w", err)
	}
	return Certificate{
		TLS:     tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	}, nil
}

// serial is random, as RFC 5280 section 4.1.2.2 asks of serial numbers in effect: positive, unique, at most 20 bytes.
func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	return new(big.Int).SetBytes(b[:])
}
