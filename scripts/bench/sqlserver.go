package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// openSQLServer starts the wire-level server: no SQL Server can be had.
func openSQLServer(ctx context.Context) (*target, error) {
	s, err := sqlservertest.StartWire(sqlservertest.Config{})
	if err != nil {
		return nil, err
	}
	password := "Aa1" + rand.Text()
	secret := func(user, password string) map[string]any {
		return map[string]any{"engine": "sqlserver", "host": s.Host, "port": s.Port, "dbname": "master", "username": user, "password": password}
	}
	begin := s.Mark()
	t := &target{
		name: s.Name(), env: map[string]string{"CA_BUNDLE": string(s.CA)},
		administrator: secret(s.AdminUser, s.AdminPassword), user: secret("app", password),
		logins: func() (accepted, refused int) { return s.LoginsSince(begin) }, close: s.Close,
	}
	conn, err := s.Open(ctx, s.AdminUser, s.AdminPassword, "master")
	if err == nil {
		_, err = conn.ExecContext(ctx, `CREATE LOGIN [app] WITH PASSWORD = `+sqlservertest.Literal(password))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), s.Close())
	}
	return t, nil
}
