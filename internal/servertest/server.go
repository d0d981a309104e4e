package servertest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// A Server is a running server. It may be used from many goroutines, once its
// fields are set.
type Server struct {
	// Title is what it is, for people: "MySQL 8.0.33".
	Title string
	// Real says that it is somebody else's software, and not an imitation of ours.
	Real bool
	// Ours says that it was started here, for tests alone: its settings may be
	// changed, and its log can be read.
	Ours bool

	Host          string
	Port          int
	CA            []byte // PEM of what signed the server's certificate; empty without TLS, or if the system knows it
	AdminUser     string // may do everything
	AdminPassword string
	Version       string // "8.0.33"
	TLS           TLS

	// Journal is the server's log, nil where it is out of reach.
	Journal Journal
	// CountLogins counts the logins that a part of the log tells of. Refused are
	// those whose user or password the server did not take.
	CountLogins func(log string) (accepted, refused int)
	// Halt ends the server and removes its files. Nil does nothing.
	Halt func() error

	closing sync.Once
	closed  error
	begin   Mark
}

// A Journal is what a server has logged so far: each statement, each login.
type Journal interface {
	Size() int
	Since(offset int) string
}

// Name is the server's title, and whether it is a real one.
func (s *Server) Name() string {
	if s.Real {
		return s.Title + " (real)"
	}
	return s.Title + " (imitation)"
}

// SSL is what a secret says of TLS to this server.
func (s *Server) SSL() string { return strconv.FormatBool(s.TLS != TLSOff) }

// Close ends a server that was started here, and leaves others alone. Its log
// can still be read. More calls do nothing more.
func (s *Server) Close() error {
	s.closing.Do(func() {
		if s.Halt != nil {
			s.closed = s.Halt()
		}
	})
	return s.closed
}

// A Mark is a place in a server's log.
type Mark int

// HasLog says whether the log can be read. Where it cannot, a search in it
// proves nothing.
func (s *Server) HasLog() bool { return s.Journal != nil }

// Mark is the place that the log has come to.
func (s *Server) Mark() Mark {
	if s.Journal == nil {
		return 0
	}
	return Mark(s.Journal.Size())
}

// LogSince is what the server logged after a mark. It is empty where the log is
// out of reach: see HasLog.
func (s *Server) LogSince(mark Mark) string {
	if s.Journal == nil {
		return ""
	}
	return s.Journal.Since(int(mark))
}

// Log is all that the server logged.
func (s *Server) Log() string { return s.LogSince(0) }

// Begin makes Logins count from here on.
func (s *Server) Begin() { s.begin = s.Mark() }

// Logins counts the logins since Begin.
func (s *Server) Logins() (accepted, refused int) { return s.LoginsSince(s.begin) }

// LoginsSince counts the logins after a mark.
func (s *Server) LoginsSince(mark Mark) (accepted, refused int) {
	return s.CountLogins(s.LogSince(mark))
}

// ClientTLS verifies the server against its own CA. It is nil for a server
// without TLS.
func (s *Server) ClientTLS() (*tls.Config, error) {
	if s.TLS == TLSOff {
		return nil, nil
	}
	config := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if len(s.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(s.CA) {
			return nil, errors.New("the server's CA holds no certificate")
		}
	}
	return config, nil
}

// Announcement is the line by which a test says on what it runs. A summary of
// many tests reads it.
func (s *Server) Announcement() string {
	kind := "imitation"
	if s.Real {
		kind = "real"
	}
	return fmt.Sprintf("SERVER %s %q", kind, s.Title)
}
