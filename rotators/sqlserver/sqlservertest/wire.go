package sqlservertest

import (
	"crypto/rand"
	"crypto/tls"
	"net"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/internal/catalogquery"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// A wireServer is the wire-level server's shared state.
type wireServer struct {
	config Config
	tls    *tls.Config
	log    *servertest.MemoryLog

	dialect    *catalogquery.Dialect
	documented catalogquery.Documented

	mu       sync.Mutex
	catalog  *catalog
	asked    map[string]*catalogquery.Query // nil for what is refused
	azure    bool
	locks    map[string]chan struct{}
	refusals []*sqlError
	failures []failure
}

// A failure is what a statement ends with that begins in a way.
type failure struct {
	start string
	err   error
}

// StartWire starts the wire-level server, with one member of sysadmin.
func StartWire(config Config) (*Server, error) {
	tls, ca, err := servertest.ImitationTLS(config.Options)
	if err != nil {
		return nil, err
	}
	tls.MaxVersion = config.MaxTLS
	tls.SessionTicketsDisabled = true // they would come after the handshake, when the client reads no more of it
	listener, err := servertest.Listen()
	if err != nil {
		return nil, err
	}
	password := "Admin1" + rand.Text()
	w := &wireServer{
		config: config, tls: tls, log: &servertest.MemoryLog{}, locks: map[string]chan struct{}{}, catalog: newCatalog("admin", password),
		asked: map[string]*catalogquery.Query{}, dialect: Dialect(), documented: documentedAt(config.release(), false),
	}
	listener.Serve(w.serve)
	return &Server{wire: w, Server: servertest.Server{
		Title: "SQL Server", Ours: true, Host: servertest.Host, Port: listener.Port(), CA: ca, TLS: config.TLS,
		AdminUser: "admin", AdminPassword: password, Journal: w.log, CountLogins: servertest.CountLogins, Halt: listener.Close,
	}}, nil
}

// serve runs one connection.
func (w *wireServer) serve(socket net.Conn) {
	s := &session{server: w, conn: socket}
	s.run()
	w.mu.Lock()
	defer w.mu.Unlock()
	s.unlock()
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
