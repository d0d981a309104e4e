package documentdb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// AWS supports DocumentDB 4.0, and 3.6 for those who pay. They say the wire versions 7 and 6, which are too low for the
// client library as its makers ship it.
func TestEveryDocumentDBIsLetIn(t *testing.T) {
	for _, version := range []string{"3.6", "4.0"} {
		t.Run(version, func(t *testing.T) {
			w := ownDocumentDB(t, documentdbtest.Config{Version: version})
			w.everyWay(t)
			conform(t, w, true)
		})
	}
}

// everyWay rotates a user three times by each strategy, each time after a trial.
func (w *world) everyWay(t *testing.T, change ...func(*database.Config)) {
	t.Helper()
	for way, s := range databasetest.Ways() {
		w.users++
		user := w.user(t, "admin", w.name(fmt.Sprint("app", w.users)), "first password")
		r := w.rotor(t, s, w.secret(t, user, "first password"), change...)
		for range 3 {
			if err := r.trial(t); err != nil {
				t.Errorf("%s: the trial: %v", way, err)
			}
			r.store.End("user")
			if err := w.probe(t.Context(), r.must(t)); err != nil {
				t.Errorf("%s: %v", way, err)
			}
		}
	}
}

// A real MongoDB is rotated too when it says no more of itself than DocumentDB does: the library goes by what a server says.
func TestALowWireVersionIsEnough(t *testing.T) {
	w := own(t, documentdbtest.Config{Options: servertest.NoTLS()})
	for _, wire := range []uint32{6, 7} {
		var said atomic.Int32
		w.everyWay(t, func(c *database.Config) {
			c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				var d net.Dialer
				conn, err := d.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &modest{Conn: conn, wire: wire, said: &said}, nil
			}
		})
		if said.Load() == 0 {
			t.Error("the server said what it wanted")
		}
	}
}

// modest is a connection to a server that says another wire version than its own.
type modest struct {
	net.Conn
	wire uint32
	said *atomic.Int32
}

func (c *modest) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	const field = "\x10maxWireVersion\x00" // a 32-bit integer of that name, and its bytes
	if at := bytes.Index(p[:n], []byte(field)); at >= 0 && at+len(field)+4 <= n {
		binary.LittleEndian.PutUint32(p[at+len(field):], c.wire)
		c.said.Add(1)
	}
	return n, err
}

func TestAServerOfAnotherProtocolIsNamed(t *testing.T) {
	for _, c := range []struct {
		wire [2]int32
		says string
	}{
		{[2]int32{0, 5}, "MongoDB 3.6 is the oldest"},
		{[2]int32{90, 99}, "a newer version of Rotor"},
	} {
		for _, cluster := range []string{"", "rs0"} {
			s := documentdbtest.StartDocumentDB(t, documentdbtest.Config{Wire: c.wire, ReplicaSet: cluster != ""})
			w, mark := &world{server: s, roots: roots(s)}, s.Mark()
			doc := w.adminSecret(t).With("replicaSet", cluster)
			wantFault(t, w.dial(t, doc), rotation.Unsupported, c.says)
			if err := w.rotor(t, database.SingleUser, doc).trial(t); class(err) != rotation.Unsupported {
				t.Errorf("the trial: %v", err)
			}
			if accepted, refused := s.LoginsSince(mark); accepted+refused != 0 {
				t.Error("the password was used")
			}
		}
	}
}
