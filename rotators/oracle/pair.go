package oracle

import (
	"context"

	"github.com/seed492efc12/rotor/framework/database"
)

// Standing implements database.Administrator. Oracle has no place for a mark. A
// clone that has been locked since the moment it was made was never anybody's: a
// run was cut short before it opened it.
func (c *conn) Standing(ctx context.Context, p database.Pair, next database.Login) (database.Standing, error) {
	name := exact(next.User)
	f, err := c.know(ctx, name)
	if err != nil {
		return database.Stranger, err
	}
	pair, err := c.accounts(ctx, f, name, name)
	switch a := pair[name]; {
	case err != nil:
		return database.Stranger, err
	case a == nil:
		return database.Absent, nil
	case a.bornLocked && len(a.owned) == 0 && next.User == p.Clone.User:
		return database.Twin, nil
	}
	return database.Stranger, nil
}

// Compare implements database.Administrator. It sees what Rights sees, and two
// things more: Clone has tried each grant that the clone lacks, so that the
// original's on an object with errors say nothing; the clone's do, for nobody has
// tried to give them to the original. What the clone owns is no difference:
// HandBack shares it, or ends the step.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	original, clone := exact(p.Original.User), exact(p.Clone.User)
	f, err := c.know(ctx, original, clone)
	if err != nil {
		return d, err
	}
	pair, err := c.accounts(ctx, f, original, clone)
	if err != nil {
		return d, err
	}
	if pair[original] == nil {
		return d, noUser(original)
	}
	if pair[clone] == nil {
		pair[clone] = newAccount(attributes{})
	}
	one, other := pair[original], pair[clone]
	usable := database.Differing(rightsOf(one, other.owned, original, clone, one.faulty), rightsOf(other, one.owned, clone, original, nil))
	lent := *other
	lent.owned = nil
	all := database.Differing(rightsOf(one, nil, original, clone, nil), rightsOf(&lent, one.owned, clone, original, nil))
	return database.Difference{Original: usable.Original, Clone: all.Clone}, nil
}
