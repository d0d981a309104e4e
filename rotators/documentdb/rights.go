package documentdb

import (
	"context"
	"slices"
)

// Rights implements database.Administrator: the roles of the session, those that they
// include among them, and, where the server tells them, its privileges, which
// show what a role of one name means. Nothing in them names a user, so that
// there is nothing to leave out for the twin.
func (c *conn) Rights(ctx context.Context, _ string) ([]string, error) {
	s, err := c.status(ctx)
	if err != nil {
		return nil, err
	}
	lines := s.Privileges.lines()
	for _, r := range s.Roles {
		lines = append(lines, r.line())
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}
