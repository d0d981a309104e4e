package documentdb_test

import (
	"bytes"
	"context"
	"net"
	"sync"

	"github.com/seed492efc12/rotor/framework/database"
)

// A tap is on Rotor's connections to a server without TLS, and does something about one message: the first that holds a
// word and goes to the server.
type tap struct {
	word string
	// before happens before the message goes out. It may be nil.
	before func()
	// lose closes the connection when the answer comes, before anybody sees it.
	lose bool

	mu    sync.Mutex
	done  bool
	conns []net.Conn
}

// on puts the tap on a configuration's connections.
func (p *tap) on(c *database.Config) { c.Dial = p.dial }

func (p *tap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conn)
	return &tapped{Conn: conn, tap: p}, nil
}

// cut closes all connections, as a server does that goes away.
func (p *tap) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// meets reports whether a message is the one.
func (p *tap) meets(message []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || p.word == "" || !bytes.Contains(message, []byte(p.word)) {
		return false
	}
	p.done = true
	return true
}

type tapped struct {
	net.Conn
	tap *tap

	mu   sync.Mutex
	lost bool // with the next answer
}

func (c *tapped) Write(message []byte) (int, error) {
	if c.tap.meets(message) {
		if c.tap.before != nil {
			c.tap.before()
		}
		c.mu.Lock()
		c.lost = c.tap.lose
		c.mu.Unlock()
	}
	return c.Conn.Write(message)
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return n, err
}
