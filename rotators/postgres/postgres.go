// Package postgres rotates users of PostgreSQL and Aurora PostgreSQL.
//
// Passwords reach the server as SCRAM-SHA-256 verifiers that are made here, so
// that no statement holds one. A clone is a member of its original and becomes
// it when it logs in (ALTER ROLE clone SET role TO original): it has the
// original's rights at every moment, whatever is granted or revoked later, and
// what it creates belongs to the original.
package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// Driver rotates users of PostgreSQL.
var Driver = database.Driver{
	Engines:   []string{"postgres", "aurora-postgresql"},
	Port:      5432,
	Database:  "postgres",
	Connect:   database.AsConn(connect),
	CheckUser: checkUser,
	Cloning: &database.Cloning{
		Suffix:  "_clone",
		Connect: database.AsAdministrator(connect),
	},
}

// maxName is the length of a name in bytes (NAMEDATALEN - 1). The server cuts
// longer ones, and so would log in somebody else.
const maxName = 63

// checkUser refuses names that the server cuts, and roles that are not the
// customer's: PostgreSQL reserves pg_, and RDS has roles of its own.
func checkUser(user string) error {
	if len(user) > maxName {
		return rotation.Fail(rotation.BadSecret, "the user name %q has %d bytes; PostgreSQL takes %d", user, len(user), maxName).
			With("Use a shorter user name; for two alternating users CLONE_SUFFIX, which comes on top, can be shorter too.")
	}
	if strings.HasPrefix(user, "pg_") || strings.HasPrefix(user, "rds_") || user == "rdsadmin" || user == "rdsrepladmin" || user == "rdstopmgr" {
		return rotation.Fail(rotation.BadSecret, "the user %q is reserved by PostgreSQL or RDS", user)
	}
	return nil
}

// conn is a session. Its statements go by the simple protocol, and those with
// arguments by the extended one without a prepared statement, which poolers
// understand as well.
type conn struct {
	pg        *pgx.Conn
	login     database.Login
	handshake *pgwire.Handshake
	// rehearsed is the pair of a Clone that was not carried out: where it would have
	// been, the clone would by now be what the original is.
	rehearsed database.Pair
}

func connect(ctx context.Context, l database.Login) (*conn, error) {
	cfg, err := pgwire.Config(l, hashedOnly, map[string]string{"application_name": "rotor", "client_encoding": "UTF8"})
	if err != nil {
		return nil, err
	}
	handshake := pgwire.Watch(cfg)
	pg, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, database.Filled(connectFault(err, l.TLS != nil), pgwire.Ident(l.User))
	}
	return &conn{pg: pg, login: l, handshake: handshake}, nil
}

// hashedOnly keeps a server that cannot be verified from asking for the
// password itself.
const hashedOnly = "scram-sha-256,md5"

// Check implements database.Conn.
func (c *conn) Check(ctx context.Context) error {
	var one int
	return fault(c.pg.QueryRow(ctx, "SELECT 1").Scan(&one))
}

// Close implements database.Conn.
func (c *conn) Close() error { return c.pg.Close(context.Background()) }

// major is the server's major version, or 0 if it does not tell.
func (c *conn) major() int {
	var n int
	_, _ = fmt.Sscanf(c.pg.PgConn().ParameterStatus("server_version"), "%d", &n)
	return n
}
