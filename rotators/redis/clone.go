package redis

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
)

// each runs a function for each node.
func (c *conn) each(ctx context.Context, l database.Login, do func(n *node) error) error {
	if err := c.reach(ctx, l); err != nil {
		return err
	}
	for _, n := range c.all() {
		if err := do(n); err != nil {
			return c.fault(err)
		}
	}
	return nil
}

// Standing implements database.Administrator. A user has no place for a mark.
func (c *conn) Standing(ctx context.Context, p database.Pair, next database.Login) (standing database.Standing, err error) {
	standing = database.Absent
	err = c.each(ctx, p.Original, func(n *node) error {
		a, err := n.find(ctx, next.User)
		switch {
		case err != nil || a == nil:
			return err
		case a.nopass: // a login with it would prove nothing
			return anyPassword(next.User)
		}
		standing = database.Stranger
		return nil
	})
	return standing, err
}

// original reads the pair's original at a node. One that is missing at a
// replica is missing there for the application too.
func (c *conn) original(ctx context.Context, n *node, p database.Pair) (*account, error) {
	a, err := n.find(ctx, p.Original.User)
	switch {
	case err != nil:
		return nil, err
	case a == nil && n == c.seed:
		return nil, noUser(p.Original.User, n)
	case a != nil && a.nopass:
		return nil, anyPassword(p.Original.User)
	}
	return a, nil
}

// Clone implements database.Administrator.
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	return c.each(ctx, p.Original, func(n *node) error {
		original, err := c.original(ctx, n, p)
		if err != nil || original == nil {
			return err
		}
		clone, err := n.find(ctx, p.Clone.User)
		if err != nil {
			return err
		}
		rules := original.rules()
		var passwords []password
		switch {
		case clone == nil:
			rules, passwords = append(rules, "resetpass"), []password{newPassword(p.Clone.Password)}
			if c.login.Report.Rehearses() {
				n.rehearsed = p.Clone.User
			}
		case slices.Equal(original.lines(), clone.lines()) && !clone.off:
			return nil
		}
		if err := c.setUser(ctx, n, p.Clone.User, rules, passwords...); err != nil {
			return err
		}
		c.login.Report.Changed(fmt.Sprintf("%q has the rules of %q at %s", p.Clone.User, p.Original.User, n.address))
		return nil
	})
}

// HandBack implements database.Administrator. What only the clone may do becomes
// a selector of the original's: it adds, and takes nothing away.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	if !drift {
		return nil
	}
	return c.each(ctx, p.Original, func(n *node) error {
		original, err := c.original(ctx, n, p)
		if err != nil || original == nil {
			return err
		}
		clone, err := n.find(ctx, p.Clone.User)
		if err != nil || clone == nil {
			return err
		}
		var rules []string
		for _, more := range clone.permissions() {
			if !slices.Contains(original.permissions(), more) {
				rules = append(rules, more.selector())
			}
		}
		if clone.unsanitized && !original.unsanitized {
			rules = append(rules, "skip-sanitize-payload")
		}
		if rules == nil {
			return nil
		}
		if err := c.setUser(ctx, n, p.Original.User, rules); err != nil {
			return err
		}
		c.login.Report.Changed(fmt.Sprintf("%q got what only %q had at %s", p.Original.User, p.Clone.User, n.address))
		return nil
	})
}

// Compare implements database.Administrator.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	err = c.each(ctx, p.Original, func(n *node) error {
		original, err := c.original(ctx, n, p)
		if err != nil || original == nil {
			return err
		}
		clone, err := n.find(ctx, p.Clone.User)
		if err != nil {
			return err
		}
		if clone == nil {
			clone = &account{own: permission{commands: "-@all"}}
		}
		found := database.Differing(original.lines(), clone.lines())
		d.Original = append(d.Original, c.at(n, found.Original)...)
		d.Clone = append(d.Clone, c.at(n, found.Clone)...)
		return nil
	})
	return d, err
}

// at says where rights are, where there are several nodes.
func (c *conn) at(n *node, lines []string) []string {
	if len(c.rest) == 0 {
		return lines
	}
	var all []string
	for _, l := range lines {
		all = append(all, l+" at "+n.address)
	}
	return all
}

// Rights implements database.Administrator. A user that may not read its own
// rules has none to show; the administrator has compared them.
func (c *conn) Rights(ctx context.Context, _ string) ([]string, error) {
	a, err := c.seed.find(ctx, c.login.User)
	if isDenied(err) || a == nil {
		return nil, nil
	}
	if err != nil {
		return nil, c.fault(err)
	}
	return a.lines(), nil
}

// PreflightClone implements database.Administrator: who may change one user may
// change each, and give it anything. Where the original is switched off, its clone
// will not be.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	nodes, _, err := c.having(ctx, p.Original)
	if err != nil {
		return err
	}
	return c.mayChange(ctx, nodes, p.Original.User)
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, _ bool) error {
	return c.Preflight(ctx, p.Original)
}
