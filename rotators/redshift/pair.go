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

// Compare implements database.Administrator. It sees what Rights sees, and the
// policies that are attached to the two. A clone that does not exist has no rights.
// Before HandBack has run, what the clone owns is no difference: HandBack gives the
// original all privileges on it.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	original, clone, err := c.bothProfiles(ctx, p)
	if err != nil {
		return d, err
	}
	if clone == nil {
		clone = newProfile(attributes{}, nil)
	}
	if !c.shared {
		for o := range clone.owned {
			for _, privilege := range o.all() {
				original.grants[grant{privilege: privilege, on: o.on()}] = true
			}
		}
	}
	d = database.Differing(rightsOf(original, clone, grants.beside), rightsOf(clone, original, grants.beside))
	for _, s := range extraChanges(p.Original.User, original.extras, original.extras.with(clone.extras)) {
		d.Remedy += s.sql + "; "
	}
	return d, nil
}
