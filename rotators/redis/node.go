package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// A node is one logged-in connection to one server. One that is lost is not
// opened again: that would be another login.
type node struct {
	address string
	conn    redis.ConnWithContext
	mode    string // standalone, cluster or sentinel
	role    string // master or replica
	// rehearsed is the clone that a rehearsal would have made here.
	rehearsed string
}

// newNode speaks over a connection, without a login. How long a command may take
// is for its context to say.
func newNode(raw net.Conn, address string) *node {
	return &node{address: address, conn: redis.NewConn(raw, 0, 0).(redis.ConnWithContext)}
}

// open logs in.
func open(ctx context.Context, l database.Login, address string) (*node, error) {
	raw, err := dial(ctx, l, address)
	if err != nil {
		return nil, err
	}
	n := newNode(raw, address)
	if _, err = n.do(ctx, "AUTH", l.User, l.Password); err == nil {
		err = n.describe(ctx)
	}
	if err != nil {
		n.close()
		return nil, loginFault(err, l)
	}
	return n, nil
}

// dial opens a connection, encrypted if the login is. Every node's certificate
// has to be for the secret's host, or its tlsServerName: addresses that a server
// tells decide nothing.
func dial(ctx context.Context, l database.Login, address string) (net.Conn, error) {
	raw, err := l.DialContext(ctx, "tcp", address)
	if err != nil || l.TLS == nil {
		return raw, err
	}
	encrypted := tls.Client(raw, l.TLS)
	if err := handshake(ctx, encrypted, l, address); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return encrypted, nil
}

// silence is how long a server with TLS needs to begin with it. One without waits
// for the end of what it takes for a command.
const silence = time.Second

// handshake encrypts a connection, or says that the server cannot.
func handshake(ctx context.Context, encrypted *tls.Conn, l database.Login, address string) error {
	done := make(chan error, 1)
	go func() { done <- encrypted.HandshakeContext(ctx) }()
	select {
	case err := <-done:
		if err != nil && (errors.As(err, new(tls.RecordHeaderError)) || ctx.Err() == nil && speaksPlain(ctx, l, address)) {
			return fmt.Errorf("%w: %w", database.ErrNoTLS, err)
		}
		return err
	case <-time.After(silence):
	}
	if speaksPlain(ctx, l, address) {
		_ = encrypted.NetConn().Close() // which ends the handshake
		return fmt.Errorf("%w: %w", database.ErrNoTLS, <-done)
	}
	return <-done
}

// speaksPlain reports whether the server answers in plain text, which tells one
// without TLS from one that hung up for another reason. Nothing of the login is
// sent.
func speaksPlain(ctx context.Context, l database.Login, address string) bool {
	raw, err := l.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	n := newNode(raw, address)
	defer n.close()
	_, err = n.do(ctx, "PING")
	return err == nil || errors.As(err, new(redis.Error))
}

// describe asks the server what it is. Every user may.
// Source: Redis documentation, "HELLO".
func (n *node) describe(ctx context.Context) error {
	reply, err := n.do(ctx, "HELLO")
	facts, err := redis.Values(reply, err)
	if err != nil {
		return err
	}
	is := map[string]string{}
	for i := 0; i+1 < len(facts); i += 2 {
		name, _ := redis.String(facts[i], nil)
		is[name], _ = redis.String(facts[i+1], nil)
	}
	n.mode, n.role = is["mode"], is["role"]
	if major, _, _ := strings.Cut(is["version"], "."); len(major) == 1 && major < oldest {
		return rotation.Fail(rotation.BadSecret, "the server is %s %s, and its access control lists are of another form", is["server"], is["version"]).
			With("Upgrade the server to Redis " + oldest + ".0, to Valkey, or to what is newer.")
	}
	return nil
}

// oldest is the first major version with selectors, whose ACL GETUSER is read here.
const oldest = "7"

// do sends a command and returns the answer.
func (n *node) do(ctx context.Context, command string, arguments ...any) (any, error) {
	return n.conn.DoContext(ctx, command, arguments...)
}

func (n *node) close() { _ = n.conn.Close() }
