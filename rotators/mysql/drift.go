package mysql

import (
	"context"
	"maps"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
)

// HandBack implements database.Administrator. On hosts where only the clone
// has an account, the original gets none.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	if !drift {
		return nil // nothing on these servers has an owner
	}
	original, clone := p.Original.User, p.Clone.User
	f, err := c.settle(ctx, original, clone)
	if err != nil {
		return err
	}
	if err := c.lock(ctx, original); err != nil {
		return err
	}
	k := cloning{conn: c, facts: f, original: original, clone: clone, foreseen: map[account]*holdings{}}
	accounts, err := c.mustAccountsOf(ctx, f, original)
	if err != nil {
		return err
	}
	clones, err := c.mustAccountsOf(ctx, f, clone)
	if err != nil {
		return err
	}
	for _, from := range clones {
		to := account{original, from.host}
		if !slices.ContainsFunc(accounts, func(t target) bool { return t.account == to }) {
			c.login.Report.Notef("%s has no counterpart: %q cannot log in from there.", from, original)
			continue
		}
		if err := k.give(ctx, from.account, to); err != nil {
			return err
		}
	}
	return nil
}

// give grants one account all that another has.
func (k *cloning) give(ctx context.Context, from, to account) error {
	has, err := k.holdingsOf(ctx, k.facts, to)
	if err != nil {
		return err
	}
	more, err := k.holdingsOf(ctx, k.facts, from)
	if err != nil {
		return err
	}
	if err := k.become(ctx, to, union(has, more), false); err != nil {
		return err
	}
	hasRoles, err := k.defaultRoles(ctx, k.facts, to, has)
	if err != nil || len(hasRoles) > 0 && k.maria { // MariaDB activates one role only
		return err
	}
	moreRoles, err := k.defaultRoles(ctx, k.facts, from, more)
	if err != nil {
		return err
	}
	for _, r := range hasRoles {
		if !slices.Contains(moreRoles, r) {
			moreRoles = append(moreRoles, r)
		}
	}
	if len(moreRoles) == len(hasRoles) {
		return nil
	}
	return k.setDefaultRoles(ctx, to, moreRoles)
}

// union is what either may do: what is denied to one stays denied where the other may
// not do it either.
func union(a, b *holdings) *holdings {
	u := newHoldings()
	for _, pair := range [][2]*holdings{{a, b}, {b, a}} {
		h, other := pair[0], pair[1]
		for o, list := range h.on {
			for r := range list {
				if !o.denied || !other.hasOn(r, o.name) {
					u.put(o, r)
				}
			}
		}
		maps.Copy(u.lent, h.lent)
		for role, admin := range h.roles {
			u.roles[role] = u.roles[role] || admin
		}
		for proxied, option := range h.proxies {
			u.proxies[proxied] = u.proxies[proxied] || option
		}
	}
	return u
}
