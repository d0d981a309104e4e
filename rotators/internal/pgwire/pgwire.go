// Package pgwire is what the rotators of databases that speak PostgreSQL's
// protocol share: how they connect, what they make of errors, how names are
// quoted. It knows no statement of either.
package pgwire

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Config fills pgx's struct. Nothing of it comes from the environment (PGHOST,
// PGSSLMODE, ...) or from a connection string made of the secret. Statements
// without arguments go by the simple protocol, and those with arguments by the
// extended one without a prepared statement, which poolers understand as well.
// Without TLS the password is sent as one of the hashes in hashed alone, such as
// "scram-sha-256,md5".
func Config(l database.Login, hashed string, parameters map[string]string) (*pgx.ConnConfig, error) {
	if strings.HasPrefix(l.Host, "/") || strings.HasPrefix(l.Host, "@") {
		return nil, rotation.Fail(rotation.BadSecret, "the host %q is a path, not a host name", l.Host)
	}
	cfg, err := pgx.ParseConfig("host=localhost user=none sslmode=disable passfile=/dev/null")
	if err != nil {
		return nil, fmt.Errorf("making the connection's settings: %w", err)
	}
	cfg.Host, cfg.Port, cfg.Database, cfg.User, cfg.Password = l.Host, uint16(l.Port), l.Database, l.User, l.Password
	cfg.DialFunc, cfg.TLSConfig, cfg.Fallbacks = l.DialContext, l.TLS, nil
	cfg.LookupFunc = named
	cfg.SSLNegotiation, cfg.ChannelBinding, cfg.RequireAuth = "postgres", "prefer", ""
	cfg.ValidateConnect, cfg.AfterConnect, cfg.ConnectTimeout = nil, nil, 0
	cfg.RuntimeParams = parameters
	cfg.DefaultQueryExecMode, cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity = pgx.QueryExecModeExec, 0, 0
	if l.TLS == nil {
		cfg.RequireAuth = hashed
	}
	return cfg, nil
}

// named leaves a host's name to the dialer, which alone knows the way.
func named(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
