package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// openSQLServer starts the wire-level server: no SQL Server can be had.
func openSQLServer(ctx context.Context) (*Server, error) {
	m, err := sqlservertest.StartWire(sqlservertest.Config{})
	if err != nil {
		return nil, err
	}
	secret := func(user, password string) map[string]any {
		return map[string]any{"engine": "sqlserver", "host": m.Host, "port": m.Port, "dbname": "master", "username": user, "password": password}
	}
	exec := func(ctx context.Context, user, password, statement string) error {
		db, err := m.Open(ctx, user, password, "master")
		if err != nil {
			return err
		}
		if statement != "" {
			_, err = db.ExecContext(ctx, statement)
		}
		return errors.Join(err, db.Close())
	}
	password := "Aa1" + rand.Text()
	if err := exec(ctx, m.AdminUser, m.AdminPassword, `CREATE LOGIN [app] WITH PASSWORD = `+sqlservertest.Literal(password)); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), m.Close())
	}
	begin := m.Mark()
	return &Server{
		Name: m.Name(), Env: map[string]string{"CA_BUNDLE": string(m.CA)},
		Administrator: secret(m.AdminUser, m.AdminPassword), User: secret("app", password),
		Login: func(ctx context.Context, secret map[string]any) error {
			return exec(ctx, text(secret, "username"), text(secret, "password"), "")
		},
		Logins: func() (accepted, refused int) { return m.LoginsSince(begin) },
		Close:  m.Close,
	}, nil
}
