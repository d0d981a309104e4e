package documentdb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"

	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// A dialer opens the driver's connections, encrypted if the login is. The driver
// itself would try again for as long as it may, and hide why; and it would ask
// servers on the internet whether the certificate is still good (OCSP), which
// functions in a VPC do not reach.
type dialer struct {
	login database.Login
	place place
	tls   *tls.Config // nil for plain text
	// end ends the attempt to connect, with the reason why it is hopeless.
	end context.CancelCauseFunc

	mu      sync.Mutex
	closed  bool
	reached bool
	failed  map[string]bool // by address
}

var _ options.ContextDialer = (*dialer)(nil)

func newDialer(l database.Login, p place, end context.CancelCauseFunc) *dialer {
	d := &dialer{login: l, place: p, end: end, failed: map[string]bool{}}
	if l.TLS != nil {
		d.tls = l.TLS.Clone()
		// The connection that logs in goes on with the TLS session of the one
		// that watches the server: a small function is spared a handshake.
		d.tls.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		if p.discover && l.Secret.Text("tlsServerName") == "" {
			d.tls.ServerName = "" // members have names of their own
		}
	}
	return d
}

// errOver is what a session gets that has lost its connection.
var errOver = errors.New("the connection was lost, and a session never logs in twice")

// DialContext implements the driver's ContextDialer.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.isClosed() {
		return nil, &rotation.Fault{Class: rotation.Unreachable, Err: errOver, Transient: true}
	}
	conn, err := d.dial(ctx, network, address)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.reached = true
	case ctx.Err() == nil:
		d.failed[address] = true
		if !d.reached && len(d.failed) >= len(d.place.hosts) {
			d.end(err)
		}
	}
	return conn, err
}

// close lets no more connection be made.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
}

func (d *dialer) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// wasReached reports whether any server was.
func (d *dialer) wasReached() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reached
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.login.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if d.tls == nil {
		return conn, nil
	}
	secured := tls.Client(conn, d.named(address))
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if hungUp(err) && d.answersPlain(ctx, network, address) {
			err = fmt.Errorf("%w: %w", database.ErrNoTLS, err)
		}
		return nil, err
	}
	return secured, nil
}

// named is the TLS configuration for one member.
func (d *dialer) named(address string) *tls.Config {
	config := d.tls.Clone()
	if host, _, err := net.SplitHostPort(address); err == nil && config.ServerName == "" {
		config.ServerName = host
	}
	return config
}

// hungUp reports whether the server ended the handshake without a word of TLS,
// as one does that has none, but a busy one as well.
func hungUp(err error) bool {
	var record tls.RecordHeaderError
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &record)
}
