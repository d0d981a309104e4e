package mysqltest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
)

// A Server is a running MariaDB or MySQL, or what stands in for one. It may be used from many goroutines.
type Server struct {
	Host          string
	Port          int
	CA            []byte // PEM: what signed the server's certificate; empty when the server has no TLS or the system knows its CA
	AdminUser     string // may do everything
	AdminPassword string
	Version       string // as VERSION() has it
	Real          bool   // not the wire-level server

	origin  string // how Name describes it
	tls     bool
	log     journal // nil: somebody else's server, whose log is out of reach
	started Mark    // where its log stood when it was ready
	halt    func() error
	wire    *Wire // nil unless wire-level

	closing sync.Once
	closed  error
}

// Name says what the server is, for people: "MariaDB 10.11.19 (real)".
func (s *Server) Name() string { return s.origin }

// Wire is the wire-level server behind s, or nil.
func (s *Server) Wire() *Wire { return s.wire }

// Close ends the server and removes its files. Log still tells what it logged. More calls do nothing more.
func (s *Server) Close() error {
	s.closing.Do(func() { s.closed = s.halt() })
	return s.closed
}

// A Mark is a place in a server's log.
type Mark int

// Mark is the place that the log has come to.
func (s *Server) Mark() Mark { return Mark(len(s.Log())) }

// Log is everything that the server logged: every statement, every connection, every refused login. It is empty for a
// server that was not started here: see HasLog.
func (s *Server) Log() string { return s.LogSince(0) }

// HasLog says whether the log can be read. Where it cannot, a search in it proves nothing.
func (s *Server) HasLog() bool { return s.log != nil }

// LogSince is what the server logged after a mark.
func (s *Server) LogSince(mark Mark) string {
	if s.log == nil {
		return ""
	}
	return s.log.Since(int(mark))
}

// Logins counts the logins since the server started.
func (s *Server) Logins() (accepted, refused int) { return s.LoginsSince(s.started) }

// LoginsSince counts the logins after a mark. Refused is every login that the server denied, for its password or any
// other reason.
func (s *Server) LoginsSince(mark Mark) (accepted, refused int) { return countLogins(s.LogSince(mark)) }

// Connect logs in, with verified TLS if the server has any, and returns a pool of one connection. The error is the
// driver's own. An empty database is none.
func (s *Server) Connect(ctx context.Context, user, password, database string) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	c.User, c.Passwd, c.DBName = user, password, database
	c.MultiStatements = s.Real
	c.Logger = &mysql.NopLogger{}
	if s.tls {
		config, err := s.clientTLS()
		if err != nil {
			return nil, err
		}
		c.TLS = config
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// clientTLS verifies the server against its own CA.
func (s *Server) clientTLS() (*tls.Config, error) {
	config := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if len(s.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(s.CA) {
			return nil, errors.New("the server's CA holds no certificate")
		}
	}
	return config, nil
}

// Admin logs in as the administrator.
func (s *Server) Admin(ctx context.Context) (*sql.DB, error) {
	return s.Connect(ctx, s.AdminUser, s.AdminPassword, "")
}

// describe asks a running server for its version.
func (s *Server) describe(ctx context.Context, how string) error {
	db, err := s.Admin(ctx)
	if err != nil {
		return fmt.Errorf("trying the server: %w", err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.Version); err != nil {
		return fmt.Errorf("asking for the version: %w", err)
	}
	product := "MySQL"
	number, _, _ := strings.Cut(s.Version, "-")
	if strings.Contains(s.Version, "MariaDB") {
		product = "MariaDB"
	}
	s.origin = fmt.Sprintf("%s %s (%s)", product, number, how)
	return nil
}
