package oracletest

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/sijms/go-ora/v2/network"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/oracle"
)

// A request is one line to the server: a login, or a statement.
type request struct {
	User, Password, Service, SID string
	SQL                          string
	Binds                        []string
}

// A reply is the line that answers it.
type reply struct {
	Error   *sqlError
	Columns []string
	Rows    [][]string
}

// Client is the oracle.Client of the stand-in.
func Client(l database.Login, d oracle.Dialer) (driver.Connector, error) {
	return connector{l, d}, nil
}

type connector struct {
	login  database.Login
	dialer oracle.Dialer
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	socket, err := c.dialer.DialContext(ctx, "tcp", c.login.Address())
	if err != nil {
		return nil, err
	}
	if c.login.TLS != nil {
		socket = tls.Client(socket, c.login.TLS)
	}
	k := &conn{socket, json.NewEncoder(socket), json.NewDecoder(socket)}
	_, err = k.ask(request{User: c.login.User, Password: c.login.Password, Service: c.login.Database, SID: c.login.Secret.Text("sid")})
	return k, err
}

// Driver implements driver.Connector.
func (connector) Driver() driver.Driver { return nil }

// conn is the client's side of a session.
type conn struct {
	net.Conn
	out *json.Encoder
	in  *json.Decoder
}

func (c *conn) ask(q request) (reply, error) {
	var r reply
	if err := c.out.Encode(q); err != nil {
		return r, err
	}
	if err := c.in.Decode(&r); err != nil {
		return r, err
	}
	if r.Error != nil {
		return r, &network.OracleError{ErrCode: r.Error.Code, ErrMsg: r.Error.Message + "\n"}
	}
	return r, nil
}

func (c *conn) statement(query string, args []driver.NamedValue) (reply, error) {
	q := request{SQL: query}
	for _, a := range args {
		q.Binds = append(q.Binds, fmt.Sprint(a.Value))
	}
	return c.ask(q)
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	_, err := c.statement(query, args)
	return driver.ResultNoRows, err
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.statement(query, args)
	return &rows{r}, err
}

var errUnused = errors.New("the stand-in's client has no such call")

// Prepare implements driver.Conn.
func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errUnused }

// Begin implements driver.Conn.
func (c *conn) Begin() (driver.Tx, error) { return nil, errUnused }

type rows struct{ reply }

// Columns implements driver.Rows.
func (r *rows) Columns() []string { return r.reply.Columns }

// Close implements driver.Rows.
func (r *rows) Close() error { return nil }

// Next implements driver.Rows. The empty text is NULL.
func (r *rows) Next(into []driver.Value) error {
	if len(r.Rows) == 0 {
		return io.EOF
	}
	for i, v := range r.Rows[0] {
		into[i] = nil
		if v != "" {
			into[i] = v
		}
	}
	r.Rows = r.Rows[1:]
	return nil
}
