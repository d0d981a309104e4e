package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// openDocumentDB starts the wire-level server as MongoDB: neither it nor
// DocumentDB can be had.
func openDocumentDB(ctx context.Context) (*Server, error) {
	d, err := documentdbtest.StartWire(documentdbtest.Config{})
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	secret := func(user, password string) map[string]any {
		return map[string]any{"engine": d.Engine, "host": d.Host, "port": d.Port, "username": user, "password": password, "authSource": d.AuthSource}
	}
	for _, command := range documentDBUsers(password) {
		if _, err := d.Run(ctx, d.AuthSource, command); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), d.Close())
		}
	}
	begin := d.Mark()
	return &Server{
		Name: d.Name(), Env: map[string]string{"CA_BUNDLE": string(d.CA)},
		Administrator: secret(d.AdminUser, d.AdminPassword), User: secret("app", password),
		Login: func(ctx context.Context, secret map[string]any) error {
			client, err := d.Connect(ctx, text(secret, "username"), text(secret, "password"), d.AuthSource)
			if err != nil {
				return err
			}
			return client.Disconnect(ctx)
		},
		Logins: func() (accepted, refused int) { return d.Logins(begin) },
		Close:  d.Close,
	}, nil
}

// documentDBUsers makes the user, and the role with which it may change its own
// password.
func documentDBUsers(password string) []bson.D {
	privilege := bson.D{
		{Key: "resource", Value: bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}},
		{Key: "actions", Value: bson.A{"changeOwnPassword"}},
	}
	roles := bson.A{
		bson.D{{Key: "role", Value: "readWrite"}, {Key: "db", Value: "shop"}},
		bson.D{{Key: "role", Value: "changeOwn"}, {Key: "db", Value: "admin"}},
	}
	return []bson.D{
		{{Key: "createRole", Value: "changeOwn"}, {Key: "roles", Value: bson.A{}}, {Key: "privileges", Value: bson.A{privilege}}},
		{{Key: "createUser", Value: "app"}, {Key: "pwd", Value: password}, {Key: "roles", Value: roles}},
	}
}
