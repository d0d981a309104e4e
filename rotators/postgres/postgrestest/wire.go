package postgrestest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// WireConfig is what only the wire-level server can do.
type WireConfig struct {
	// Parameters are reported at login in place of, or on top of, the usual ones: server_version, client_encoding...
	Parameters map[string]string
}

func (w WireConfig) isZero() bool { return len(w.Parameters) == 0 }

// wireVersion is the PostgreSQL whose rules the wire-level server follows.
const wireVersion = "18.4"

// StartWire starts the wire-level server: PostgreSQL's protocol, TLS, authentication, transactions and error codes, the
// statements about roles, and the catalog queries of Rotor's driver. It has no tables. Its own tests run against real
// servers too, so that the two agree; what it says of anything they do not cover is this package's reading of the manual.
func StartWire(config Config) (*Server, error) {
	ca, err := localtls.New()
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	first := newCatalog("postgres", password, config.MD5)
	return startWire(config, ca, first, password, false)
}

// startWire runs a server on a catalog. In recovery it is a standby.
func startWire(config Config, ca *localtls.CA, holding *catalog, password string, recovery bool) (*Server, error) {
	certificate, err := ca.Faulty(config.Certificate, Host, "localhost")
	if err != nil {
		return nil, err
	}
	queries, err := compileQueries(catalogQueries())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return nil, fmt.Errorf("starting the wire-level server: %w", err)
	}
	w := &wireServer{
		listener: listener, config: config, recovery: recovery, queries: queries, log: &memoryLog{},
		tls:      &tls.Config{Certificates: []tls.Certificate{certificate.TLS}, MinVersion: tls.VersionTLS12},
		catalog:  holding,
		sessions: map[*wireSession]struct{}{},
		writer:   make(chan struct{}, 1),
	}
	go w.accept()
	return w.server(ca, password), nil
}

// A wireServer is the wire-level server's shared state.
type wireServer struct {
	listener net.Listener
	config   Config
	recovery bool
	queries  []compiledQuery
	log      *memoryLog
	tls      *tls.Config

	// writer holds a token while a transaction that writes is open: one at a time, so that a commit replaces the
	// catalog and loses nothing. The real server locks finer.
	writer chan struct{}

	mu       sync.Mutex
	catalog  *catalog
	refusal  *sqlError // what every login is told, if anything
	sessions map[*wireSession]struct{}
	started  uint32 // sessions, ever: also their process numbers
	closed   bool
	serving  sync.WaitGroup
}

// server describes a wire-level server.
func (w *wireServer) server(ca *localtls.CA, password string) *Server {
	port := w.listener.Addr().(*net.TCPAddr).Port
	s := &Server{
		Host: Host, Port: port, CA: ca.PEM(),
		AdminUser: "postgres", AdminPassword: password, Database: "postgres",
		Major: major(wireVersion), Version: wireVersion,
		origin: "wire-level PostgreSQL server (not a real one)",
		tls:    w.config.TLS != TLSOff,
		log:    w.log,
		halt:   w.close,
		wire:   w,
	}
	s.standby = func() (*Server, error) { return startWire(w.config, ca, w.committed(), password, true) }
	return s
}

// RefuseLogins makes the wire-level server answer every login with an error, before it asks for a password: "57P03" is
// a server that starts up, "53300" a full one. An empty code ends it. Real servers cannot be told so.
func (s *Server) RefuseLogins(code, message string) error {
	if s.wire == nil {
		return errors.New("only the wire-level server refuses logins on demand")
	}
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	s.wire.refusal = nil
	if code != "" {
		s.wire.refusal = refuse(code, "%s", message)
	}
	return nil
}

// accept serves connections until the listener is closed.
func (w *wireServer) accept() {
	for {
		conn, err := w.listener.Accept()
		if err != nil {
			return
		}
		session := w.newSession(conn)
		if session == nil {
			conn.Close()
			return
		}
		go func() {
			defer w.serving.Done()
			session.run()
		}()
	}
}

// newSession admits a connection, unless the server is closed.
func (w *wireServer) newSession(conn net.Conn) *wireSession {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.started++
	session := &wireSession{
		server: w, socket: conn, conn: conn, process: w.started,
		prepared: map[string]*prepared{}, portals: map[string]*portal{},
	}
	w.sessions[session] = struct{}{}
	w.serving.Add(1)
	return session
}

func (w *wireServer) forget(session *wireSession) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sessions, session)
}

// committed is the catalog that transactions start from. It never changes.
func (w *wireServer) committed() *catalog {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.catalog
}

// commit replaces the catalog. The caller holds the writer's token.
func (w *wireServer) commit(changed *catalog) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.catalog = changed
}

// dropRoles drops the roles whose names contain a text, whatever stands in the way.
func (w *wireServer) dropRoles(containing string) {
	w.writer <- struct{}{}
	defer func() { <-w.writer }()
	changed := w.committed().clone()
	for _, name := range sortedKeys(changed.roles) {
		if strings.Contains(name, containing) {
			changed.dropRole(name)
		}
	}
	w.commit(changed)
}

// close ends all sessions.
func (w *wireServer) close() error {
	err := w.listener.Close()
	w.mu.Lock()
	w.closed = true
	for session := range maps.Clone(w.sessions) {
		session.socket.Close()
	}
	w.mu.Unlock()
	w.serving.Wait()
	return err
}

// number reads an integer setting of the configuration.
func (w *wireServer) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(w.config.Settings[name]); err == nil {
		return n
	}
	return otherwise
}
