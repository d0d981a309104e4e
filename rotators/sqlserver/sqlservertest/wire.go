package sqlservertest

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// A wireServer is the wire-level server's shared state.
type wireServer struct {
	listener net.Listener
	config   Config
	tls      *tls.Config
	log      *memoryLog

	mu       sync.Mutex
	catalog  *catalog
	locks    map[string]chan struct{}
	refusals []*sqlError
	failures []failure
	sessions map[*session]net.Conn
	closed   bool
	serving  sync.WaitGroup
}

// A failure is what a statement ends with that begins in a way.
type failure struct {
	start string
	err   error
}

// StartWire starts the wire-level server, with one member of sysadmin.
func StartWire(config Config) (*Server, error) {
	ca, err := localtls.New()
	if err != nil {
		return nil, err
	}
	certificate, err := ca.Faulty(config.Certificate, Host, "localhost")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return nil, fmt.Errorf("starting the wire-level server: %w", err)
	}
	password := "Admin1" + rand.Text()
	w := &wireServer{
		listener: listener, config: config, log: &memoryLog{}, locks: map[string]chan struct{}{},
		// Tickets would come after the handshake, when the client reads no more of it.
		tls:     &tls.Config{Certificates: []tls.Certificate{certificate.TLS}, MinVersion: tls.VersionTLS12, MaxVersion: config.MaxTLS, SessionTicketsDisabled: true},
		catalog: newCatalog("admin", password), sessions: map[*session]net.Conn{},
	}
	go w.accept()
	return &Server{
		Kind: Wire, Host: Host, Port: listener.Addr().(*net.TCPAddr).Port, CA: ca.PEM(),
		AdminUser: "admin", AdminPassword: password, tls: !config.NoTLS, wire: w,
	}, nil
}

func (w *wireServer) accept() {
	for {
		socket, err := w.listener.Accept()
		if err != nil {
			return
		}
		s := w.take(socket)
		if s == nil {
			_ = socket.Close()
			return
		}
		go func() {
			defer w.serving.Done()
			s.run()
		}()
	}
}

// take takes a connection, unless the server is closed.
func (w *wireServer) take(socket net.Conn) *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	s := &session{server: w, conn: socket}
	w.sessions[s] = socket
	w.serving.Add(1)
	return s
}

func (w *wireServer) forget(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.unlock()
	_ = w.sessions[s].Close()
	delete(w.sessions, s)
}

// change does something to the catalog that no statement does.
func (w *wireServer) change(f func(c *catalog)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w.catalog)
}

// intervene is the failure that a test has planned for a statement.
func (w *wireServer) intervene(source string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, f := range w.failures {
		if strings.HasPrefix(source, f.start) {
			w.failures = append(w.failures[:i:i], w.failures[i+1:]...)
			return f.err
		}
	}
	return nil
}

// close ends all sessions.
func (w *wireServer) close() error {
	err := w.listener.Close()
	w.mu.Lock()
	w.closed = true
	for _, socket := range maps.Clone(w.sessions) {
		_ = socket.Close()
	}
	w.mu.Unlock()
	w.serving.Wait()
	return err
}
