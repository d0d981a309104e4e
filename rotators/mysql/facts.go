package mysql

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// facts are what has to be known of a session before it changes anything.
type facts struct {
	dialect
	self account // the account that the session is logged in to
	// from is the host from which the server sees the session come: an address, or
	// a name where the server looks names up.
	from string
}

// queryFacts asks who and where the session is.
const queryFacts = "SELECT VERSION(), CURRENT_USER(), USER(), @@GLOBAL.read_only, @@GLOBAL.innodb_read_only"

// querySettle makes the session quote as this package does, whatever the
// server's default is. Where GRANT can still make users by itself, and would
// give them no password, it must not.
//
// A statement that waits for a lock outlives the connection: the server would set
// a password that everybody has given up, hours later (seen on MySQL 8.0.33 and
// 9.7.4 and MariaDB 11.8.9, behind FLUSH TABLES WITH READ LOCK). So none lasts
// longer than the step. MariaDB waits for each of its tables anew, and there the
// whole statement is limited.
const querySettle = `SET NAMES utf8mb4, SESSION sql_mode = IF(VERSION() REGEXP '^5[.]|MariaDB', 'NO_AUTO_CREATE_USER', ''), SESSION sql_quote_show_create = 1, SESSION `

// bound settles the session, and lets no statement last longer than the context.
// Time passes, so that it may have to be said again.
func (c *conn) bound(ctx context.Context, d dialect) error {
	const most = 1 << 20 // where the step has no end; in seconds
	left := most
	if deadline, ok := ctx.Deadline(); ok {
		if left = int(time.Until(deadline) / time.Second); left < 1 {
			return rotation.Fail(rotation.Timeout, "the step has no second left to change anything in")
		}
	}
	if c.limit != 0 && left >= c.limit {
		return nil
	}
	variable := "lock_wait_timeout = "
	if d.maria {
		variable = "max_statement_time = "
	}
	_, err := c.sql.ExecContext(ctx, querySettle+variable+strconv.Itoa(left))
	if err == nil {
		c.limit = left
	}
	return err
}

// settle reads the facts and settles the session. It fails on a server that
// cannot keep a change: an administrator could write to some replicas, and
// would make them differ from their source.
func (c *conn) settle(ctx context.Context, users ...string) (*facts, error) {
	if c.facts == nil {
		rows, err := c.rows(ctx, queryFacts)
		if err != nil {
			return nil, fault(err)
		}
		f := facts{dialect: parseVersion(rows[0][0]), self: parseAccount(rows[0][1]), from: parseAccount(rows[0][2]).host}
		if isOn(rows[0][3]) || isOn(rows[0][4]) {
			return nil, rotation.Fail(rotation.ReadOnly, "the server is read-only: a replica, or the reader of a cluster")
		}
		if err := c.bound(ctx, f.dialect); err != nil {
			return nil, fault(err)
		}
		if err := c.hold(ctx, f.dialect); err != nil {
			return nil, fault(err)
		}
		c.facts = &f
	}
	for _, user := range users {
		if err := c.facts.checkUser(user); err != nil {
			return nil, err
		}
	}
	return c.facts, nil
}

// isOn reads a variable that is a number on some servers and a word on others.
func isOn(value string) bool {
	return value != "" && value != "0" && !strings.EqualFold(value, "OFF")
}
