package main

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
func openDocumentDB(ctx context.Context) (*target, error) {
	s, err := documentdbtest.StartWire(documentdbtest.Config{})
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	secret := func(user, password string) map[string]any {
		return map[string]any{"engine": s.Engine, "host": s.Host, "port": s.Port, "username": user, "password": password, "authSource": s.AuthSource}
	}
	begin := s.Mark()
	t := &target{
		name: s.Name(), env: map[string]string{"CA_BUNDLE": string(s.CA)},
		administrator: secret(s.AdminUser, s.AdminPassword), user: secret("app", password),
		logins: func() (accepted, refused int) { return s.Logins(begin) }, close: s.Close,
	}
	roles := bson.A{bson.D{{Key: "role", Value: "readWrite"}, {Key: "db", Value: "shop"}}, bson.D{{Key: "role", Value: "changeOwn"}, {Key: "db", Value: "admin"}}}
	for _, command := range []bson.D{
		{{Key: "createRole", Value: "changeOwn"}, {Key: "roles", Value: bson.A{}}, {Key: "privileges", Value: bson.A{bson.D{
			{Key: "resource", Value: bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}}, {Key: "actions", Value: bson.A{"changeOwnPassword"}}}}}},
		{{Key: "createUser", Value: "app"}, {Key: "pwd", Value: password}, {Key: "roles", Value: roles}},
	} {
		if _, err := s.Run(ctx, s.AuthSource, command); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), s.Close())
		}
	}
	return t, nil
}
