package sqlserver

import (
	"context"

	"github.com/seed492efc12/rotor/framework/database"
)

// HandBack implements database.Administrator.
func (c *conn) HandBack(ctx context.Context, p database.Pair, drift bool) error {
	if err := c.adopt(ctx, p.Original.User, p.Clone.User); err != nil || !drift {
		return err
	}
	return c.grantDrift(ctx, p.Original.User, p.Clone.User)
}

// adopt gives original power over what clone owns. Beside CONTROL on what the clone owns, the
// original gets rid of a doubt: a denial that the original has lost is lost by
// the clone too, so that the two can be compared. The next Clone would do
// the same; it takes nothing from the clone.
func (c *conn) adopt(ctx context.Context, original, clone string) error {
	return c.both(ctx, original, clone, false, adopting)
}

func adopting(o, k *profile) []statement {
	only := newProfile(k.server, k.session)
	only.owned, only.name = k.owned, k.name
	return append(o.gain(only), k.allow(o)...)
}

// grantDrift gives original each right that only clone holds. It ends no denial: who denied
// something to the original meant it.
func (c *conn) grantDrift(ctx context.Context, original, clone string) error {
	return c.both(ctx, original, clone, true, func(o, k *profile) []statement {
		return o.gain(k.without(o.denials))
	})
}

// without is the profile without grants of these permissions.
func (p *profile) without(denied map[grant]holding) *profile {
	rest := *p
	rest.grants = map[grant]holding{}
	for g, h := range p.grants {
		if _, ok := denied[g]; !ok {
			rest.grants[g] = h
		}
	}
	return &rest
}

// both carries out what plan says of the two users, on the server and in each
// database where the clone is. Where the original is not, it is let in or left
// out.
func (c *conn) both(ctx context.Context, original, clone string, letIn bool, plan func(o, k *profile) []statement) error {
	o, err := c.usable(ctx, original)
	if err != nil {
		return err
	}
	k, err := c.usable(ctx, clone)
	if err != nil {
		return err
	}
	if err := c.mustSee(ctx, o); err != nil {
		return err
	}
	if err := c.bothOnServer(ctx, o, k, plan); err != nil {
		return err
	}
	return c.each(ctx, k, func(p place) error {
		mine, has, err := c.inDatabase(ctx, o, k)
		if err != nil || has.id == "" {
			return err
		}
		if letIn && mine.id == "" {
			mine, err = c.enter(ctx, p, o, mine, has)
		}
		if err != nil || mine.id == "" {
			return err
		}
		return c.change(ctx, p, texts(plan(mine, has)))
	})
}

func (c *conn) bothOnServer(ctx context.Context, o, k *principal, plan func(o, k *profile) []statement) error {
	if o.contained {
		return nil
	}
	mine, err := c.onServer(ctx, o)
	if err != nil {
		return err
	}
	has, err := c.onServer(ctx, k)
	if err != nil {
		return err
	}
	return c.changeServer(ctx, texts(plan(mine, has)))
}
