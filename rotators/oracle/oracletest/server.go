package oracletest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// A Server is a running stand-in. It may be used from many goroutines.
type Server struct {
	Host          string
	Port          int
	CA            []byte // PEM of what signed the server's certificate
	AdminUser     string
	AdminPassword string

	config   Config
	tls      *tls.Config
	listener net.Listener

	mu       sync.Mutex // held during each statement
	catalog  *catalog
	log      strings.Builder
	refusal  *sqlError
	denied   map[string]int // texts that no statement may hold, and their code
	sessions map[*session]net.Conn
	closed   bool
	serving  sync.WaitGroup
}

// Start starts a stand-in with one administrator. Close it.
func Start(config Config) (*Server, error) {
	if config.Version == "" {
		config.Version = "19.0.0.0.0"
	}
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
		return nil, fmt.Errorf("starting the stand-in: %w", err)
	}
	s := &Server{
		Host: Host, Port: listener.Addr().(*net.TCPAddr).Port, CA: ca.PEM(), AdminUser: "admin", AdminPassword: "A1" + rand.Text()[:20],
		config: config, listener: listener, sessions: map[*session]net.Conn{}, denied: map[string]int{},
		tls: &tls.Config{Certificates: []tls.Certificate{certificate.TLS}, MinVersion: tls.VersionTLS12},
	}
	s.catalog = newCatalog(config, s.AdminPassword)
	go s.accept()
	return s, nil
}

func (s *Server) accept() {
	for {
		socket, err := s.listener.Accept()
		if err != nil {
			return
		}
		if c := s.admit(socket); c != nil {
			go func() {
				defer s.serving.Done()
				c.run()
			}()
		}
	}
}

// admit takes a connection, unless the server is closed.
func (s *Server) admit(socket net.Conn) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = socket.Close()
		return nil
	}
	c := &session{server: s}
	s.sessions[c] = socket
	s.serving.Add(1)
	return c
}

// Close ends all sessions.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for _, socket := range s.sessions {
		_ = socket.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
	return err
}

// How a login stands in the log.
const (
	loginAccepted = "login accepted: "
	loginRefused  = "login refused: "
)

// A Mark is a place in a server's log.
type Mark int

// Mark is the place that the log has come to.
func (s *Server) Mark() Mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Mark(s.log.Len())
}

// LogSince is what the server logged after a mark: every login, and every statement
// with its binds ("reads" for queries).
func (s *Server) LogSince(mark Mark) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()[mark:]
}

// LoginsSince counts the logins after a mark.
func (s *Server) LoginsSince(mark Mark) (accepted, refused int) {
	log := s.LogSince(mark)
	return strings.Count(log, loginAccepted), strings.Count(log, loginRefused)
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

// Exec runs statements as SYS, who may do everything, until one fails.
func (s *Server) Exec(statements ...string) error {
	for _, text := range statements {
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
