package documentdb

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// ask runs a command that changes nothing, and reads the answer into out.
func (c *conn) ask(ctx context.Context, database string, command bson.D, out any) error {
	return c.fault(c.client.Database(database).RunCommand(ctx, command).Decode(out))
}

// change runs a command that changes users, or says in a rehearsal that it would.
func (c *conn) change(ctx context.Context, command bson.D) error {
	if !c.login.Report.Sends(c.text(command)) {
		return nil
	}
	return c.send(ctx, command)
}

// send runs a command that changes users, on the primary.
func (c *conn) send(ctx context.Context, command bson.D) error {
	return c.fault(c.client.Database(c.place.authSource).RunCommand(ctx, c.lasting(command)).Err())
}

// lasting has a command wait until a majority of the members has it: a primary that
// is lost cannot take it back.
func (c *conn) lasting(command bson.D) bson.D {
	command = slices.Clone(command)
	if c.amazon {
		return command
	}
	return append(command, bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}})
}

// text is a command as send sends it, in JSON, but for its password and for custom
// data, of which nobody knows what they are.
func (c *conn) text(command bson.D) string {
	told := append(c.lasting(command), bson.E{Key: "$db", Value: c.place.authSource})
	for i, field := range told {
		switch field.Key {
		case "pwd":
			told[i].Value = "<new password>"
		case "customData":
			told[i].Value = "<the original's>"
		}
	}
	return told.String()
}

// in is c for the users of another authentication database.
func (c *conn) in(database string) *conn {
	other := *c
	other.place.authSource = database
	return &other
}

// status is the answer to connectionStatus.
type status struct {
	Roles      []role     `bson:"authenticatedUserRoles"`
	Privileges privileges `bson:"authenticatedUserPrivileges"`
}

// A role is one that a user has.
type role struct {
	Name     string `bson:"role"`
	Database string `bson:"db"`
}

func (c *conn) status(ctx context.Context) (status, error) {
	command := bson.D{{Key: "connectionStatus", Value: 1}}
	if !c.amazon {
		command = append(command, bson.E{Key: "showPrivileges", Value: true})
	}
	var out struct {
		AuthInfo status `bson:"authInfo"`
	}
	err := c.ask(ctx, "admin", command, &out)
	return out.AuthInfo, err
}

// writable fails if the server is a secondary. It cannot be one if the primary
// was looked for.
func (c *conn) writable(ctx context.Context) error {
	if c.place.discover {
		return nil
	}
	// isMaster is hello's old name, and the one that all versions know.
	var hello struct {
		IsMaster bool `bson:"ismaster"`
	}
	if err := c.ask(ctx, "admin", bson.D{{Key: "isMaster", Value: 1}}, &hello); err != nil {
		return err
	}
	if !hello.IsMaster && c.primary {
		return rotation.Fail(rotation.Unavailable, "%s was the primary when this session began, and is a secondary now", c.login.Address()).Again()
	}
	if !hello.IsMaster {
		return rotation.Fail(rotation.ReadOnly, "%s is a secondary, which only reads", c.login.Address()).With(remedyReadOnly)
	}
	c.primary = true
	return nil
}

const remedyReadOnly = `Use the cluster endpoint as the secret's host (DocumentDB), or name the replica set in the secret's replicaSet, so that its primary is found.`
