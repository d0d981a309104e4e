package redis

import (
	"context"
	"errors"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// keep writes a node's users where a restart finds them: its ACL file, or else
// its configuration file. Which of them it has, it says only to who tries to write one.
// Source: Redis documentation, "ACL SAVE", "CONFIG REWRITE".
func (c *conn) keep(ctx context.Context, n *node, user string) error {
	err := c.write(ctx, n, user)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errQuotes):
		c.login.Report.Notef("A restart of %s forgets the new password: %v, so that nothing was written. Give those users names and patterns without quotes.", n.address, err)
		return nil
	case says(err, "running without a config file"):
		c.login.Report.Notef("A restart of %s forgets the new password: it has no ACL file (aclfile) and no configuration file to keep users in. Give it one.", n.address)
		return nil
	case isDenied(err):
		c.login.Report.Notef("A restart of %s may forget the new password: %q may not write its users to a file. As an administrator: ACL SETUSER %s +acl|save +config|rewrite",
			n.address, c.login.User, quote(c.login.User))
		return nil
	}
	fault := c.fault(err)
	var f *rotation.Fault
	if errors.As(fault, &f) && f.Class == rotation.Unknown {
		return rotation.Fail(rotation.Unavailable, "the new password works at %s, but cannot be kept for its restart: %w", n.address, err).
			With("Look into the server's log, and let it write the file with its users; then rotate again.")
	}
	return fault
}

// errQuotes says that a file with the users as they are could not be read again. The
// server writes them without quoting, and reads quotes: in its configuration file
// everywhere, so that it would not start, and in its ACL file within selectors, so
// that it would not start or that a pattern would be a wider one.
var errQuotes = errors.New("there are quotes in the name or in the patterns of a user, which the server does not read from its file as it writes them")

// write has the node write its users to a file, if it can read that again.
func (c *conn) write(ctx context.Context, n *node, user string) error {
	users, err := n.described(ctx, user)
	if err != nil {
		return err
	}
	for _, u := range users {
		if _, selectors, _ := strings.Cut(u, " ("); strings.ContainsAny(selectors, quotes) {
			return errQuotes
		}
	}
	if !c.sends(n, "ACL SAVE, or CONFIG REWRITE if it has no ACL file") {
		return nil
	}
	_, err = n.do(ctx, "ACL", "SAVE")
	if !says(err, "not configured to use an ACL file") {
		return err
	}
	if strings.ContainsAny(strings.Join(users, ""), quotes) {
		return errQuotes
	}
	_, err = n.do(ctx, "CONFIG", "REWRITE")
	return err
}

const quotes = "\"'"

// described are the node's users as it would write them; that user alone, if the
// session may not list all. Selectors come last.
func (n *node) described(ctx context.Context, user string) ([]string, error) {
	users, err := redis.Strings(n.do(ctx, "ACL", "LIST"))
	if !isDenied(err) {
		return users, err
	}
	a, err := n.find(ctx, user)
	if err != nil || a == nil {
		return nil, err
	}
	line := "user " + user + " " + strings.Join(a.own.words(), " ")
	for _, s := range a.selectors {
		line += " (" + strings.Join(s.words(), " ") + ")"
	}
	return []string{line}, nil
}
