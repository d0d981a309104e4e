package functiontest

import (
	"crypto/tls"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed492efc12/rotor/local/localtls"
)

// overHTTP2 puts a server with TLS and HTTP/2 before Secrets Manager: with GODEBUG=http2debug=2, Go's client for HTTP/2
// writes to standard error what it sends and what it gets.
func overHTTP2(t *testing.T, s *stage) map[string]string {
	t.Helper()
	ca, err := localtls.New()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(s.rig.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	front.EnableHTTP2, front.TLS = true, &tls.Config{Certificates: []tls.Certificate{certificate.TLS}}
	front.StartTLS()
	t.Cleanup(front.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"SECRETS_MANAGER_ENDPOINT": front.URL, "AWS_CA_BUNDLE": bundle}
}
