package documentdb

import (
	"context"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	return c.preflight(ctx, target, "")
}

// PreflightClone implements database.Administrator.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	return c.preflight(ctx, p.Original, p.Clone.User)
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	if drift {
		return c.PreflightClone(ctx, p) // which takes as much
	}
	return c.Preflight(ctx, p.Original)
}

// preflight asks for no more privileges than the next two rotations will need as
// things are.
func (c *conn) preflight(ctx context.Context, target database.Login, clone string) error {
	name := target.User
	if err := c.writable(ctx); err != nil {
		return err
	}
	c, err := c.at(target)
	if err != nil {
		return err
	}
	want, err := c.known(ctx, name)
	if err != nil {
		return err
	}
	if len(c.granted) == 0 {
		c.login.Report.Notef("The server does not tell what %q may do, so that this trial could not check whether it may set the password of %q.", c.login.User, name)
		return nil
	}
	needs := []need{{"changePassword", c.place.authSource}}
	if clone != "" {
		more, err := c.cloneNeeds(ctx, want, clone)
		if err != nil {
			return err
		}
		needs = append(needs, more...)
	}
	for _, n := range needs {
		if !c.has(n, name) {
			return rotation.Fail(rotation.MissingPrivilege, "%q lacks the action %s on the database %q", c.login.User, n.action, n.database).With(c.remedyPrivilege(name))
		}
	}
	return nil
}

// A need is an action that a rotation takes on a database.
type need struct{ action, database string }

// has reports whether the session may take the action about a user.
func (c *conn) has(n need, name string) bool {
	on := resource{Database: n.database}
	return c.granted.allow(n.action, on) ||
		n.action == "changePassword" && name == c.login.User && c.granted.allow("changeOwnPassword", on)
}

// cloneNeeds are what Clone will need.
// Source: MongoDB manual, "Required Access" of createUser, updateUser,
// grantRolesToUser and revokeRolesFromUser.
func (c *conn) cloneNeeds(ctx context.Context, want user, clone string) (needs []need, err error) {
	has, found, err := c.look(ctx, clone)
	if err != nil {
		return nil, err
	}
	home := c.place.authSource
	if !found {
		needs = append(needs, need{"createUser", home})
	}
	for _, r := range without(has.Roles, want.Roles) {
		needs = append(needs, need{"revokeRole", r.Database})
	}
	for _, r := range without(want.Roles, has.Roles) {
		needs = append(needs, need{"grantRole", r.Database})
	}
	for _, field := range c.settings(want, has) {
		switch {
		case field.Key == "authenticationRestrictions":
			needs = append(needs, need{"setAuthenticationRestriction", home})
		case field.Key == "customData" && found:
			needs = append(needs, need{"changeCustomData", home})
		}
	}
	return needs, nil
}
