// Package redshift rotates users of Amazon Redshift, of clusters and of
// workgroups.
//
// Passwords reach the server as MD5 hashes that are made here, so that no
// statement holds one. (Redshift masks passwords in the query texts of its STL
// and SYS views as well; this does not lean on it.)
//
// Users cannot become one another on Redshift: there is no SET ROLE. A clone
// therefore is a copy: the original's groups, roles, attributes, settings and
// the privileges that were granted to it directly, made equal each time, and
// all privileges on what the original owns. What a privilege comes from
// counts: HAS_TABLE_PRIVILEGE and its like also see PUBLIC and groups, and a
// clone made by them would keep what a group loses.
//
// No Redshift can be had for tests. What is said here of the server is a reading
// of Amazon's Database Developer Guide; (?) marks what it leaves open. The
// package redshifttest says what the tests prove.
package redshift

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// Driver rotates users of Redshift.
var Driver = database.Driver{
	Engines:   []string{"redshift"},
	Port:      5439,
	Database:  "dev",
	Connect:   database.AsConn(connect),
	CheckUser: checkUser,
	Cloning: &database.Cloning{
		Suffix:  "_clone",
		Connect: database.AsAdministrator(connect),
	},
	Password: passwordRules,
}

// maxName is the length of a name in bytes.
// Source: Database Developer Guide, "Names and identifiers".
const maxName = 127

// checkUser refuses names that Redshift does not take, its own user, and those
// that IAM makes (GetClusterCredentials), which have no password.
func checkUser(user string) error {
	lower := strings.ToLower(user)
	switch {
	case len(user) > maxName:
		return rotation.Fail(rotation.BadSecret, "the user name %q has %d bytes; Redshift takes %d", user, len(user), maxName).
			With("Use a shorter user name; for two alternating users CLONE_SUFFIX, which comes on top, can be shorter too.")
	case lower == "public", lower == "rdsdb":
		return rotation.Fail(rotation.BadSecret, "the user %q is reserved by Redshift", user)
	case strings.HasPrefix(lower, "iam:"), strings.HasPrefix(lower, "iama:"), strings.HasPrefix(lower, "iamr:"):
		return rotation.Fail(rotation.BadSecret, "the user %q logs in with IAM and has no password to rotate", user)
	}
	return nil
}

// conn is a session.
type conn struct {
	pg    *pgx.Conn
	login database.Login
	// shared says that Clone or HandBack has run, so that each of a pair has all
	// privileges on what the other owns.
	shared bool
	// rehearsed is the pair of a Clone that was not carried out: where it would have
	// been, the clone would by now be what the original is.
	rehearsed database.Pair
}

// parameters are what a session starts with. Dates are read as text, and
// compared.
var parameters = map[string]string{"application_name": "rotor", "client_encoding": "UTF8", "DateStyle": "ISO"}

func connect(ctx context.Context, l database.Login) (*conn, error) {
	cfg, err := pgwire.Config(l, "md5", parameters)
	if err != nil {
		return nil, err
	}
	pg, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, database.Filled(connectFault(err), pgwire.Ident(l.User))
	}
	return &conn{pg: pg, login: l}, nil
}

// Check implements database.Conn.
func (c *conn) Check(ctx context.Context) error {
	var one int
	return codes.Fault(c.pg.QueryRow(ctx, "SELECT 1").Scan(&one))
}

// Close implements database.Conn.
func (c *conn) Close() error { return c.pg.Close(context.Background()) }

// rows reads a query's rows with scan. No query joins a system view of Redshift
// with another: some of them run on the leader node alone, and what of them may
// be joined is nowhere said (?).
func rows[T any](ctx context.Context, c *conn, scan pgx.RowToFunc[T], query string, args ...any) ([]T, error) {
	found, err := c.pg.Query(ctx, query, args...)
	if err != nil {
		return nil, codes.Fault(err)
	}
	all, err := pgx.CollectRows(found, scan)
	return all, codes.Fault(err)
}

// literal quotes a text. Redshift has no standard_conforming_strings: a
// backslash escapes what follows it, also in a plain literal. The E form is
// younger than the PostgreSQL that Redshift comes from.
func literal(text string) string {
	return `'` + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(text) + `'`
}
