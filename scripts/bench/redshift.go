package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

// openRedshift starts the wire-level server: no Redshift can be had.
func openRedshift(ctx context.Context) (*target, error) {
	s, err := redshifttest.StartWire(redshifttest.Config{})
	if err != nil {
		return nil, err
	}
	password := "Aa1" + rand.Text()
	secret := func(user, password string) map[string]any {
		return map[string]any{"engine": "redshift", "host": s.Host, "port": s.Port, "dbname": s.Database, "username": user, "password": password}
	}
	begin := s.Mark()
	t := &target{
		name: s.Name(), env: map[string]string{"CA_BUNDLE": string(s.CA)},
		administrator: secret(s.AdminUser, s.AdminPassword), user: secret("app", password),
		logins: func() (accepted, refused int) { return s.LoginsSince(begin) }, close: s.Close,
	}
	conn, err := s.Connect(ctx, s.AdminUser, s.AdminPassword, s.Database)
	if err == nil {
		_, err = conn.Exec(ctx, fmt.Sprintf(`CREATE USER app PASSWORD '%s'`, password))
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), s.Close())
	}
	return t, nil
}
