package redshifttest

import (
	"crypto/rand"
	"crypto/tls"
	"net"
	"sync"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A wireServer is the wire-level server's shared state.
type wireServer struct {
	config Config
	tls    *tls.Config
	log    *servertest.MemoryLog

	// writer holds a token while a transaction that writes is open: one at a time, so that a commit replaces the catalog
	// and loses nothing.
	writer chan struct{}

	mu       sync.Mutex
	catalog  *catalog
	refusal  *sqlError
	sessions map[*session]bool
}

// StartWire starts the wire-level server, with one superuser and the database dev.
func StartWire(config Config) (*Server, error) {
	tls, ca, err := servertest.ImitationTLS(config.Options)
	if err != nil {
		return nil, err
	}
	listener, err := servertest.Listen()
	if err != nil {
		return nil, err
	}
	password := "Admin1" + rand.Text()
	w := &wireServer{
		config: config, tls: tls, log: &servertest.MemoryLog{},
		catalog: newCatalog("admin", password), sessions: map[*session]bool{}, writer: make(chan struct{}, 1),
	}
	listener.Serve(w.serve)
	return &Server{Kind: Wire, Database: "dev", wire: w, Server: servertest.Server{
		Title: string(Wire), Ours: true, Host: servertest.Host, Port: listener.Port(), CA: ca, TLS: config.TLS,
		AdminUser: "admin", AdminPassword: password, Journal: w.log, CountLogins: servertest.CountLogins, Halt: listener.Close,
	}}, nil
}

// serve runs one connection.
func (w *wireServer) serve(socket net.Conn) {
	s := &session{server: w, conn: socket, prepared: map[string]*prepared{}}
	w.mu.Lock()
	w.sessions[s] = true
	w.mu.Unlock()
	s.run()
	w.mu.Lock()
	defer w.mu.Unlock()
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
