package oracle

import (
	"context"
	"maps"
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

// adopt gives original power over what clone owns. What the clone owns stays its own: Oracle
// moves no object to another schema. The original gets all that can be granted
// on it.
func (c *conn) adopt(ctx context.Context, original, clone string) error {
	return c.giving(ctx, original, clone, func(_ *facts, original string, has, clone *account) []statement {
		return sharing(original, has.grants, clone.owned)
	})
}

// grantDrift gives original each right that only clone holds.
func (c *conn) grantDrift(ctx context.Context, original, clone string) error {
	other := exact(clone)
	return c.giving(ctx, original, clone, func(f *facts, original string, has, clone *account) []statement {
		own := has.grants.without(original, other)
		return slices.Concat(
			quotaChanges(original, has.quotas, unionQuotas(has.quotas, clone.quotas)),
			grantChanges(f, original, own, union(own, clone.grants.without(original, other))),
			roleChanges(original, has.roles, unionRoles(has.roles, clone.roles)),
			sharing(original, has.grants, clone.owned),
		)
	})
}

// giving carries out a plan that gives original some of what clone has.
func (c *conn) giving(ctx context.Context, original, clone string, plan func(f *facts, original string, has, clone *account) []statement) error {
	one, other := exact(original), exact(clone)
	f, err := c.know(ctx, one, other)
	if err != nil {
		return err
	}
	pair, err := c.accounts(ctx, f, one, other)
	if err != nil {
		return err
	}
	for _, name := range []string{one, other} {
		if pair[name] == nil {
			return noUser(name)
		}
		if err := pair[name].rotatable(name); err != nil {
			return err
		}
	}
	return c.carryOut(ctx, f, plan(f, one, pair[one], pair[other]))
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
