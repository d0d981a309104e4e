package redshifttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// A Server is something to rotate users of. It may be used from many goroutines. Its log has every statement with its
// arguments, and every login. Its administrator is a superuser.
type Server struct {
	servertest.Server
	Kind     Kind
	Database string // one that exists

	wire     *wireServer
	postgres *postgrestest.Server
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
	if config.TLSConfig, err = s.ClientTLS(); err != nil {
		return nil, err
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

// logEntries match the statements of a wire-level server's log.
var logEntries = regexp.MustCompile(`(?m)^(?:statement|execute): (.*)`)

// ChangesSince are the statements that reached the server after a mark and may change something, as [postgrestest.Changes]
// has them.
func (s *Server) ChangesSince(mark servertest.Mark) []string {
	if s.Kind == StandIn {
		return s.postgres.ChangesSince(mark)
	}
	var all []string
	log := strings.ReplaceAll(s.LogSince(mark), "*/\n", "*/ ") // a query begins after its comment's line
	for _, entry := range logEntries.FindAllStringSubmatch(log, -1) {
		all = append(all, strings.TrimSuffix(entry[1], ", with []"))
	}
	return postgrestest.Changes(all)
}

// Existing is a cluster that runs already, given by a connection string.
func Existing(dsn string) (*Server, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the connection string: %w", err) // pgx leaves the password out
	}
	s := &Server{Kind: Cluster, Database: config.Database, Server: servertest.Server{
		Real: true, Host: config.Host, Port: int(config.Port),
		AdminUser: config.User, AdminPassword: config.Password, CountLogins: servertest.CountLogins,
	}}
	if config.TLSConfig == nil {
		s.TLS = servertest.TLSOff
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := s.Connect(ctx, s.AdminUser, s.AdminPassword, s.Database)
	if err != nil {
		return nil, fmt.Errorf("trying the cluster of the connection string: %w", err)
	}
	var version string // ends with ", Redshift 1.0.12103"
	err = conn.QueryRow(ctx, "SELECT version()").Scan(&version)
	s.Version = version[strings.LastIndex(version, " ")+1:]
	s.Title = fmt.Sprintf("Redshift %s at %s", s.Version, s.Host)
	return s, errors.Join(err, conn.Close(ctx))
}

// dsn is the connection string of a live cluster, if there is one.
func dsn() string { return os.Getenv("ROTOR_TEST_REDSHIFT") }

// Strange gives a user what no statement of the wire-level server gives: a masking policy on part of a SUPER, and a
// privilege that a later release may bring.
func (s *Server) Strange(user, schema, table string, mask, privilege bool) {
	of, on := grantee{"user", user}, object{kind: "table", schema: schema, name: table}
	const path = `["item.name"]`
	s.wire.change(func(c *catalog) {
		if mask {
			c.attachments[attachment{policy: "deep", object: on, grantee: of, mask: true, inputs: path, outputs: path}] = true
		}
		if privilege {
			c.grants[acl{grantee: of, privilege: "POLISH", object: on}] = true
		}
	})
}
