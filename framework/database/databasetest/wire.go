package databasetest

import (
	"context"
	"net"
	"sync"
	"syscall"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// A wire opens a driver's connections and cuts one of them at the write of
// number at, which is a message to the server or a part of one: before the
// server gets it or, if late, when its answer has come and before the driver
// sees it. If lasting, nothing more gets through, as if the function had died,
// until revive. The zero wire cuts nothing and only counts.
type wire struct {
	at      int
	late    bool
	lasting bool

	mu     sync.Mutex
	writes int
	dead   bool
	die    context.CancelFunc // ends what the function does
}

// dial is a configuration's Dial.
func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if w.isDead() {
		return nil, rotationtest.ErrInjected
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: conn, wire: w}, nil
}

// next counts a write and reports whether it is the one to cut at.
func (w *wire) next() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	return w.writes == w.at
}

// fail ends what the fault lets live.
func (w *wire) fail() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lasting {
		w.dead = true
		w.die()
	}
}

// revive starts the function anew, with a context that ends when it dies.
func (w *wire) revive(ctx context.Context) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, w.die = context.WithCancel(ctx)
	w.dead = false
	return ctx
}

func (w *wire) isDead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}

// fired reports whether the write to cut at was made.
func (w *wire) fired() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at > 0 && w.writes >= w.at
}

type wireConn struct {
	net.Conn
	wire *wire

	mu  sync.Mutex
	cut bool // the next answer is lost
}

// errCut is what the operating system says of a connection that was cut.
func (c *wireConn) errCut(op string) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: c.RemoteAddr(), Err: syscall.ECONNRESET}
}

func (c *wireConn) Write(p []byte) (int, error) {
	switch cut := c.wire.next(); {
	case cut && c.wire.late:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cut = true
	case cut:
		c.wire.fail()
		fallthrough
	case c.wire.isDead():
		_ = c.Close()
		return 0, c.errCut("write")
	}
	return c.Conn.Write(p)
}

func (c *wireConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		c.wire.fail()
		_ = c.Close()
		return 0, c.errCut("read")
	}
	return n, err
}
