package documentdb

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed492efc12/rotor/framework/database"
)

// Standing implements database.Administrator. It leaves no mark: customData is the
// application's, and DocumentDB may have none. Both users are of one authentication
// database, where whoever may make one of them may change the other's password.
func (c *conn) Standing(ctx context.Context, p database.Pair, next database.Login) (database.Standing, error) {
	c, err := c.at(p.Original)
	if err != nil {
		return database.Stranger, err
	}
	if err := c.writable(ctx); err != nil {
		return database.Stranger, err
	}
	_, found, err := c.look(ctx, next.User)
	switch {
	case err != nil || found:
		return database.Stranger, err
	case next.User == p.Original.User:
		_, err = c.must(ctx, next.User) // whose error says where it is missing
		return database.Stranger, err
	}
	return database.Absent, nil
}

// Compare implements database.Administrator: roles alone are what a user has.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	if c, err = c.at(p.Original); err != nil {
		return d, err
	}
	original, err := c.must(ctx, p.Original.User)
	if err != nil {
		return d, err
	}
	clone, _, err := c.look(ctx, p.Clone.User)
	if err != nil {
		return d, err
	}
	return database.Differing(original.lines(), clone.lines()), nil
}

// lines name the roles for people.
func (u user) lines() []string {
	var lines []string
	for _, r := range u.Roles {
		lines = append(lines, r.line())
	}
	slices.Sort(lines)
	return lines
}

func (r role) line() string { return fmt.Sprintf("role %s on database %s", r.Name, r.Database) }
