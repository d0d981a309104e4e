package documentdbtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// An example is what is behind a [servertest.Example]: a database, and an administrator of users alone.
type example struct {
	server   *Server
	tag      string
	database string
	itself   bson.D   // the role by which a user may change its own password
	undone   []bson.D // commands that remove what was made in admin
}

// Example opens the newest MongoDB, alone, or the server that ROTOR_TEST_DOCUMENTDB names. The error is [ErrNone] where
// there is none.
func Example(ctx context.Context) (*servertest.Example, error) {
	s, err := Best()
	if err != nil {
		return nil, err
	}
	x := &example{server: s, tag: s.Tag(), database: "rotor_example"}
	x.database += x.tag
	e, err := servertest.NewExample(&s.Server, x.undo)
	if err != nil {
		return nil, err
	}
	administrator := x.secret("rotor_admin" + x.tag)
	e.Administrator, e.User, e.Login, e.Create, e.Use = administrator, x.user, x.login, x.create, x.use
	e.Client = fmt.Sprintf(`mongosh --quiet --host %s --port %d --tls --tlsCAFile %s --authenticationDatabase admin --username %%s --password "$(echo "$secret" | jq -r .password)"`,
		s.Host, s.Port, e.CAFile)
	if err := x.prepare(ctx, administrator); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), e.Close(ctx))
	}
	return e, nil
}

func (x *example) secret(user string) map[string]any {
	d := map[string]any{"engine": x.server.Engine, "host": x.server.Host, "port": x.server.Port, "username": user, "password": rand.Text()}
	if x.server.ReplicaSet != "" {
		d["replicaSet"] = x.server.ReplicaSet
	}
	return d
}

// prepare makes the administrator, and the role with which a user may change its own password.
func (x *example) prepare(ctx context.Context, administrator map[string]any) error {
	itself, undo, err := x.server.ChangesItself(ctx, "rotor_changes_itself"+x.tag)
	if err != nil {
		return err
	}
	if x.itself = itself; undo != nil {
		x.undone = append(x.undone, undo)
	}
	return x.make(ctx, administrator, "userAdminAnyDatabase")
}

// make makes a secret's user.
func (x *example) make(ctx context.Context, secret map[string]any, roles ...any) error {
	name := servertest.Text(secret, "username")
	x.undone = append(x.undone, bson.D{{Key: "dropUser", Value: name}}, bson.D{{Key: "dropUser", Value: name + "_clone"}})
	_, err := x.server.Run(ctx, "admin", bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: secret["password"]}, {Key: "roles", Value: roles}})
	return err
}

func (x *example) user(ctx context.Context, name string) (map[string]any, error) {
	secret := x.secret(name + x.tag)
	return secret, x.make(ctx, secret, bson.D{{Key: "role", Value: "readWrite"}, {Key: "db", Value: x.database}}, x.itself)
}

// as runs commands in the example's database as a secret's user.
func (x *example) as(ctx context.Context, secret map[string]any, commands ...bson.D) error {
	client, err := x.server.Connect(ctx, servertest.Text(secret, "username"), servertest.Text(secret, "password"), "admin")
	if err != nil {
		return err
	}
	for _, c := range commands {
		if err = client.Database(x.database).RunCommand(ctx, c).Err(); err != nil {
			break
		}
	}
	return errors.Join(err, disconnect(client))
}

func (x *example) login(ctx context.Context, secret map[string]any) error {
	err := x.as(ctx, secret)
	if refusal, ok := errors.AsType[mongo.CommandError](err); ok && refusal.Code == 18 {
		return servertest.ErrRefused
	}
	return err
}

func (x *example) create(ctx context.Context, secret map[string]any) error {
	return x.as(ctx, secret, bson.D{{Key: "create", Value: "orders"}})
}

func (x *example) use(ctx context.Context, secret map[string]any) error {
	return x.as(ctx, secret,
		bson.D{{Key: "insert", Value: "orders"}, {Key: "documents", Value: bson.A{bson.D{{Key: "item", Value: "tea"}}}}},
		bson.D{{Key: "drop", Value: "orders"}})
}

// undo drops what was made, of which some may be gone.
func (x *example) undo(ctx context.Context) error {
	_, err := x.server.Run(ctx, x.database, bson.D{{Key: "dropDatabase", Value: 1}})
	errs := []error{err}
	for i := len(x.undone) - 1; i >= 0; i-- {
		_, err := x.server.Run(ctx, "admin", x.undone[i])
		if refusal, ok := errors.AsType[mongo.CommandError](err); !ok || refusal.Code != 11 {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
