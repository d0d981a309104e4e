package sqlserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// send sends a statement that changes something, unless this is a rehearsal. It is
// told with no password in it.
func (c *conn) send(ctx context.Context, statement, told string) error {
	if !c.login.Report.Sends(told) {
		return nil
	}
	return c.exec(ctx, statement)
}

// exec runs one statement: see send. Its error has a class. When ctx ends, so does
// the connection: the client driver would wait ten seconds for the server to
// confirm.
func (c *conn) exec(ctx context.Context, statement string) error {
	defer c.wire.until(ctx)()
	_, err := c.sql.ExecContext(ctx, statement)
	return c.fault(err)
}

// run sends statements in turn, up to the first that fails.
func (c *conn) run(ctx context.Context, statements []string) error {
	for _, s := range statements {
		if err := c.send(ctx, s, s); err != nil {
			return err
		}
		c.login.Report.Changed(s)
	}
	return nil
}

// rows returns all rows as text; NULL is "". Arguments are @p1, @p2 and so on.
func (c *conn) rows(ctx context.Context, query string, args ...string) (all [][]string, err error) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	defer c.wire.until(ctx)()
	rows, err := c.sql.QueryContext(ctx, query, values...)
	if err != nil {
		return nil, c.fault(err)
	}
	defer func() { err = c.fault(errors.Join(err, rows.Close())) }()
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

// column returns the first column of each row.
func (c *conn) column(ctx context.Context, query string, args ...string) (values []string, err error) {
	all, err := c.rows(ctx, query, args...)
	for _, row := range all {
		values = append(values, row[0])
	}
	return values, err
}

// Editions of Azure's that are no servers of their own: SQL Database, Synapse
// (dedicated and serverless), SQL database in Fabric.
// Source: Transact-SQL reference, "SERVERPROPERTY".
var editionsOfAzure = []string{"5", "6", "11", "12"}

const queryAbout = `/* rotor: about the server */
SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), CONVERT(nvarchar(128), SERVERPROPERTY('EngineEdition'))`

// about asks once for the server's major version, and refuses what is not
// supported: before anything is changed there.
func (c *conn) about(ctx context.Context) (version int, err error) {
	if c.version > 0 {
		return c.version, nil
	}
	rows, err := c.rows(ctx, queryAbout)
	if err != nil || len(rows) != 1 {
		return 0, err
	}
	major, _, _ := strings.Cut(rows[0][0], ".")
	if version, err = strconv.Atoi(major); err != nil {
		return 0, fmt.Errorf("reading the server's version: %w", err)
	}
	switch {
	case slices.Contains(editionsOfAzure, rows[0][1]):
		return 0, rotation.Fail(rotation.BadSecret, "the server is one of Azure's database services, and no SQL Server").With(remedyAzure)
	case version < version2016:
		return 0, rotation.Fail(rotation.BadSecret, "the server is older than SQL Server 2016").With(remedyOld)
	}
	c.version = version
	return version, nil
}

// use moves the session to a database.
func (c *conn) use(ctx context.Context, database string) error {
	return c.exec(ctx, "USE "+ident(database))
}

// home moves the session back to the secret's database.
func (c *conn) home(ctx context.Context) error { return c.use(ctx, c.login.Database) }
