package postgrestest

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Server is a running PostgreSQL. It may be used from many goroutines. Its administrator is a superuser, or what comes
// next to one.
//
// Refused logins are those that the password, a missing role, or pg_hba.conf failed; not those that found the server
// full, or no such database.
type Server struct {
	servertest.Server
	Database string // one that exists, to log in to
	Major    int

	standby func() (*Server, error)
}

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
	if config.TLSConfig, err = s.ClientTLS(); err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, config)
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
