package oracletest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"sync"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Server is a running stand-in. It may be used from many goroutines. Its log has
// every login, and every statement with its binds ("reads" for queries).
type Server struct {
	servertest.Server

	config Config
	tls    *tls.Config
	log    servertest.MemoryLog

	mu          sync.Mutex // held during each statement
	catalog     *catalog
	refusal     *sqlError
	denied      map[string]int // texts that no statement may hold, and their code
	anticipated []string       // texts of statements that another session does first
	before      map[string][]string
	sessions    map[*session]bool
}

// Start starts a stand-in with one administrator. Close it.
func Start(config Config) (*Server, error) {
	if config.Version == "" {
		config.Version = "19.0.0.0.0"
	}
	tls, ca, err := servertest.ImitationTLS(config.Options)
	if err != nil {
		return nil, err
	}
	listener, err := servertest.Listen()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Server: servertest.Server{
			Title: "Oracle " + config.Version, Version: config.Version, Ours: true, Host: servertest.Host, Port: listener.Port(), CA: ca, TLS: config.TLS,
			AdminUser: "admin", AdminPassword: "A1" + rand.Text()[:20], CountLogins: servertest.CountLogins, Halt: listener.Close,
		},
		config: config, tls: tls, sessions: map[*session]bool{}, denied: map[string]int{}, before: map[string][]string{},
	}
	s.Journal = &s.log
	s.catalog = newCatalog(config, s.AdminPassword)
	listener.Serve(s.serve)
	return s, nil
}

// serve runs one connection.
func (s *Server) serve(socket net.Conn) {
	c := &session{server: s}
	s.mu.Lock()
	s.sessions[c] = true
	s.mu.Unlock()
	c.run(socket)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
}

// RefuseLogins makes the server answer every login with an error. Zero ends it.
func (s *Server) RefuseLogins(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = nil
	if code != 0 {
		s.refusal = raise(code, "said the test")
	}
}

// Deny makes every statement that holds a text fail with a code. Zero ends it.
func (s *Server) Deny(text string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.denied, text)
	if code != 0 {
		s.denied[text] = code
	}
}

// Anticipate lets another session do every statement that holds a text just before
// whoever says it.
func (s *Server) Anticipate(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anticipated = append(s.anticipated, text)
}

// Before lets another session run statements once, just before whoever says a
// statement that holds a text.
func (s *Server) Before(text string, statements ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before[text] = statements
}

// Exec runs statements as SYS, who may do everything, until one fails.
func (s *Server) Exec(statements ...string) error {
	for _, text := range statements {
		servertest.Record("oracle", false, text)
		if _, err := s.execute(&session{server: s, user: "SYS", schema: "SYS"}, text, nil); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// As logs in and runs statements until one fails. The user is written as in a
// secret.
func (s *Server) As(_ context.Context, user, password string, statements ...string) error {
	c := &session{server: s}
	if err := c.authenticate(request{User: user, Password: password, Service: Service}); err != nil {
		return err
	}
	for _, text := range statements {
		servertest.Record("oracle", false, text)
		if _, err := s.execute(c, text, nil); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// Hang stops all work until release is called.
func (s *Server) Hang() (release func()) {
	s.mu.Lock()
	return s.mu.Unlock
}

func (s *Server) everything() []string { return s.config.everything() }
