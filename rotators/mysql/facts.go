package mysql

import (
	"context"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// facts are what has to be known of a session before it changes anything.
type facts struct {
	dialect
	self account // the account that the session is logged in to
}

// queryFacts asks who and where the session is.
const queryFacts = "SELECT VERSION(), CURRENT_USER(), @@GLOBAL.read_only, @@GLOBAL.innodb_read_only"

// querySettle makes the session quote as this package does, whatever the
// server's default is. Where GRANT can still make users by itself, and would
// give them no password, it must not.
const querySettle = `SET NAMES utf8mb4, SESSION sql_mode = IF(VERSION() REGEXP '^5[.]|MariaDB', 'NO_AUTO_CREATE_USER', ''), SESSION sql_quote_show_create = 1`

// settle reads the facts and settles the session. It fails on a server that
// cannot keep a change: an administrator could write to some replicas, and
// would make them differ from their source.
func (c *conn) settle(ctx context.Context, users ...string) (*facts, error) {
	if c.facts == nil {
		rows, err := c.rows(ctx, queryFacts)
		if err != nil {
			return nil, fault(err)
		}
		f := facts{dialect: parseVersion(rows[0][0]), self: parseAccount(rows[0][1])}
		if isOn(rows[0][2]) || isOn(rows[0][3]) {
			return nil, rotation.Fail(rotation.ReadOnly, "the server is read-only: a replica, or the reader of a cluster")
		}
		if err := c.exec(ctx, querySettle); err != nil {
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
