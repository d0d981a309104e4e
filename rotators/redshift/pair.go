package redshift

import (
	"context"

	"github.com/seed492efc12/rotor/framework/database"
)

// Standing implements database.Administrator. Redshift has no place for a mark.
func (c *conn) Standing(ctx context.Context, _ database.Pair, next database.Login) (database.Standing, error) {
	pair := map[string]*profile{}
	if err := c.readUsers(ctx, pair, next.User, next.User); err != nil {
		return database.Stranger, err
	}
	if pair[next.User] == nil {
		return database.Absent, nil
	}
	return database.Stranger, nil
}

// Compare implements database.Administrator. It sees what Rights sees.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	pair, err := c.profiles(ctx, p.Original.User, p.Clone.User)
	if err != nil {
		return d, err
	}
	original, clone := pair[p.Original.User], pair[p.Clone.User]
	switch {
	case original == nil:
		return d, noUser(p.Original.User)
	case clone == nil:
		return d, noUser(p.Clone.User)
	}
	return database.Differing(rightsOf(original, clone), rightsOf(clone, original)), nil
}
