package documentdb

import (
	"context"
	"errors"
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
	command := bson.D{{Key: "updateUser", Value: name}, {Key: "pwd", Value: password}}
	return c.explain(c.change(ctx, append(command, c.mechanisms(u)...)), name)
}

// sending says so if a password is about to leave in clear text.
func (c *conn) sending() {
	if c.login.TLS == nil {
		c.login.Report.Notef("The new password goes to %s in clear text: the server takes no hash of it, and the connection has no TLS.", c.login.Address())
	}
}

// mechanisms is the field that keeps a user's mechanisms as they are. Without it
// a new password is stored for all that the server offers, and so MongoDB needs
// it only for users with one of them. DocumentDB before 5.0.1 has SCRAM-SHA-1
// alone, and does not know the field.
func (c *conn) mechanisms(u user) bson.D {
	usual := []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}
	if c.amazon {
		usual = usual[:1]
	}
	if len(u.Mechanisms) == 0 || slices.Equal(u.Mechanisms, usual) {
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
	return f.With(c.remedyPrivilege(c.isOwn(name)))
}

// isOwn reports whether a user is the session's own: another database may have
// one of the same name.
func (c *conn) isOwn(name string) bool { return name == c.login.User && c.place.authSource == c.home }

// remedyPrivilege is for a user's own password, or for what an administrator
// does. It follows the roles and actions that there are: DocumentDB has
// neither the role userAdmin nor the action changeOwnPassword.
// Source: its developer guide, "Database access using Role-Based Access Control".
func (c *conn) remedyPrivilege(own bool) string {
	switch {
	case own && c.amazon:
		return "Let an administrator change the password: ROTATION_STRATEGY=single-user-by-administrator, or alternating-users. DocumentDB has no privilege by which a user may change its own password and no other."
	case own:
		return "Grant the user a role with the action changeOwnPassword on its authentication database, or let the administrator change the password: ROTATION_STRATEGY=single-user-by-administrator."
	case c.amazon:
		return "Grant the administrator userAdminAnyDatabase on admin."
	}
	return "Grant the administrator userAdmin on the user's authentication database and on the databases of its roles, or userAdminAnyDatabase on admin."
}
