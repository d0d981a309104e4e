// Package redis rotates users of Redis and Valkey, from version 7.0: alone,
// behind a primary with replicas, found by Sentinel, or in a cluster.
//
// A user of theirs has a set of passwords. setSecret adds the new one beside the
// old, so that nobody is refused in between, and what is neither goes. The
// server gets the SHA-256 of a password, and never the password: no log and no
// MONITOR has it. Only the login itself carries it, over TLS.
//
// Each node keeps users of its own, which are not replicated: a rotation changes
// the primary and every replica that it has, or every node of a cluster, or it
// fails and the next run goes on.
//
// Source: Redis documentation, "ACL", "ACL SETUSER", "ACL GETUSER"; seen on
// Redis 7.0 and 8.0 and on Valkey 8.1.
package redis

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Driver rotates users of Redis and Valkey.
var Driver = database.Driver{
	Engines:   []string{"redis", "valkey"},
	Port:      6379,
	Database:  "0",
	Fields:    []string{sentinelField, sentinelUser},
	Connect:   database.AsConn(connect),
	CheckUser: checkUser,
	Cloning: &database.Cloning{
		Suffix:  "_clone",
		Connect: database.AsAdministrator(connect),
	},
}

// checkUser refuses names that ACL SETUSER does not take. Source: Redis's
// acl.c, which refuses blanks and NUL in names.
func checkUser(user string) error {
	if strings.ContainsAny(user, " \t\r\n\v\f\x00") {
		return rotation.Fail(rotation.BadSecret, "the username %q has a blank in it, and no user of Redis can", user)
	}
	return nil
}

// conn is a session: one login at one node, and more at the others once they
// are needed.
type conn struct {
	login database.Login
	seed  *node
	rest  []*node // the other nodes, once others has opened them
	found bool
}

func connect(ctx context.Context, l database.Login) (*conn, error) {
	if err := managed(l.Host); err != nil {
		return nil, err
	}
	address, err := locate(ctx, l)
	if err != nil {
		return nil, err
	}
	seed, err := open(ctx, l, address)
	if err != nil {
		return nil, err
	}
	if seed.mode == "sentinel" {
		seed.close()
		return nil, rotation.Fail(rotation.BadSecret, "%s is a Sentinel, and the secret does not say which primary it is to find", l.Address()).
			With("Put the primary's name, as SENTINEL MASTERS has it, into the secret's " + sentinelField + ".")
	}
	return &conn{login: l, seed: seed}, nil
}

// managed refuses servers whose users only an API changes.
// Source: Amazon ElastiCache user guide, "Authenticating users with Role-Based
// Access Control"; Amazon MemoryDB developer guide, "Authenticating users with
// Access Control Lists".
func managed(host string) error {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	for _, service := range []struct{ title, label string }{{"ElastiCache", ".cache."}, {"MemoryDB", ".memorydb."}} {
		if strings.Contains(name, service.label) && (strings.HasSuffix(name, ".amazonaws.com") || strings.HasSuffix(name, ".amazonaws.com.cn")) {
			return rotation.Fail(rotation.BadSecret, "%s belongs to %s, which lets nobody change its users by commands", host, service.title).
				With(fmt.Sprintf("Change passwords of %s's users by its API (UpdateUser, ModifyUser): AWS publishes a rotation function for that.", service.title))
		}
	}
	return nil
}

// Check implements database.Conn. A user without the right to PING has a session
// too.
func (c *conn) Check(ctx context.Context) error {
	_, err := c.seed.do(ctx, "PING")
	if isDenied(err) {
		return nil
	}
	return c.fault(err)
}

// Close implements database.Conn.
func (c *conn) Close() error {
	c.seed.close()
	for _, n := range c.rest {
		n.close()
	}
	return nil
}
