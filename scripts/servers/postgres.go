package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// openPostgres starts the newest PostgreSQL of this machine, or the wire-level
// server.
func openPostgres(ctx context.Context) (*Server, error) {
	p, err := startPostgres()
	if err != nil {
		return nil, err
	}
	secret := func(user string) map[string]any {
		return map[string]any{"engine": "postgres", "host": p.Host, "port": p.Port, "dbname": p.Database, "username": user, "password": rand.Text()}
	}
	s := &Server{
		Name: p.Name(), Env: map[string]string{"CA_BUNDLE": string(p.CA)},
		Administrator: secret("administrator"), User: secret("app"),
		Login: func(ctx context.Context, secret map[string]any) error {
			return postgresExec(ctx, p, text(secret, "username"), text(secret, "password"), "SELECT 1")
		},
		Close: p.Close,
	}
	create := `CREATE ROLE %s LOGIN %s PASSWORD '%s'`
	password := text(s.Administrator, "password")
	err = postgresExec(ctx, p, p.AdminUser, p.AdminPassword, fmt.Sprintf(create, "administrator", "CREATEROLE", password))
	if err == nil {
		err = postgresExec(ctx, p, "administrator", password, fmt.Sprintf(create, "app", "", text(s.User, "password")))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), p.Close())
	}
	begin := p.Mark()
	s.Logins = func() (accepted, refused int) { return p.LoginsSince(begin) }
	return s, nil
}

func startPostgres() (*postgrestest.Server, error) {
	if found := postgrestest.Installations(); len(found) > 0 {
		return found[len(found)-1].Start(postgrestest.Config{})
	}
	return postgrestest.StartWire(postgrestest.Config{})
}

func postgresExec(ctx context.Context, p *postgrestest.Server, user, password, statement string) error {
	conn, err := p.Connect(ctx, user, password, p.Database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
