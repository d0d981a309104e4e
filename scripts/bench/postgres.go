package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// openPostgres starts the newest PostgreSQL of this machine, or the wire-level server.
func openPostgres(ctx context.Context) (*target, error) {
	s, err := startPostgres()
	if err != nil {
		return nil, err
	}
	secret := func(user string) map[string]any {
		return map[string]any{"engine": "postgres", "host": s.Host, "port": s.Port, "dbname": s.Database, "username": user, "password": rand.Text()}
	}
	t := &target{
		name: s.Name(), env: map[string]string{"CA_BUNDLE": string(s.CA)},
		administrator: secret("administrator"), user: secret("app"),
		logins: s.Logins, close: s.Close,
	}
	create := `CREATE ROLE %s LOGIN %s PASSWORD '%s'`
	err = postgresExec(ctx, s, s.AdminUser, s.AdminPassword, fmt.Sprintf(create, "administrator", "CREATEROLE", t.administrator["password"]))
	if err == nil {
		password := fmt.Sprint(t.administrator["password"])
		err = postgresExec(ctx, s, "administrator", password, fmt.Sprintf(create, "app", "", t.user["password"]))
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return t, nil
}

func startPostgres() (*postgrestest.Server, error) {
	if found := postgrestest.Installations(); len(found) > 0 {
		return found[len(found)-1].Start(postgrestest.Config{})
	}
	return postgrestest.StartWire(postgrestest.Config{})
}

func postgresExec(ctx context.Context, s *postgrestest.Server, user, password, statement string) error {
	conn, err := s.Connect(ctx, user, password, s.Database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
