package documentdb

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// CheckPassword implements database.Conn. MongoDB has no rules, and the driver's are DocumentDB's.
func (c *conn) CheckPassword(context.Context, string) error { return nil }

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	return c.preflight(ctx, target, target.User, func(*conn, user) ([]need, error) { return nil, nil })
}

// PreflightClone implements database.Administrator.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	return c.preflight(ctx, p.Original, p.Clone.User, func(c *conn, want user) ([]need, error) {
		has, found, err := c.look(ctx, p.Clone.User)
		return c.cloneNeeds(want, has, found), err
	})
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	return c.preflight(ctx, p.Original, p.Original.User, func(c *conn, want user) (needs []need, err error) {
		if err := c.admitted(ctx, want); err != nil || !drift {
			return nil, err
		}
		has, _, err := c.look(ctx, p.Clone.User)
		for _, r := range without(has.Roles, want.Roles) {
			needs = append(needs, need{"grantRole", r.Database})
		}
		return needs, err
	})
}

// preflight asks for the privileges that setting the password of next will need,
// and for more, which depend on what the user to rotate is.
func (c *conn) preflight(ctx context.Context, target database.Login, next string, more func(*conn, user) ([]need, error)) error {
	if err := c.writable(ctx); err != nil {
		return err
	}
	c, err := c.at(target)
	if err != nil {
		return err
	}
	want, err := c.known(ctx, target.User)
	if err != nil {
		return err
	}
	if c.granted == nil {
		return c.judge(next)
	}
	needs, err := more(c, want)
	if err != nil {
		return err
	}
	return c.lacks(ctx, append([]need{{"changePassword", c.place.authSource}}, needs...), next)
}

// judge is for a server that tells the roles of a session alone, as DocumentDB. The
// roles that may set passwords there may do all else that a rotation takes.
func (c *conn) judge(next string) error {
	switch {
	case slices.ContainsFunc(c.roles, role.administers):
		return nil
	case c.amazon && len(c.roles) > 0 && !slices.ContainsFunc(c.roles, role.isUnknown):
		return rotation.Fail(rotation.MissingPrivilege, "no role of %q lets it set the password of %q", c.login.User, next).With(c.remedyPrivilege(c.isOwn(next), ""))
	}
	c.login.Report.Notef("The server does not tell what %q may do, so that this trial could not check whether it may set the password of %q.", c.login.User, next)
	return nil
}

// administers reports whether a role may administer all users of DocumentDB.
// Source: its developer guide, "Database access using Role-Based Access Control".
func (r role) administers() bool {
	return r.Database == "admin" && (r.Name == "root" || r.Name == "userAdminAnyDatabase")
}

// isUnknown reports whether a role may be one that somebody has made, of which a
// session is not told what it may do. The others are built-in ones of that page that
// may do nothing to users.
func (r role) isUnknown() bool {
	return !slices.Contains([]string{"read", "readWrite", "dbAdmin", "readAnyDatabase", "readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterAdmin"}, r.Name)
}

// lacks is an error if the session may not do what is needed to change a user.
func (c *conn) lacks(ctx context.Context, needs []need, name string) error {
	at := slices.IndexFunc(needs, func(n need) bool { return !c.has(n, name) })
	if at < 0 {
		return nil
	}
	if c.isUnguarded(ctx) {
		c.login.Report.Notef("%s lets everybody who reaches it do everything: its access control (security.authorization) is off.", c.login.Address())
		return nil
	}
	n := needs[at]
	return rotation.Fail(rotation.MissingPrivilege, "%q lacks the action %s on the database %q", c.login.User, n.action, n.database).
		With(c.remedyPrivilege(n.action == "changePassword" && c.isOwn(name), n.database))
}

// isUnguarded reports whether the server tells sessions their privileges and heeds
// none. It runs a command that changes nothing, for which the session has no
// privilege.
// Source: MongoDB manual, "Enable Access Control"; seen on 4.4, 5.0 and 6.0.
func (c *conn) isUnguarded(ctx context.Context) bool {
	var out struct{}
	return !c.granted.allow("hostInfo", resource{Cluster: true}) && c.ask(ctx, "admin", bson.D{{Key: "hostInfo", Value: 1}}, &out) == nil
}

// A need is an action that a rotation takes on a database.
type need struct{ action, database string }

// has reports whether the session may take the action about a user, who may be
// its own.
func (c *conn) has(n need, name string) bool {
	on := resource{Database: n.database}
	own := map[string]string{"changePassword": "changeOwnPassword", "changeCustomData": "changeOwnCustomData"}[n.action]
	return c.granted.allow(n.action, on) || own != "" && c.isOwn(name) && c.granted.allow(own, on)
}

// cloneNeeds are what Clone will need to make the clone, which is found or not,
// what the original is.
// Source: MongoDB manual, "Required Access" of createUser, updateUser,
// grantRolesToUser and revokeRolesFromUser.
func (c *conn) cloneNeeds(want, has user, found bool) (needs []need) {
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
	return needs
}
