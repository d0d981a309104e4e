package redshift

import (
	"context"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
)

// HandBack implements database.Administrator.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	if err := c.adopt(ctx, p.Original.User, p.Clone.User); err != nil || !drift {
		return err
	}
	return c.grantDrift(ctx, p.Original.User, p.Clone.User)
}

// adopt gives original power over what clone owns. What the clone owns stays its own, since it
// is in use; the original gets all privileges on it. The next Clone hands it
// over.
func (c *conn) adopt(ctx context.Context, original, clone string) error {
	return c.giving(ctx, original, clone, adopting)
}

// adopting are the statements that give original what can be granted on what
// clone owns.
func adopting(original string, has, clone *profile) []statement {
	return sharing(original, has, clone.owned)
}

// grantDrift gives original each right that only clone holds.
func (c *conn) grantDrift(ctx context.Context, original, clone string) error {
	return c.giving(ctx, original, clone, drifting)
}

// giving carries out a plan that gives original some of what clone has.
func (c *conn) giving(ctx context.Context, original, clone string, plan func(original string, has, clone *profile) []statement) error {
	pair, err := c.profiles(ctx, original, clone)
	if err != nil {
		return err
	}
	if pair[original] == nil {
		return noUser(original)
	}
	if pair[clone] == nil {
		return noUser(clone)
	}
	return c.altering(c.carryOut(ctx, plan(original, pair[original], pair[clone]), original, clone), original)
}

// drifting are the statements that give original each right that clone has. They
// take nothing away.
func drifting(original string, has, clone *profile) []statement {
	want := union(has.grants, clone.grants).without(has.owned, clone.owned)
	a := has.attributes
	a.super, a.createDB, a.unrestricted = a.super || clone.super, a.createDB || clone.createDB, a.unrestricted || clone.unrestricted
	return slices.Concat(
		attributeChanges(original, has.attributes, a),
		groupChanges(original, has.groups, union(has.groups, clone.groups)),
		roleChanges(original, has.roles, union(has.roles, clone.roles)),
		sharing(original, has, clone.owned),
		grantChanges(original, has.grants.without(has.owned, clone.owned), want),
		defaultChanges(original, has.defaults, union(has.defaults, received(clone.defaults))),
	)
}

// union has what either has, with the option if either has it.
func union[M ~map[K]bool, K comparable](a, b M) M {
	all := M{}
	for _, m := range []M{a, b} {
		for k, option := range m {
			all[k] = all[k] || option
		}
	}
	return all
}
