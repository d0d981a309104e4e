package mysql_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A tap is in the line to a server without TLS. It hears the driver's statements, and can lose the reply to one.
type tap struct {
	// heard is told each statement, and the number of its connection. If it returns true, the statement has its effect,
	// the reply is lost, and the connection breaks.
	heard func(connection int, statement string) (lose bool)
	// closed, if it is set, is told of each connection that ends.
	closed func(connection int)

	mu    sync.Mutex
	lines int
}

// dial is a configuration's Dial.
func (p *tap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines++
	return &tappedConn{Conn: conn, tap: p, number: p.lines}, err
}

type tappedConn struct {
	net.Conn
	tap    *tap
	number int

	mu   sync.Mutex
	lost bool
}

// Write gets a packet at a time: three bytes of length, a sequence number, then 3 for a statement, and the statement.
func (c *tappedConn) Write(p []byte) (int, error) {
	if len(p) > 5 && p[3] == 0 && p[4] == 3 {
		c.tap.mu.Lock()
		lose := c.tap.heard(c.number, string(p[5:]))
		c.tap.mu.Unlock()
		if lose {
			c.mu.Lock()
			c.lost = true
			c.mu.Unlock()
		}
	}
	return c.Conn.Write(p)
}

func (c *tappedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		_ = c.Close()
		return 0, &net.OpError{Op: "read", Net: "tcp", Addr: c.RemoteAddr(), Err: syscall.ECONNRESET}
	}
	return n, err
}

func (c *tappedConn) Close() error {
	if c.tap.closed != nil {
		c.tap.closed(c.number)
	}
	return c.Conn.Close()
}

// plain is a world on a real server of its own that knows no TLS, so that it can be tapped.
func plain(t *testing.T, product string, settings map[string]string) *world {
	t.Helper()
	options := servertest.NoTLS()
	options.Settings = settings
	return newWorld(t, mysqltest.Start(t, product, mysqltest.Config{Options: options}))
}

// tapped logs in by a tap.
func (w *world) tapped(t *testing.T, p *tap, user, password string) database.Conn {
	t.Helper()
	r := w.rotator(t, database.Config{Strategy: database.SingleUser, Password: func() string { return "" }, Dial: p.dial})
	c, err := r.Connect(t.Context(), w.secret(t, user, password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// losing loses the reply to the first statement that has a text in it.
func losing(text string) *tap {
	lost := false
	return &tap{heard: func(_ int, statement string) bool {
		first := !lost && strings.Contains(statement, text)
		lost = lost || first
		return first
	}}
}
