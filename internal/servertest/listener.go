package servertest

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"

	"github.com/seed492efc12/rotor/local/localtls"
)

// A Listener is what an imitation listens with: a free port of [Host], and the
// connections that came to it.
type Listener struct {
	listener net.Listener

	mu      sync.Mutex
	open    map[net.Conn]bool
	closed  bool
	serving sync.WaitGroup
}

// Listen opens the port. Connections wait until Serve is called.
func Listen() (*Listener, error) {
	l, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return &Listener{listener: l, open: map[net.Conn]bool{}}, nil
}

// Port is where it listens.
func (l *Listener) Port() int { return l.listener.Addr().(*net.TCPAddr).Port }

// Serve begins to accept connections. Each is handled on a goroutine of its own,
// and closed when handle returns.
func (l *Listener) Serve(handle func(net.Conn)) {
	go func() {
		for {
			conn, err := l.listener.Accept()
			if err != nil {
				return
			}
			if !l.admit(conn) {
				_ = conn.Close()
				return
			}
			go func() {
				defer l.serving.Done()
				defer l.forget(conn)
				handle(conn)
			}()
		}
	}()
}

// admit takes a connection, unless the listener is closed.
func (l *Listener) admit(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.open[conn] = true
	l.serving.Add(1)
	return true
}

func (l *Listener) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = conn.Close()
	delete(l.open, conn)
}

// Close closes the port, ends all connections, and waits for those who handle
// them.
func (l *Listener) Close() error {
	err := l.listener.Close()
	l.mu.Lock()
	l.closed = true
	for conn := range l.open {
		_ = conn.Close()
	}
	l.mu.Unlock()
	l.serving.Wait()
	return err
}

// ImitationTLS is the certificate of an imitation, with the fault that the
// options ask for, and the PEM of what signed it.
func ImitationTLS(o Options) (config *tls.Config, ca []byte, err error) {
	authority, err := localtls.New()
	if err != nil {
		return nil, nil, err
	}
	certificate, err := authority.Faulty(o.Certificate, Host, "localhost")
	if err != nil {
		return nil, nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate.TLS}, MinVersion: tls.VersionTLS12}, authority.PEM(), nil
}
