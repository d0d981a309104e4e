package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// openMySQL starts MariaDB, or the wire-level server as MySQL 8.
func openMySQL(ctx context.Context) (*target, error) {
	s, err := startMySQL()
	if err != nil {
		return nil, err
	}
	secret := func(user string) map[string]any {
		return map[string]any{"engine": "mysql", "host": s.Host, "port": s.Port, "username": user, "password": rand.Text()}
	}
	t := &target{
		name: s.Name(), env: map[string]string{"CA_BUNDLE": string(s.CA)},
		administrator: secret("administrator"), user: secret("app"),
		logins: s.Logins, close: s.Close,
	}
	if err := prepareMySQL(ctx, s, t); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return t, nil
}

func startMySQL() (*mysqltest.Server, error) {
	if i, ok := mysqltest.Find(); ok {
		return i.Start(mysqltest.Config{})
	}
	return mysqltest.StartWire(mysqltest.Config{})
}

func prepareMySQL(ctx context.Context, s *mysqltest.Server, t *target) error {
	db, err := s.Admin(ctx)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("CREATE USER 'administrator'@'%%' IDENTIFIED BY '%s'", t.administrator["password"]),
		fmt.Sprintf("CREATE USER 'app'@'%%' IDENTIFIED BY '%s'", t.user["password"]),
		"GRANT CREATE USER ON *.* TO 'administrator'@'%'",
		"GRANT SELECT ON `mysql`.* TO 'administrator'@'%'",
		"GRANT ALL PRIVILEGES ON `shop`.* TO 'administrator'@'%' WITH GRANT OPTION",
		"GRANT SELECT, INSERT ON `shop`.* TO 'app'@'%'",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return errors.Join(fmt.Errorf("preparing the server: %w", err), db.Close())
		}
	}
	return db.Close()
}
