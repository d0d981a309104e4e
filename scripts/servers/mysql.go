package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// openMySQL starts MariaDB, or the wire-level server as MySQL 8.
func openMySQL(ctx context.Context) (*Server, error) {
	m, err := startMySQL()
	if err != nil {
		return nil, err
	}
	secret := func(user string) map[string]any {
		return map[string]any{"engine": "mysql", "host": m.Host, "port": m.Port, "username": user, "password": rand.Text()}
	}
	s := &Server{
		Name: m.Name(), Env: map[string]string{"CA_BUNDLE": string(m.CA)},
		Administrator: secret("administrator"), User: secret("app"),
		Login: func(ctx context.Context, secret map[string]any) error {
			db, err := m.Connect(ctx, text(secret, "username"), text(secret, "password"), "")
			if err != nil {
				return err
			}
			return errors.Join(db.PingContext(ctx), db.Close())
		},
		Close: m.Close,
	}
	if err := prepareMySQL(ctx, m, s); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), m.Close())
	}
	begin := m.Mark()
	s.Logins = func() (accepted, refused int) { return m.LoginsSince(begin) }
	return s, nil
}

func startMySQL() (*mysqltest.Server, error) {
	if i, ok := mysqltest.Find(); ok {
		return i.Start(mysqltest.Config{})
	}
	return mysqltest.StartWire(mysqltest.Config{})
}

func prepareMySQL(ctx context.Context, m *mysqltest.Server, s *Server) error {
	db, err := m.Admin(ctx)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("CREATE USER 'administrator'@'%%' IDENTIFIED BY '%s'", text(s.Administrator, "password")),
		fmt.Sprintf("CREATE USER 'app'@'%%' IDENTIFIED BY '%s'", text(s.User, "password")),
		"GRANT CREATE USER ON *.* TO 'administrator'@'%'",
		"GRANT SELECT ON `mysql`.* TO 'administrator'@'%'",
		"GRANT ALL PRIVILEGES ON `shop`.* TO 'administrator'@'%' WITH GRANT OPTION",
		"GRANT SELECT, INSERT ON `shop`.* TO 'app'@'%'",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	return db.Close()
}
