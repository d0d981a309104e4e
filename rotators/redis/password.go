package redis

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// SetPassword implements database.Conn. With several nodes the password is first
// added at each, and proven there; only when all have it do others go, at the
// session's own node last. So a run that is cut short leaves a password that
// works everywhere, and one that follows ends what it began.
func (c *conn) SetPassword(ctx context.Context, change database.Change) error {
	nodes, err := c.holding(ctx, change.Target)
	if err != nil {
		return err
	}
	user, added := change.Target.User, newPassword(change.Target.Password)
	if len(nodes) > 1 {
		for _, n := range nodes {
			if err := c.setUser(ctx, n, user, nil, added); err != nil {
				return c.fault(err)
			}
		}
		for _, n := range nodes[1:] { // the session's own is proven by the framework
			if err := c.admits(ctx, n, change.Target); err != nil {
				return err
			}
		}
	}
	passwords := []password{added}
	if change.Keep != "" {
		passwords = append(passwords, password{change.Keep, "the password in use"})
	}
	for _, n := range slices.Backward(nodes) {
		if err := c.setUser(ctx, n, user, []string{"resetpass"}, passwords...); err != nil {
			return c.fault(err)
		}
	}
	for _, n := range nodes {
		if err := c.keep(ctx, n, user); err != nil {
			return err
		}
	}
	return nil
}

// admits logs in at a node with a password that was just added. A rehearsal has added
// none.
func (c *conn) admits(ctx context.Context, n *node, target database.Login) error {
	if c.login.Report.Rehearses() {
		return nil
	}
	as := c.login // which says how the way there is secured
	as.User, as.Password = target.User, target.Password
	fresh, err := open(ctx, as, n.address)
	if err != nil {
		return fmt.Errorf("logging in at %s with the password that was added there: %w", n.address, err)
	}
	fresh.close()
	return nil
}

// holding are the nodes where the user can get a password, the session's own first.
func (c *conn) holding(ctx context.Context, target database.Login) ([]*node, error) {
	nodes, off, err := c.having(ctx, target)
	if err == nil && off != nil {
		err = switchedOff(target.User, off)
	}
	return nodes, err
}

// having are the nodes that have the user, the session's own first. Off is one where
// it is switched off, if there is any.
func (c *conn) having(ctx context.Context, target database.Login) (nodes []*node, off *node, err error) {
	if err := c.reach(ctx, target); err != nil {
		return nil, nil, err
	}
	for _, n := range c.all() {
		a, err := n.find(ctx, target.User)
		switch {
		case err != nil:
			return nil, nil, c.fault(err)
		case a == nil && n.rehearsed == target.User:
		case a == nil && n == c.seed:
			return nil, nil, noUser(target.User, n)
		case a == nil:
			c.login.Report.Notef("The node %s has no user %q: after a failover to it, nobody logs in by that name. Make the user there, with the rules that %s has.", n.address, target.User, c.seed.address)
			continue
		case a.nopass:
			return nil, nil, anyPassword(target.User)
		case a.off:
			off = n
		}
		nodes = append(nodes, n)
	}
	return nodes, off, nil
}

// all are the nodes that are known, the session's own first.
func (c *conn) all() []*node { return append([]*node{c.seed}, c.rest...) }

func noUser(user string, n *node) error {
	return rotation.Fail(rotation.NoUser, "there is no user %q at %s", user, n.address)
}

// switchedOff refuses a user who is let in with no password, which so cannot be
// proven: at the session's own node, or at another that may become the primary.
func switchedOff(user string, n *node) error {
	return rotation.Fail(rotation.LoginRefused, "the user %q is switched off at %s", user, n.address).
		With(fmt.Sprintf("As an administrator, there: ACL SETUSER %s on; then rotate again.", quote(user)))
}

// anyPassword refuses a user whom every password lets in.
func anyPassword(user string) error {
	return rotation.Fail(rotation.BadSecret, "the user %q is nopass: it is let in with any password, and rotating one would change nothing", user).
		With(fmt.Sprintf("As an administrator: ACL SETUSER %s resetpass, and in the same command > with AWSCURRENT's password after it; then rotate again.", quote(user)))
}

// CheckPassword implements database.Conn. The server has no rules: it takes every password.
func (c *conn) CheckPassword(context.Context, string) error { return nil }

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	nodes, err := c.holding(ctx, target)
	if err != nil {
		return err
	}
	return c.mayChange(ctx, nodes, target.User)
}

// mayChange asks each node whether the session may change users. A command without
// rules changes nothing, and takes the same right.
func (c *conn) mayChange(ctx context.Context, nodes []*node, user string) error {
	for _, n := range nodes {
		if _, err := n.do(ctx, "ACL", "SETUSER", user); err != nil {
			return c.fault(err)
		}
	}
	return nil
}
