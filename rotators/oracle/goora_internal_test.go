package oracle

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local/localtls"
)

// A listener stands where Oracle's would: it hands each connection to serve.
type listener struct {
	net.Listener
	dials atomic.Int32
}

func listen(t *testing.T, serve func(net.Conn)) *listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{Listener: inner}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			l.dials.Add(1)
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l
}

func (l *listener) login(t *testing.T, fields ...string) database.Login {
	t.Helper()
	doc, err := secret.Parse([]byte(`{"engine":"oracle"}`))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		doc = doc.With(fields[i], fields[i+1])
	}
	return database.Login{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Database: "SHOP.example.com", User: "app", Password: "hunter2hunter2", Secret: doc}
}

// readPacket reads one packet of TNS: its length is in the first two bytes.
func readPacket(conn io.Reader) string {
	head := make([]byte, 8)
	if _, err := io.ReadFull(conn, head); err != nil {
		return ""
	}
	body := make([]byte, max(int(binary.BigEndian.Uint16(head))-8, 0))
	if _, err := io.ReadFull(conn, body); err != nil {
		return ""
	}
	return string(head) + string(body)
}

// descriptor reads what go-ora asks the listener for: a long one comes in a packet
// of its own.
func descriptor(conn io.Reader) string {
	p := readPacket(conn)
	if !strings.Contains(p, "(DESCRIPTION") {
		p += readPacket(conn)
	}
	return p
}

func packet(kind byte, body string) []byte {
	p := append(make([]byte, 8), body...)
	binary.BigEndian.PutUint16(p, uint16(len(p)))
	p[4] = kind
	return p
}

// refuse is the listener's REFUSE packet with a code.
func refuse(code string) []byte {
	text := "(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=" + code + ")(ERROR_STACK=(ERROR=(CODE=" + code + ")(EMFI=4))))"
	return packet(4, "\x22\x00"+string(binary.BigEndian.AppendUint16(nil, uint16(len(text))))+text)
}

// redirect is the listener's REDIRECT packet to an address.
func redirect(address string) []byte {
	text := address + "\x00(CONNECT_DATA=(SERVICE_NAME=x))"
	return packet(5, string(binary.BigEndian.AppendUint16(nil, uint16(len(text))))+text)
}

func dial(t *testing.T, l database.Login) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := Driver.Connect(ctx, l)
	if err == nil {
		_ = conn.Close()
		t.Fatal("it connected")
	}
	return err
}

func TestGoOraAsksForWhatTheSecretSays(t *testing.T) {
	asked := make(chan string, 1)
	l := listen(t, func(c net.Conn) { asked <- descriptor(c); _, _ = c.Write(refuse("12514")) })
	for _, c := range []struct {
		login database.Login
		want  string
	}{
		{l.login(t), "(CONNECT_DATA=(SERVICE_NAME=SHOP.example.com)"},
		{l.login(t, "sid", "SHOP1"), "(CONNECT_DATA=(SID=SHOP1)"},
	} {
		before := l.dials.Load()
		err := dial(t, c.login)
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != rotation.NoDatabase || l.dials.Load() != before+1 {
			t.Errorf("%d connections, %v", l.dials.Load()-before, err)
		}
		if got := <-asked; !strings.Contains(got, c.want) || strings.Contains(got, "hunter2") || strings.Count(got, "(ADDRESS=") != 1 {
			t.Errorf("asked for %q", got)
		}
	}
}

func TestNothingIsTriedTwice(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"refused":       func(c net.Conn) { descriptor(c); _, _ = c.Write(refuse("12514")) },
		"hung up":       func(c net.Conn) { descriptor(c) },
		"hung up early": func(net.Conn) {},
		"nonsense":      func(c net.Conn) { descriptor(c); _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
		"redirected": func(c net.Conn) {
			descriptor(c)
			_, _ = c.Write(redirect("(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=1))"))
		},
		"too many":       func(c net.Conn) { descriptor(c); _, _ = c.Write(refuse("12520")) },
		"without a code": func(c net.Conn) { descriptor(c); _, _ = c.Write(packet(4, "\x22\x00\x00\x00")) },
	} {
		l := listen(t, serve)
		err := dial(t, l.login(t))
		if l.dials.Load() != 1 || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %d connections, %v", name, l.dials.Load(), err)
		}
	}
}

// A listener that sends clients on could be made to name any host.
func TestNoPasswordGoesWhereTheSecretDoesNotSay(t *testing.T) {
	var reached atomic.Int32
	elsewhere := listen(t, func(net.Conn) { reached.Add(1) })
	_, port, _ := net.SplitHostPort(elsewhere.Addr().String())
	l := listen(t, func(c net.Conn) {
		descriptor(c)
		_, _ = c.Write(redirect("(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=" + port + "))"))
	})
	var f *rotation.Fault
	if err := dial(t, l.login(t)); !errors.As(err, &f) || f.Class != rotation.Unreachable || !strings.Contains(f.Remedy, "SCAN") {
		t.Errorf("got %v", err)
	}
	if reached.Load() != 0 {
		t.Error("the other address was dialled")
	}
}

func TestASilentListenerEndsWithTheContext(t *testing.T) {
	release := make(chan struct{})
	l := listen(t, func(c net.Conn) { descriptor(c); <-release })
	t.Cleanup(func() { close(release) }) // before the listener's end, which waits for it
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Driver.Connect(ctx, l.login(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestTLSIsVerifiedForTheNameInTheSecret(t *testing.T) {
	ca, err := localtls.New()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Server("db.example.com")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	l := listen(t, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate.TLS}})
		if s.Handshake() == nil {
			asked <- s.ConnectionState().ServerName + " " + descriptor(s)
			_, _ = s.Write(refuse("12514"))
		}
	})
	login := l.login(t)
	login.TLS = &tls.Config{RootCAs: ca.Pool(), ServerName: "db.example.com"}
	var f *rotation.Fault
	if err := dial(t, login); !errors.As(err, &f) || f.Class != rotation.NoDatabase {
		t.Errorf("got %v", err)
	}
	if got := <-asked; !strings.HasPrefix(got, "db.example.com ") || !strings.Contains(got, "(PROTOCOL=tcps)(HOST=db.example.com)") {
		t.Errorf("asked for %q", got)
	}
	login.TLS.ServerName = "other.example.com"
	var verify *tls.CertificateVerificationError
	if err := dial(t, login); !errors.As(err, &verify) {
		t.Errorf("another name: got %v", err)
	}
	login.TLS = &tls.Config{ServerName: "db.example.com"}
	if err := dial(t, login); !errors.As(err, &verify) {
		t.Errorf("another authority: got %v", err)
	}
}

func TestAListenerWithoutTCPS(t *testing.T) {
	release := make(chan struct{})
	for name, c := range map[string]struct {
		serve func(net.Conn)
		class rotation.Class
		noTLS bool // so that TLS_FALLBACK helps
	}{
		"answers": {func(c net.Conn) {
			_, _ = c.Write(packet(11, "")) // RESEND
			_, _ = io.Copy(io.Discard, c)
		}, rotation.TLS, true},
		"hangs up": {func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<16)) }, rotation.TLS, false},
		"waits":    {func(net.Conn) { <-release }, rotation.Unreachable, false},
	} {
		l := listen(t, c.serve)
		login := l.login(t)
		login.TLS = &tls.Config{ServerName: "127.0.0.1"}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := Driver.Connect(ctx, login)
		cancel()
		var f *rotation.Fault
		if !errors.As(err, &f) || f.Class != c.class || !strings.Contains(f.Remedy, "2484") || errors.Is(err, database.ErrNoTLS) != c.noTLS ||
			strings.Contains(f.Remedy, "TLS_FALLBACK=plaintext does not help") == c.noTLS || l.dials.Load() != 1 {
			t.Errorf("%s: got %v (%+v)", name, err, f)
		}
	}
	close(release)
}

func TestNamesCannotChangeTheDescriptor(t *testing.T) {
	l := listen(t, func(net.Conn) {})
	bad := []string{"x)(HOST=evil", "(DESCRIPTION=", "a b", "x=y", "x\ny", `x"`, "ü", "x)(SERVER=DEDICATED"}
	for _, text := range bad {
		service := l.login(t)
		service.Database = text
		host := l.login(t)
		host.Host = text
		name := l.login(t)
		name.TLS = &tls.Config{ServerName: text}
		for _, login := range []database.Login{service, host, name, l.login(t, "sid", text)} {
			var f *rotation.Fault
			if err := dial(t, login); !errors.As(err, &f) || f.Class != rotation.BadSecret {
				t.Errorf("%q: got %v", text, err)
			}
		}
	}
	if l.dials.Load() != 0 {
		t.Error("something was dialled")
	}
	good := l.login(t)
	good.Host, good.Database = "2001:db8::1%eth0", "shop_1.$ales#.example-x.com"
	if err := checkDescriptor(good); err != nil {
		t.Error(err)
	}
}

func TestEncryptionIsAskedForWithoutTLS(t *testing.T) {
	l := listen(t, func(net.Conn) {})
	plain, safe := l.login(t), l.login(t)
	safe.TLS = &tls.Config{ServerName: "db.example.com"}
	if c := config(plain); c.EncServiceLevel != 2 || c.IntServiceLevel != 2 || c.SSL || c.Protocol != "tcp" || c.TLSConfig != nil {
		t.Errorf("without TLS: %+v", c.SessionInfo)
	}
	c := config(safe)
	if c.EncServiceLevel != 0 || c.IntServiceLevel != 0 || !c.SSL || !c.SSLVerify || c.Protocol != "tcps" || c.TLSConfig == nil || c.TLSConfig == safe.TLS || c.TLSConfig.InsecureSkipVerify {
		t.Errorf("with TLS: %+v", c.SessionInfo)
	}
	for _, c := range []string{c.TraceFilePath, c.TraceDir, c.OSPassword, c.DomainName, c.ProxyClientName, c.UnixAddress} {
		if c != "" {
			t.Errorf("%q is set", c)
		}
	}
	if len(c.Servers) != 1 || c.Wallet != nil || c.Timeout != 0 {
		t.Errorf("%+v", c)
	}
}
