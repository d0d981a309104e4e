package redshift

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// Clone implements database.Administrator. What has to be said follows from what
// both users are, and is said in one transaction: a clone that lacks something
// is never seen, and a cluster commits once.
//
// There is nothing on Redshift to lock for it (LOCK takes tables only). Two runs
// at once read the same original and say the same: what one has done is no
// error for the other, or is one that is worth another try (a user who exists by
// now; catalog rows that changed meanwhile).
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	original, clone := p.Original.User, p.Clone.User
	from, to, err := c.bothProfiles(ctx, p)
	switch {
	case err != nil:
		return err
	case past(from.validUntil):
		return c.usable(ctx, original)
	}
	if to == nil {
		if err := checkPassword(p.Clone.Password); err != nil {
			return err
		}
	}
	if c.shared = !c.login.Report.Rehearses(); !c.shared {
		c.rehearsed = p
	}
	return c.altering(c.carryOut(ctx, cloning(original, clone, p.Clone.Password, from, to), original, clone), clone)
}

// cloning are the statements that make clone, which to describes if it exists,
// the same as original. A new one has the password at once, by which a run that
// follows one that was cut short knows it again: there is no place for a mark.
func cloning(original, clone, password string, from, to *profile) []statement {
	verb, create := "ALTER USER", to == nil
	if create {
		verb, to = "CREATE USER", newProfile(attributes{}, nil)
	}
	var first []statement
	if until := validUntil(to.validUntil, from.validUntil); create || until != "" { // which goes with a password alone
		first = []statement{settingPassword(verb, clone, password, until)}
	}
	return slices.Concat(
		first,
		attributeChanges(clone, to.attributes, from.attributes),
		settingChanges(clone, to.settings, from.settings),
		groupChanges(clone, to.groups, from.groups),
		roleChanges(clone, to.roles, from.roles),
		handingOver(original, clone, from.grants, to.owned),
		sharing(clone, to, from.owned, to.owned.handedOver()),
		grantChanges(clone, to.grants.without(from.owned, to.owned), from.grants.without(from.owned, to.owned)),
		extraChanges(clone, to.extras, from.extras),
		defaultChanges(clone, to.defaults, from.defaults),
	)
}

// handingOver gives the original what the clone has made while it was in use. What
// has to stay the clone's is shared with the original, who holds held by now.
func handingOver(original, clone string, held grants, owned objects) []statement {
	var all []statement
	for _, o := range owned.sorted() {
		if !o.handedOver() {
			if !o.in(held) {
				all = append(all, o.giving(original, held)...)
			}
			continue
		}
		s := may("ALTER "+o.String()+" OWNER TO "+pgwire.Ident(original),
			fmt.Sprintf("hand over what %s owns to %s, who gets all privileges on it: %v", pgwire.Ident(clone), pgwire.Ident(original), o))
		s.instead = o.giving(original, held)
		all = append(all, s)
	}
	return all
}

// sharing gives user what can be granted on what the other of the two owns, or
// is about to own.
func sharing(user string, has *profile, owned ...objects) []statement {
	var all []statement
	for _, some := range owned {
		for _, o := range some.sorted() {
			if !o.in(has.grants) {
				all = append(all, o.giving(user, has.grants)...)
			}
		}
	}
	return all
}
