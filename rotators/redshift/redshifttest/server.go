package redshifttest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// A Server is something to rotate users of. It may be used from many goroutines.
type Server struct {
	Kind          Kind
	Host          string
	Port          int
	CA            []byte // PEM of what signed the server's certificate; empty if the system has to know it
	AdminUser     string // a superuser
	AdminPassword string
	Database      string // one that exists

	tls      bool
	wire     *wireServer
	postgres *postgrestest.Server
}

// Name says what the server is, for people.
func (s *Server) Name() string { return string(s.Kind) }

// Close ends a server that was started here.
func (s *Server) Close() error {
	switch {
	case s.wire != nil:
		return s.wire.close()
	case s.postgres != nil:
		return s.postgres.Close()
	}
	return nil
}

// A Mark is a place in a server's log.
type Mark int

// HasLog says whether the log can be read. Where it cannot, a search in it proves nothing.
func (s *Server) HasLog() bool { return s.wire != nil || s.postgres != nil }

// Mark is the place that the log has come to.
func (s *Server) Mark() Mark {
	switch {
	case s.wire != nil:
		return Mark(s.wire.log.size())
	case s.postgres != nil:
		return Mark(s.postgres.Mark())
	}
	return 0
}

// LogSince is what the server logged after a mark: every statement with its arguments, every login.
func (s *Server) LogSince(mark Mark) string {
	switch {
	case s.wire != nil:
		return s.wire.log.since(int(mark))
	case s.postgres != nil:
		return s.postgres.LogSince(postgrestest.Mark(mark))
	}
	return ""
}

// LoginsSince counts the logins after a mark.
func (s *Server) LoginsSince(mark Mark) (accepted, refused int) {
	if s.postgres != nil {
		return s.postgres.LoginsSince(postgrestest.Mark(mark))
	}
	log := s.LogSince(mark)
	return strings.Count(log, loginAccepted), strings.Count(log, loginRefused)
}

// Connect logs in, with verified TLS if the server has any. The error is pgx's own.
func (s *Server) Connect(ctx context.Context, user, password, database string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.Host, config.Port = s.Host, uint16(s.Port)
	config.User, config.Password, config.Database = user, password, database
	config.Fallbacks, config.RuntimeParams = nil, map[string]string{"client_encoding": "UTF8"}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	if s.tls {
		config.TLSConfig = &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
		if len(s.CA) > 0 {
			config.TLSConfig.RootCAs = x509.NewCertPool()
			config.TLSConfig.RootCAs.AppendCertsFromPEM(s.CA)
		}
	}
	return pgx.ConnectConfig(ctx, config)
}

// RefuseLogins makes the wire-level server answer every login with an error, before it asks for a password. An empty
// code ends it.
func (s *Server) RefuseLogins(code, message string) {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	s.wire.refusal = nil
	if code != "" {
		s.wire.refusal = refuse(code, "%s", message)
	}
}

// Holdings are what the wire-level server's user has: attributes, settings, groups, roles, grants, default privileges,
// and what it owns, one line each, sorted. The user is "me" in them.
func (s *Server) Holdings(user string) []string { return s.wire.committed().holdings(user) }

// Existing is a cluster that runs already, given by a connection string.
func Existing(dsn string) (*Server, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the connection string: %w", err) // pgx leaves the password out
	}
	s := &Server{
		Kind: Cluster, Host: config.Host, Port: int(config.Port), tls: config.TLSConfig != nil,
		AdminUser: config.User, AdminPassword: config.Password, Database: config.Database,
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := s.Connect(ctx, s.AdminUser, s.AdminPassword, s.Database)
	if err != nil {
		return nil, fmt.Errorf("trying the cluster of the connection string: %w", err)
	}
	return s, conn.Close(ctx)
}

// dsn is the connection string of a live cluster, if there is one.
func dsn() string { return os.Getenv("ROTOR_TEST_REDSHIFT") }
