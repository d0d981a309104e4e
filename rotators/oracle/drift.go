package oracle

import (
	"context"
	"maps"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
)

// HandBack implements database.Administrator.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	f, plan, err := c.handBack(ctx, p, drift)
	if err != nil {
		return err
	}
	return c.carryOut(ctx, f, plan)
}

// handBack is the plan that gives the original power over what the clone owns,
// which stays the clone's own: Oracle moves no object to another schema. With
// drift, each right that only the clone holds comes first.
func (c *conn) handBack(ctx context.Context, p database.Pair, drift bool) (*facts, []statement, error) {
	original, clone := exact(p.Original.User), exact(p.Clone.User)
	f, err := c.know(ctx, original, clone)
	if err != nil {
		return nil, nil, err
	}
	pair, err := c.accounts(ctx, f, original, clone)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range []string{original, clone} {
		if pair[name] == nil {
			return nil, nil, noUser(name)
		}
		if err := pair[name].rotatable(name); err != nil {
			return nil, nil, err
		}
	}
	has, other := pair[original], pair[clone]
	plan := sharing(original, has.grants, other.owned)
	if drift {
		own := has.grants.without(original, clone)
		plan = slices.Concat(
			quotaChanges(original, has.quotas, unionQuotas(has.quotas, other.quotas)),
			grantChanges(f, original, own, union(own, other.grants.without(original, clone))),
			roleChanges(original, has.roles, unionRoles(has.roles, other.roles)),
			plan,
		)
	}
	return f, plan, nil
}

// unionQuotas has the original's, and the clone's where the original has none.
func unionQuotas(original, clone map[string]string) map[string]string {
	all := maps.Clone(clone)
	maps.Copy(all, original)
	return all
}

func unionRoles(a, b map[string]role) map[string]role {
	all := maps.Clone(a)
	for name, r := range b {
		has := all[name]
		all[name] = role{has.admin || r.admin, has.delegate || r.delegate, has.byDefault || r.byDefault}
	}
	return all
}
