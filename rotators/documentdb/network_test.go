package documentdb_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// dial connects with a secret, and returns within three seconds with the reason if that is hopeless.
func (w *world) dial(t *testing.T, doc secret.Document, change ...func(*database.Config)) error {
	t.Helper()
	start := time.Now()
	conn, err := w.rotor(t, database.SingleUser, doc, change...).rotator.Connect(t.Context(), doc)
	if err == nil {
		err = conn.Close()
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
	return err
}

func TestWhatIsWrongOnTheWayIsNamed(t *testing.T) {
	w := own(t, documentdbtest.Config{})
	for _, replicaSet := range []string{"", "rs0"} {
		good := w.secret(t, "app", "password").With("replicaSet", replicaSet)
		wantFault(t, w.dial(t, good.With("host", "no-such-host.invalid")), rotation.DNS, "no-such-host.invalid")
		wantFault(t, w.dial(t, good.With("port", fmt.Sprint(servertest.Deaf(t)))), rotation.Unreachable, "refused")
		untrusting := func(c *database.Config) {
			c.Roots = func() (*x509.CertPool, error) { return x509.NewCertPool(), nil }
		}
		wantFault(t, w.dial(t, good, untrusting), rotation.TLS, "CA_BUNDLE")
	}
}

func TestBadCertificatesAreRefused(t *testing.T) {
	for fault, says := range map[localtls.Fault]string{
		localtls.Expired:   "Renew",
		localtls.WrongName: "tlsServerName",
		localtls.OtherCA:   "CA_BUNDLE",
	} {
		wantRefused(t, documentdbtest.StartDocumentDB(t, documentdbtest.Config{Options: servertest.Faulty(fault)}), says)
		if fault == localtls.Expired {
			continue // MongoDB does not start
		}
		s := documentdbtest.Start(t, documentdbtest.Config{Options: servertest.Faulty(fault)})
		wantRefused(t, s, says)
		if fault == localtls.WrongName {
			w := &world{server: s, roots: roots(s)}
			// It is let in, and has no users yet.
			err := w.dial(t, w.adminSecret(t).With("tlsServerName", localtls.Elsewhere))
			wantFault(t, err, rotation.LoginRefused, "")
		}
	}
}

// wantRefused connects to a server that is not to be trusted, and wants that nothing is said to it.
func wantRefused(t *testing.T, s *documentdbtest.Server, says string) {
	t.Helper()
	w, mark := &world{server: s, roots: roots(s)}, s.Mark()
	wantFault(t, w.dial(t, w.adminSecret(t)), rotation.TLS, says)
	if s.Open(mark) != 0 || len(s.Entries(mark)) != 0 {
		t.Errorf("something was sent to a server that was not verified: %s", s.LogSince(mark))
	}
}

func TestPlainTextIsForThoseWhoAskForIt(t *testing.T) {
	w := own(t, documentdbtest.Config{Options: servertest.NoTLS()})
	good := w.adminSecret(t).With("ssl", "")
	err := w.dial(t, good)
	wantFault(t, err, rotation.TLS, `"ssl": false`)
	if !errors.Is(err, database.ErrNoTLS) {
		t.Errorf("got %v", err)
	}
	if err := w.dial(t, good.With("ssl", "false")); err != nil {
		t.Error(err)
	}
	fallback := func(c *database.Config) { c.Plaintext = true }
	if err := w.dial(t, good, fallback); err != nil {
		t.Error(err)
	}
	wantFault(t, w.dial(t, good.With("ssl", "true"), fallback), rotation.TLS, `"ssl": false`)
}

// A server that hangs up, because it has too many connections, is no server without TLS.
func TestAServerThatHangsUpMayBeTriedAgain(t *testing.T) {
	const most = 10
	w := own(t, documentdbtest.Config{Options: servertest.Options{Settings: map[string]string{"net.maxIncomingConnections": fmt.Sprint(most)}}})
	var held []net.Conn
	for range most {
		conn, err := net.Dial("tcp", net.JoinHostPort(w.server.Host, fmt.Sprint(w.server.Port)))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	err := w.dial(t, w.adminSecret(t), func(c *database.Config) { c.Plaintext = true })
	wantFault(t, err, rotation.Unreachable, "127.0.0.1")
	if !rotation.Retryable(err) {
		t.Error("it is not tried again")
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	w.await(t, "the server lets somebody in again", func() bool { return w.dial(t, w.adminSecret(t)) == nil })
}

func TestAServerThatIsSilentTimesOut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	w := own(t, documentdbtest.Config{})
	doc := w.secret(t, "app", "password").With("port", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	err = w.dial(t, doc, func(c *database.Config) { c.ConnectTimeout = 300 * time.Millisecond })
	wantFault(t, err, rotation.Unreachable, "CONNECT_TIMEOUT")
}

// A member of a replica set may be down: the others are asked, and are a majority.
func TestAMemberMayBeDown(t *testing.T) {
	w := own(t, documentdbtest.Config{ReplicaSet: true})
	user := w.user(t, "admin", w.name("app"), "first password")
	w.server.StopSecondary(t)
	r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"))
	for range 2 {
		if err := w.probe(t.Context(), r.must(t)); err != nil {
			t.Error(err)
		}
	}
}
