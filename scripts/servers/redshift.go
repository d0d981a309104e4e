package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

// openRedshift starts the wire-level server: no Redshift can be had.
func openRedshift(ctx context.Context) (*Server, error) {
	r, err := redshifttest.StartWire(redshifttest.Config{})
	if err != nil {
		return nil, err
	}
	secret := func(user, password string) map[string]any {
		return map[string]any{"engine": "redshift", "host": r.Host, "port": r.Port, "dbname": r.Database, "username": user, "password": password}
	}
	exec := func(ctx context.Context, user, password, statement string) error {
		conn, err := r.Connect(ctx, user, password, r.Database)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, statement)
		return errors.Join(err, conn.Close(ctx))
	}
	password := "Aa1" + rand.Text()
	if err := exec(ctx, r.AdminUser, r.AdminPassword, fmt.Sprintf(`CREATE USER app PASSWORD '%s'`, password)); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), r.Close())
	}
	begin := r.Mark()
	return &Server{
		Name: r.Name(), Env: map[string]string{"CA_BUNDLE": string(r.CA)},
		Administrator: secret(r.AdminUser, r.AdminPassword), User: secret("app", password),
		Login: func(ctx context.Context, secret map[string]any) error {
			return exec(ctx, text(secret, "username"), text(secret, "password"), "SELECT 1")
		},
		Logins: func() (accepted, refused int) { return r.LoginsSince(begin) },
		Close:  r.Close,
	}, nil
}
