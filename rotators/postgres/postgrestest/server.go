package postgrestest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// A Server is a running PostgreSQL, or what stands in for one. It may be used from many goroutines.
type Server struct {
	Host          string
	Port          int
	CA            []byte // PEM of what signed the server's certificate; empty if the system has to know it
	AdminUser     string // a superuser, or what comes next to one
	AdminPassword string
	Database      string // one that exists, to log in to
	Major         int
	Version       string // "18.4"
	Real          bool   // a real PostgreSQL, not the wire-level server

	origin  string // how Name describes it
	tls     bool
	log     journal // nil: somebody else's server, whose log is out of reach
	started Mark    // where its log stood when it was ready
	halt    func() error
	standby func() (*Server, error)
	wire    *wireServer // nil unless wire-level

	closing sync.Once
	closed  error
}

// server describes a running real server.
func (r *running) server(i Installation, config Config, ca *localtls.CA, password string) *Server {
	s := &Server{
		Host: Host, Port: r.port, CA: ca.PEM(),
		AdminUser: "postgres", AdminPassword: password, Database: "postgres",
		Major: i.Major, Version: i.Version, Real: true,
		origin: fmt.Sprintf("PostgreSQL %s (real)", i.Version),
		tls:    config.TLS != TLSOff,
		log:    r.log,
		halt:   r.stop,
	}
	s.standby = func() (*Server, error) { return i.startStandby(s, r.folder, config, ca) }
	s.started = s.Mark()
	return s
}

// Name says what the server is, for people: "PostgreSQL 18.4 (real)".
func (s *Server) Name() string { return s.origin }

// Close ends the server and removes its files. Log still tells what it logged. More calls do nothing more.
func (s *Server) Close() error {
	s.closing.Do(func() { s.closed = s.halt() })
	return s.closed
}

// A Mark is a place in a server's log.
type Mark int

// Mark is the place that the log has come to.
func (s *Server) Mark() Mark {
	if s.log == nil {
		return 0
	}
	return Mark(s.log.Size())
}

// Log is everything that the server logged: every statement with its arguments, every connection, every error. It is
// empty for a server that was not started here: see HasLog.
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

// Logins counts the logins since the server started, this package's own (by [Server.Fresh]) included.
func (s *Server) Logins() (accepted, refused int) { return s.LoginsSince(s.started) }

// LoginsSince counts the logins after a mark. Refused is every login that its password, a missing role, or pg_hba.conf
// failed; not one that found the server full, or no such database.
func (s *Server) LoginsSince(mark Mark) (accepted, refused int) { return countLogins(s.LogSince(mark)) }

// Connect logs in, with verified TLS if the server has any. The error is pgx's own. Nothing in the environment
// (PGUSER and its like) plays a part.
func (s *Server) Connect(ctx context.Context, user, password, database string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.Host, config.Port = s.Host, uint16(s.Port)
	config.User, config.Password, config.Database = user, password, database
	config.Fallbacks, config.RuntimeParams = nil, map[string]string{}
	if s.tls {
		if config.TLSConfig, err = s.clientTLS(); err != nil {
			return nil, err
		}
	}
	return pgx.ConnectConfig(ctx, config)
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

// Admin logs in as the administrator, to the given database or, if that is empty, to the server's own.
func (s *Server) Admin(ctx context.Context, database string) (*pgx.Conn, error) {
	if database == "" {
		database = s.Database
	}
	return s.Connect(ctx, s.AdminUser, s.AdminPassword, database)
}

// Standby starts a read-only replica that holds what this server holds now, with the same roles and passwords:
// pg_is_in_recovery() is true there, and writing fails with 25006. It does not follow later changes. It is a server
// of its own, to be closed.
func (s *Server) Standby() (*Server, error) {
	if s.standby == nil {
		return nil, fmt.Errorf("%s: no standby can be made of a server that was not started here", s.Name())
	}
	return s.standby()
}
