package redshift

import (
	"context"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
)

// HandBack implements database.Administrator. What the clone owns stays its own,
// since it is in use; the original gets all privileges on it. The next Clone hands it
// over.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	original, clone, err := c.bothProfiles(ctx, p)
	switch {
	case err != nil:
		return err
	case clone == nil:
		return noUser(p.Clone.User)
	}
	plan := sharing(p.Original.User, original, clone.owned)
	if drift {
		plan = drifting(p.Original.User, original, clone)
	}
	// Of a rehearsal with drift, what the clone owns is among the rights that are given.
	c.shared = drift || !c.login.Report.Rehearses()
	return c.altering(c.carryOut(ctx, plan, p.Original.User, p.Clone.User), p.Original.User)
}

// drifting are the statements that give original each right that clone has, and all
// privileges on what it owns. They take no right away: a privilege on columns makes
// room for the same on the whole.
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
		extraChanges(original, has.extras, has.extras.with(clone.extras)),
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
