// Package oracle rotates users of Oracle Database, on RDS and elsewhere.
//
// An Oracle user is a schema too. A clone therefore is a copy: profile,
// tablespaces, quotas, roles, system, object and column privileges, made equal
// each time, and the right to use all that the original owns. What no statement
// can copy: unqualified names mean the clone's own schema (the application says
// ALTER SESSION SET CURRENT_SCHEMA, or names the schema), what the clone creates
// is the clone's, private synonyms and database links stay the original's, and
// so do proxy rights, consumer groups, network ACLs and row-level policies that
// look at the user's name. No trigger is made behind anybody's back. A privilege
// that GRANT does not know (on queues, of the resource manager) stops the step,
// which names it. A view with errors takes no grant, and is left out.
//
// DDL commits by itself and takes no binds. Every name and password stands in
// double quotes here, and one that holds a double quote is refused. There is no
// documented way to send a hash: IDENTIFIED BY VALUES is not in the SQL
// reference, and what it takes differs from release to release. Statements that
// set a password hold it, therefore; that the server masks it in its audit
// trails is widely reported and nowhere promised (?).
//
// No Oracle can be had for tests. What is said here of the server is a reading
// of Oracle's manuals; (?) marks what nobody could check. The package oracletest
// says what the tests prove.
package oracle

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
)

// Driver rotates users of Oracle Database through go-ora.
var Driver = With(goOra)

// A Client makes the connector of a session, which opens its one network
// connection with d and with nothing else. Its connections' errors are go-ora's.
type Client func(l database.Login, d Dialer) (driver.Connector, error)

// With returns the driver with another client in go-ora's place, as tests need
// it.
func With(client Client) database.Driver {
	connect := func(ctx context.Context, l database.Login) (*conn, error) { return connect(ctx, client, l) }
	return database.Driver{
		Engines:   []string{"oracle"},
		Port:      1521,
		Fields:    []string{"sid"},
		Connect:   database.AsConn(connect),
		CheckUser: checkUser,
		NameQuote: `"`,
		Password:  passwordRules,
		Cloning: &database.Cloning{
			Suffix:  "_CLONE",
			Connect: database.AsAdministrator(connect),
		},
	}
}

// conn is a session.
type conn struct {
	pool    *sql.DB // of one connection, which it never replaces
	sql     *sql.Conn
	wire    *wire
	client  Client
	login   database.Login
	facts   *facts         // read when they are first needed
	born    database.Login // the user whom this session made with the password of its secret
	cloned  string         // the clone that this session has made equal to its original,
	profile string         // and its profile since
}

func connect(ctx context.Context, client Client, l database.Login) (*conn, error) {
	if err := checkDescriptor(l); err != nil {
		return nil, err
	}
	w := &wire{login: l}
	defer w.until(ctx)()
	connector, err := client(l, w)
	if err != nil {
		return nil, err
	}
	raw, err := connector.Connect(ctx)
	if err != nil {
		w.cut() // go-ora leaves it open
		return nil, database.Filled(w.connectFault(ended(ctx, err)), ident(exact(l.User)))
	}
	pool := sql.OpenDB(&single{raw: raw, Connector: connector})
	session, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close(), raw.Close())
	}
	return &conn{pool: pool, sql: session, wire: w, client: client, login: l}, nil
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
	_, err := c.rows(ctx, "SELECT USER FROM DUAL")
	return fault(err)
}

// goodbye is how long the server may take to say goodbye.
const goodbye = 2 * time.Second

// Close implements database.Conn.
func (c *conn) Close() error {
	late := time.AfterFunc(goodbye, c.wire.cut)
	defer late.Stop()
	err := errors.Join(c.sql.Close(), c.pool.Close())
	c.wire.cut()
	return err
}

// exec sends a statement that changes something, unless this is a rehearsal. It is
// told with no password in it. The error has no class yet: see fault. The end of
// ctx cuts the connection; go-ora would ask the server to break off, and wait.
func (c *conn) exec(ctx context.Context, statement, told string, args ...string) error {
	if !c.login.Report.Sends(told) {
		return nil
	}
	defer c.wire.until(ctx)()
	_, err := c.sql.ExecContext(context.WithoutCancel(ctx), statement, binds(args)...)
	return ended(ctx, err)
}

// rows returns all rows of a query as text; NULL, which to Oracle is the empty
// text too, is "".
func (c *conn) rows(ctx context.Context, query string, args ...string) (all [][]string, err error) {
	defer c.wire.until(ctx)()
	rows, err := c.sql.QueryContext(context.WithoutCancel(ctx), query, binds(args)...)
	if err != nil {
		return nil, ended(ctx, err)
	}
	defer func() { err = ended(ctx, errors.Join(err, rows.Close())) }()
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

func binds(args []string) []any {
	all := make([]any, len(args))
	for i, a := range args {
		all[i] = a
	}
	return all
}
