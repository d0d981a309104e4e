package oracle_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

func TestServersThatCannotBeTrustedGetNoPassword(t *testing.T) {
	for name, c := range map[string]struct {
		config oracletest.Config
		says   string
	}{
		"without TCPS":           {oracletest.Config{Options: servertest.NoTLS()}, "2484"},
		"mute":                   {oracletest.Config{Mute: true}, "2484"},
		"another authority":      {oracletest.Config{Options: servertest.Faulty(localtls.OtherCA)}, "CA_BUNDLE"},
		"another name":           {oracletest.Config{Options: servertest.Faulty(localtls.WrongName)}, "tlsServerName"},
		"an expired certificate": {oracletest.Config{Options: servertest.Faulty(localtls.Expired)}, "Renew"},
	} {
		t.Run(name, func(t *testing.T) {
			w := standIn(t, c.config)
			w.TLS = servertest.TLSRequired // as the secret has it
			user := w.user(t, "app")
			mark := w.StandIn.Mark()
			for _, strategy := range strategies {
				databasetest.Wants(t, w.rotor(t, strategy, user).Rotate(t), rotation.TLS, c.says)
			}
			if log := w.StandIn.LogSince(mark); log != "" {
				t.Errorf("the server has seen\n%s", log)
			}
		})
	}
}

func TestPlainTextOnlyWhereTheOperatorSaysSo(t *testing.T) {
	w := standIn(t, oracletest.Config{Options: servertest.NoTLS()})
	w.TLS = servertest.TLSRequired
	r := w.rotor(t, database.SingleUser, w.user(t, "app"))
	r.Config.Plaintext = true
	r.Must(t)
	if log := r.Log.String(); !strings.Contains(log, "TLS_FALLBACK=plaintext") || !strings.Contains(log, "native network encryption") {
		t.Errorf("the log does not say so:\n%s", log)
	}
	mute := standIn(t, oracletest.Config{Mute: true})
	r = mute.rotor(t, database.SingleUser, mute.user(t, "app"))
	r.Config.Plaintext = true
	databasetest.Wants(t, r.Rotate(t), rotation.TLS, "2484", "TLS_FALLBACK=plaintext does not help here") // silence proves no lack of TLS
	r.Store.End("user")
	r.Store.Write("user", "v0", r.Current().With("ssl", "false")) // as the message says
	if err := r.Rotate(t); err != nil {
		t.Errorf("in plain text: %v", err)
	}
}

func TestTLSForAnAlias(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.SingleUser, w.user(t, "app"))
	r.Store.Write("user", "v0", r.Current().With("tlsServerName", "localhost"))
	r.Must(t)
	r.Store.Write("user", "v9", r.Current().With("tlsServerName", "other"))
	r.Store.Stage("user", rotation.Current, "v9")
	databasetest.Wants(t, r.Rotate(t), rotation.TLS, "tlsServerName")
}

func TestNobodyListens(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.SingleUser, w.user(t, "app"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	r.Store.Write("user", "v0", r.Current().With("port", port))
	databasetest.Wants(t, r.Rotate(t), rotation.Unreachable, "refused")
}

// A listener that never answers must not hold the function up.
func TestASilentServerEndsAtTheTimeOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	w := standIn(t, oracletest.Config{})
	r := w.rotor(t, database.SingleUser, w.user(t, "app"))
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	r.Store.Write("user", "v0", r.Current().With("port", port))
	r.Config.ConnectTimeout = 50 * time.Millisecond
	r.Config.Plaintext = true
	databasetest.Wants(t, r.Rotate(t), rotation.Unreachable, "CONNECT_TIMEOUT", "did not answer TLS", "2484", "TLS_FALLBACK=plaintext does not help here")
}

// A server that hangs in the middle of a statement ends with the step's time.
func TestAStatementEndsWithItsContext(t *testing.T) {
	w := standIn(t, oracletest.Config{})
	conn := w.session(t, w.secret(t, w.user(t, "app"), old))
	release := w.StandIn.Hang()
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := conn.Check(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
	if err := conn.Check(t.Context()); err == nil {
		t.Error("the connection is still used")
	}
}
