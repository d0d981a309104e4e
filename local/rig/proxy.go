package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// A Proxy passes connections on to a server on this machine, as far as its [Points] let it. It knows no protocol: TLS
// goes through it as it is.
type Proxy struct {
	// Port is where it listens, on 127.0.0.1.
	Port int

	name     string
	points   *Points
	server   string
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool // both sides of each connection
	idle   chan struct{}     // closed while there is none
	opened int
}

// NewProxy makes a proxy to a server, host and port, whose turns go by that name. Close it when done.
func NewProxy(name, server string, points *Points) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w", name, err)
	}
	p := &Proxy{
		Port: listener.Addr().(*net.TCPAddr).Port, name: name, points: points, server: server, listener: listener,
		open: map[net.Conn]bool{}, idle: make(chan struct{}),
	}
	close(p.idle)
	p.serving.Go(p.accept)
	return p, nil
}

// Close ends all connections, and returns when they are gone.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		_ = c.Close() // its end is noticed by whoever reads it
	}
	p.mu.Unlock()
	p.serving.Wait()
	return err
}

// Idle waits until no connection is open.
func (p *Proxy) Idle(ctx context.Context) error {
	p.mu.Lock()
	idle := p.idle
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the connections to %s to end: %w", p.name, ctx.Err())
	}
}

// Connections are how many are open, and how many were ever opened.
func (p *Proxy) Connections() (open, ever int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open) / 2, p.opened
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // Close
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close() // as if the server were where the proxy is
			continue
		}
		p.track(client, server)
		p.serving.Go(func() { p.serve(client, server) })
	}
}

func (p *Proxy) track(client, server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 {
		p.idle = make(chan struct{})
	}
	p.open[client], p.open[server] = true, true
	p.opened++
	if p.closed {
		_, _ = client.Close(), server.Close()
	}
}

func (p *Proxy) forget(client, server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, client)
	delete(p.open, server)
	if len(p.open) == 0 {
		close(p.idle)
	}
}

func (p *Proxy) serve(client, server net.Conn) {
	c := &conversation{proxy: p, client: client, server: server}
	var both sync.WaitGroup
	both.Go(func() { c.pass(server, client, c.asking) })
	both.Go(func() { c.pass(client, server, c.answering) })
	both.Wait()
	c.end()
	p.forget(client, server)
}

// A conversation is one connection through a proxy.
type conversation struct {
	proxy          *Proxy
	client, server net.Conn

	mu       sync.Mutex // held while the connection stands still
	turn     string     // "" before the first
	answered bool
}

// asking reports whether what the client has sent may be passed on.
func (c *conversation) asking() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn != "" && !c.answered {
		return true
	}
	c.turn, c.answered = c.proxy.points.next(c.proxy.name), false
	return c.proxy.points.reach(c.turn + " asked")
}

// answering reports whether what the server has sent may be passed on. A greeting answers nothing.
func (c *conversation) answering() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn == "" || c.answered {
		return true
	}
	c.answered = true
	return c.proxy.points.reach(c.turn + " answered")
}

// pass copies one direction to its end, and tells the other side of it.
func (c *conversation) pass(to, from net.Conn, may func() bool) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !may() {
			c.end()
			return
		}
		if n > 0 && err == nil {
			_, err = to.Write(buffer[:n])
		}
		if errors.Is(err, io.EOF) {
			_ = to.(*net.TCPConn).CloseWrite() // the other direction may still have something to say
			return
		}
		if err != nil {
			c.end()
			return
		}
	}
}

func (c *conversation) end() {
	_ = c.client.Close()
	_ = c.server.Close()
}
