package documentdb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// SetPassword implements database.Conn.
func (c *conn) SetPassword(ctx context.Context, change database.Change) error {
	name, password := change.Target.User, change.Target.Password
	if err := c.writable(ctx); err != nil {
		return err
	}
	c, err := c.at(change.Target)
	if err != nil {
		return err
	}
	u, err := c.known(ctx, name)
	if err != nil {
		return err
	}
	c.sending()
	return c.explain(c.secure(ctx, bson.D{{Key: "updateUser", Value: name}, {Key: "pwd", Value: password}}, u), name)
}

// secure runs a command that sets a password, and keeps the mechanisms of a user, if
// the server knows that field. What it does not know it refuses whole.
func (c *conn) secure(ctx context.Context, command bson.D, u user) error {
	field := c.mechanisms(u)
	if len(field) > 0 && c.amazon && c.login.Report.Rehearses() {
		c.login.Report.Remarkf("If the server does not know the field mechanisms, which came with DocumentDB 5.0.1, it refuses the command, and gets it without.")
	}
	err := c.change(ctx, slices.Concat(command, field))
	if len(field) > 0 && c.amazon && isNoArgument(err) {
		return c.send(ctx, command) // it is told already: what is refused changes nothing
	}
	return err
}

// sending says so if a password is about to leave in clear text.
func (c *conn) sending() {
	if c.login.TLS == nil {
		c.login.Report.Notef("The new password goes to %s in clear text: the server takes no hash of it, and the connection has no TLS.", c.login.Address())
	}
}

// mechanisms is the field that keeps a user's mechanisms as they are. Without it
// a new password is stored for all that the server offers, and so MongoDB, and
// DocumentDB from 5.0.1 on, need it only for users with one of the two. Before,
// DocumentDB has SCRAM-SHA-1 alone, and does not know the field (see secure);
// whether it tells of mechanisms then is not documented.
// Source: its developer guide, "Authentication using SCRAM-SHA-256".
func (c *conn) mechanisms(u user) bson.D {
	if len(u.Mechanisms) == 0 || slices.Equal(u.Mechanisms, []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}) {
		return nil
	}
	return bson.D{{Key: "mechanisms", Value: u.Mechanisms}}
}

// explain says what to do if the session may not change a user.
func (c *conn) explain(err error, name string) error {
	var f *rotation.Fault
	if !errors.As(err, &f) || f.Class != rotation.MissingPrivilege || f.Remedy != "" {
		return err
	}
	return f.With(c.remedyPrivilege(c.isOwn(name), ""))
}

// isOwn reports whether a user is the session's own: another database may have
// one of the same name.
func (c *conn) isOwn(name string) bool { return name == c.login.User && c.place.authSource == c.home }

// remedyPrivilege is for a user's own password, or for what an administrator
// does to users of a database, "" being those of all. It follows the roles and
// actions that there are: DocumentDB has neither the role userAdmin nor the action
// changeOwnPassword.
// Source: its developer guide, "Database access using Role-Based Access Control".
func (c *conn) remedyPrivilege(own bool, database string) string {
	switch {
	case own && c.amazon:
		return "Let an administrator change the password: ROTATION_STRATEGY=single-user-by-administrator, or alternating-users. DocumentDB has no privilege by which a user may change its own password and no other."
	case own:
		return "Let the user change its own password. As an administrator, in mongosh: " + c.remedyOwn() + " Or let the administrator change the password: ROTATION_STRATEGY=single-user-by-administrator. Then rotate again."
	case c.amazon:
		return fmt.Sprintf("As the cluster's primary user: db.getSiblingDB(\"admin\").grantRolesToUser(%q, [\"userAdminAnyDatabase\"]). No lesser built-in role of DocumentDB may do this.", c.login.User)
	case database == "":
		return "As a user who may grant it, in mongosh: " + c.granting("userAdminAnyDatabase", "admin") + " or userAdmin on the user's authentication database and on those of its roles. Then rotate again."
	}
	return "As a user who may grant it, in mongosh: " + c.granting("userAdmin", database) + " then rotate again."
}

// granting is a statement of MongoDB's shell that gives the session's user a role.
func (c *conn) granting(role, database string) string {
	return fmt.Sprintf(`db.getSiblingDB(%q).grantRolesToUser(%q, [{"role": %q, "db": %q}]);`, c.home, c.login.User, role, database)
}

// remedyOwn are the statements after which the session's user may change its own
// password. The first makes a role that others may have as well.
func (c *conn) remedyOwn() string {
	const role = "changeOwnPassword"
	return fmt.Sprintf(`db.getSiblingDB(%q).createRole({"role": %q, "privileges": [{"resource": {"db": %[1]q, "collection": ""}, "actions": ["changeOwnPassword"]}], "roles": []}); if that role is not there yet, and: `, c.home, role) +
		c.granting(role, c.home)
}
