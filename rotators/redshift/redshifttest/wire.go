package redshifttest

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"sync"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// A wireServer is the wire-level server's shared state.
type wireServer struct {
	listener net.Listener
	config   Config
	tls      *tls.Config
	log      *memoryLog
	queries  map[string]query

	// writer holds a token while a transaction that writes is open: one at a time, so that a commit replaces the catalog
	// and loses nothing.
	writer chan struct{}

	mu       sync.Mutex
	catalog  *catalog
	refusal  *sqlError
	sessions map[*session]net.Conn
	closed   bool
	serving  sync.WaitGroup
}

// StartWire starts the wire-level server, with one superuser and the database dev.
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
		listener: listener, config: config, log: &memoryLog{}, queries: queries(),
		tls:     &tls.Config{Certificates: []tls.Certificate{certificate.TLS}, MinVersion: tls.VersionTLS12},
		catalog: newCatalog("admin", password), sessions: map[*session]net.Conn{}, writer: make(chan struct{}, 1),
	}
	go w.accept()
	return &Server{
		Kind: Wire, Host: Host, Port: listener.Addr().(*net.TCPAddr).Port, CA: ca.PEM(),
		AdminUser: "admin", AdminPassword: password, Database: "dev", tls: !config.NoTLS, wire: w,
	}, nil
}

func (w *wireServer) accept() {
	for {
		socket, err := w.listener.Accept()
		if err != nil {
			return
		}
		s := w.admit(socket)
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

// admit takes a connection, unless the server is closed.
func (w *wireServer) admit(socket net.Conn) *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	s := &session{server: w, conn: socket, prepared: map[string]*prepared{}}
	w.sessions[s] = socket
	w.serving.Add(1)
	return s
}

func (w *wireServer) forget(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.sessions[s].Close()
	delete(w.sessions, s)
}

// committed is the catalog that transactions start from. It never changes.
func (w *wireServer) committed() *catalog {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.catalog
}

func (w *wireServer) commit(changed *catalog) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catalog = changed
}

// change does something to the catalog that no statement does.
func (w *wireServer) change(f func(c *catalog)) {
	w.writer <- struct{}{}
	defer func() { <-w.writer }()
	changed := w.committed().clone()
	f(changed)
	w.commit(changed)
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
