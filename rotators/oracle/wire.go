package oracle

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// A Dialer opens the network connection of a session.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// A wire is the one network connection of a session. It goes to the secret's
// host, whatever address the client asks for, and there is no second one: a
// listener that sends its clients on (REDIRECT) could name a host that nobody
// has verified, or one without TLS, and go-ora would follow.
type wire struct {
	login database.Login

	mu     sync.Mutex
	conn   net.Conn
	dialed bool
	read   atomic.Int64 // bytes
}

// DialContext implements Dialer.
func (w *wire) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dialed {
		return nil, rotation.Fail(rotation.Unreachable, "the listener at %s sends its clients on to another address, where a password is not sent", w.login.Address()).
			With("Put the host and port of one node's own listener into the secret: not a SCAN address of RAC, and no dispatcher of shared servers.")
	}
	w.dialed = true
	conn, err := w.login.DialContext(ctx, "tcp", w.login.Address())
	if err != nil {
		return nil, err
	}
	w.conn = conn
	return counted{conn, &w.read}, nil
}

// counted counts what is read.
type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// cut ends the connection, if there is one. Whoever waits for it returns.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// until cuts the connection when ctx ends, unless stop is called first.
func (w *wire) until(ctx context.Context) (stop func()) {
	undo := context.AfterFunc(ctx, w.cut)
	return func() { undo() }
}

// ended puts the end of ctx, which cut the connection, before what followed.
func ended(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// tcps says which port has TLS.
const (
	tcps  = "Name the listener's TCPS endpoint: its port is another one than that of TCP, often 2484 (on RDS, the port of the SSL option). Only if there can be none: "
	plain = tcps + `"ssl": false in the secret, or TLS_FALLBACK=plaintext in the function.`
	// TLS_FALLBACK needs a listener that answers, and so shows that it has no TLS.
	// Silence shows nothing: whoever stands between can make it.
	mute = tcps + `"ssl": false in the secret. TLS_FALLBACK=plaintext does not help here, since the listener does not say that it has no TLS.`
)

// connectFault gives an error of a connection attempt its class.
func (w *wire) connectFault(err error) error {
	var record tls.RecordHeaderError
	switch {
	case w.login.TLS != nil && errors.As(err, &record):
		return &rotation.Fault{Class: rotation.TLS, Err: fmt.Errorf("%w: %w", database.ErrNoTLS, err), Remedy: plain}
	case w.login.TLS != nil && w.silent(err):
		// A listener without TCPS cannot read the greeting of TLS. That it says
		// nothing is no proof: a connection that broke looks the same.
		return &rotation.Fault{Class: rotation.TLS, Err: fmt.Errorf("the listener ended the connection instead of answering TLS: %w", err), Remedy: mute, Transient: true}
	case w.login.TLS != nil && w.waiting(err):
		// To a TCP endpoint the first bytes of TLS are the length of a long packet,
		// for the rest of which it waits (?). A listener that hangs looks the same.
		return &rotation.Fault{Class: rotation.Unreachable, Err: fmt.Errorf("the listener took the connection and did not answer TLS: %w", err), Transient: true,
			Remedy: "If the listener answers others (tnsping), its port has no TLS. " + mute}
	}
	return loginFault(err)
}

// waiting reports whether the server took a connection and time ran out without a
// word from it.
func (w *wire) waiting(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn != nil && w.read.Load() == 0 && errors.Is(err, context.DeadlineExceeded)
}

// silent reports whether the server ended a connection without a word.
func (w *wire) silent(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn != nil && w.read.Load() == 0 && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrDeadlineExceeded) &&
		(errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE))
}
