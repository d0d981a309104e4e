// Package mysql rotates users of MySQL, Aurora MySQL and MariaDB.
//
// A user of these servers is a set of accounts: one for each host from which it
// may log in. A user who sets its own password sets that of the account it is
// logged in to; an administrator sets those of all accounts of a user, and a
// clone has an account for each of its original's.
//
// MariaDB writes every statement to its logs as it came, passwords included, so
// that it is sent hashes; MySQL replaces passwords before it logs a statement.
//
// Statements go by the text protocol, with every name and text quoted here:
// ALTER USER and GRANT take no parameters, and connection proxies understand
// statements without preparation best.
package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Driver rotates users of MySQL. A secret without a database gets
// information_schema, the one database that every user may open: logging in
// with none would do as well, but the framework wants to know where the rights
// that it compares are.
var Driver = database.Driver{
	Engines:   []string{"mysql", "aurora-mysql", "mariadb"},
	Port:      3306,
	Database:  "information_schema",
	Connect:   database.AsConn(connect),
	CheckUser: checkUser,
	Cloning: &database.Cloning{
		Suffix:  "_clone",
		Connect: database.AsAdministrator(connect),
	},
}

// maxName is the length of a name in characters that MariaDB takes. MySQL takes
// fewer, which only a session can tell: see dialect.checkUser.
const maxName = 80

// reserved are the accounts that the servers and RDS have for themselves.
var reserved = []string{"mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys", "rdsadmin", "rdsrepladmin", "rdstopmgr", "rdsproxyadmin"}

// checkUser refuses names that no server takes, and users that are not the
// customer's.
func checkUser(user string) error {
	if n := utf8.RuneCountInString(user); n > maxName {
		return tooLong(user, n, maxName)
	}
	if user == "" {
		return rotation.Fail(rotation.BadSecret, "the anonymous user cannot be rotated")
	}
	if strings.HasSuffix(user, " ") {
		return rotation.Fail(rotation.BadSecret, "the user name %q ends in a space, which the servers cut off", user)
	}
	for _, name := range reserved {
		if user == name {
			return rotation.Fail(rotation.BadSecret, "the user %q is reserved by the server or RDS", user)
		}
	}
	if strings.HasPrefix(user, "rds_") {
		return rotation.Fail(rotation.BadSecret, "the user %q is reserved by RDS", user)
	}
	return nil
}

func tooLong(user string, has, most int) error {
	return rotation.Fail(rotation.BadSecret, "the user name %q has %d characters; the server takes %d", user, has, most).
		With("Use a shorter user name; for two alternating users CLONE_SUFFIX, which comes on top, can be shorter too.")
}

// conn is a session.
type conn struct {
	pool  *sql.DB // of one connection, which it never replaces
	sql   *sql.Conn
	login database.Login
	facts *facts // read when they are first needed
	// limit is how many seconds a statement may last, or wait for a lock; 0 is what
	// the server thinks.
	limit int
	// cloned is what Clone left for SetPassword.
	cloned cloned
}

func connect(ctx context.Context, l database.Login) (*conn, error) {
	connector, err := mysql.NewConnector(config(l))
	if err != nil {
		return nil, err
	}
	raw, err := opening(ctx, connector)
	if err != nil {
		return nil, database.Filled(connectFault(err), literal(l.User))
	}
	pool := sql.OpenDB(&single{raw: raw, Connector: connector})
	session, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close(), raw.Close())
	}
	return &conn{pool: pool, sql: session, login: l}, nil
}

// opening logs in. The servers go on counting a session for a moment when its client
// has closed it, so that whoever may have one at a time has to wait for it.
func opening(ctx context.Context, connector driver.Connector) (driver.Conn, error) {
	for _, pause := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond} {
		raw, err := connector.Connect(ctx)
		if !isTooMany(err) {
			return raw, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, err
		}
	}
	return connector.Connect(ctx)
}

// config fills the driver's struct. No connection string is made of the secret.
func config(l database.Login) *mysql.Config {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.DBName, c.User, c.Passwd = "tcp", l.Address(), l.Database, l.User, l.Password
	c.DialFunc = l.DialContext
	c.TLS, c.AllowFallbackToPlaintext = l.TLS, false // the framework falls back, where that is allowed
	c.AllowNativePasswords = true
	// The server could ask for the password itself (mysql_clear_password), the
	// client's files or several statements at once: none of it is needed.
	c.AllowCleartextPasswords, c.AllowOldPasswords, c.AllowAllFiles, c.MultiStatements = false, false, false, false
	c.InterpolateParams, c.ParseTime, c.RejectReadOnly = false, false, false
	c.ConnectionAttributes = "program_name:rotor"
	c.Logger = &mysql.NopLogger{} // only the engine logs
	c.Loc = time.UTC
	return c
}

// single gives a pool the one connection that was made for it: a pool that
// connects again by itself would log in behind the framework's back.
type single struct {
	driver.Connector
	raw driver.Conn
}

var errOnce = errors.New("the connection is gone")

// Connect implements driver.Connector.
func (s *single) Connect(context.Context) (driver.Conn, error) {
	raw := s.raw
	if raw == nil {
		return nil, errOnce
	}
	s.raw = nil
	return raw, nil
}

// Check implements database.Conn.
func (c *conn) Check(ctx context.Context) error {
	var one int
	return fault(c.sql.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Close implements database.Conn.
func (c *conn) Close() error { return errors.Join(c.sql.Close(), c.pool.Close()) }

// column returns the first column of each row.
func (c *conn) column(ctx context.Context, query string) (values []string, err error) {
	rows, err := c.rows(ctx, query)
	for _, row := range rows {
		values = append(values, row[0])
	}
	return values, err
}

// rows returns all rows as text; NULL is "".
func (c *conn) rows(ctx context.Context, query string) (all [][]string, err error) {
	rows, err := c.sql.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		fields, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range fields {
			into[i] = &fields[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := make([]string, len(names))
		for i, f := range fields {
			row[i] = f.String
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
