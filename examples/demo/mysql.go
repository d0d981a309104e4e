package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// The names that the demo makes in the server.
const (
	myDatabase      = "rotor_demo"
	myAdministrator = "rotor_admin"
	mySingle        = "rotor_single"
	myAlternating   = "rotor_app"
)

// mysql is a MariaDB or MySQL server with the demo's users.
type mysql struct {
	*mysqltest.Server
	folder string   // of the CA's certificate
	undone []string // statements that remove what was made on a server that stays
}

func openMySQL(ctx context.Context) (*database, error) {
	server, err := mysqltest.Best(mysqltest.Config{})
	if err != nil {
		return nil, err
	}
	m := &mysql{Server: server}
	d, err := m.open(ctx)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return d, nil
}

func (m *mysql) open(ctx context.Context) (d *database, err error) {
	if m.folder, err = os.MkdirTemp("", "rotor-demo-"); err != nil {
		return nil, err
	}
	ca := filepath.Join(m.folder, "ca.pem")
	if err := os.WriteFile(ca, m.CA, 0o600); err != nil {
		return nil, err
	}
	d = &database{
		name:          fmt.Sprintf("%s at %s:%d, TLS verified", m.Name(), m.Host, m.Port),
		env:           map[string]string{"CA_BUNDLE": string(m.CA)},
		single:        m.secret(mySingle),
		alternating:   m.secret(myAlternating),
		administrator: m.secret(myAdministrator),
		login:         m.login,
		client: fmt.Sprintf(`MYSQL_PWD=$(echo "$secret" | jq -r .password) mariadb --host=%s --port=%d --user=%%s --ssl-ca=%s --ssl-verify-server-cert`,
			m.Host, m.Port, ca),
		close: m.close,
	}
	if m.Real {
		d.create, d.use = m.create, m.use
	} else {
		d.advice = "It knows accounts and their rights only. With MariaDB installed (scripts/servers.sh) the demo takes that."
	}
	if err := m.prepare(ctx, d); err != nil {
		return nil, err
	}
	begin := m.Mark() // the demo's own statements until here hold passwords
	d.log = func() string { return m.LogSince(begin) }
	d.logins = m.Logins
	return d, nil
}

func (m *mysql) secret(user string) map[string]any {
	return map[string]any{"engine": "mysql", "host": m.Host, "port": m.Port, "username": user, "password": rand.Text()}
}

// prepare makes the database and the users. The administrator is not all-mighty:
// it may make users, and pass on what it has in one database.
func (m *mysql) prepare(ctx context.Context, d *database) error {
	var statements []string
	if m.Real {
		statements = append(statements, "CREATE DATABASE "+myDatabase)
		m.undone = append(m.undone, "DROP DATABASE IF EXISTS "+myDatabase)
	}
	for _, secret := range []map[string]any{d.administrator, d.single, d.alternating} {
		statements = append(statements, fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", user(secret), password(secret)))
		m.undone = append(m.undone, fmt.Sprintf("DROP USER IF EXISTS '%s'@'%%'", user(secret)))
	}
	m.undone = append(m.undone, fmt.Sprintf("DROP USER IF EXISTS '%s_clone'@'%%'", myAlternating))
	return m.as(ctx, m.AdminUser, m.AdminPassword, append(statements,
		fmt.Sprintf("GRANT CREATE USER ON *.* TO '%s'@'%%'", myAdministrator),
		fmt.Sprintf("GRANT SELECT ON `mysql`.* TO '%s'@'%%'", myAdministrator),
		fmt.Sprintf("GRANT ALL PRIVILEGES ON `%s`.* TO '%s'@'%%' WITH GRANT OPTION", myDatabase, myAdministrator),
		fmt.Sprintf("GRANT SELECT, INSERT, CREATE, DROP ON `%s`.* TO '%s'@'%%'", myDatabase, myAlternating))...)
}

// as runs statements as a user.
func (m *mysql) as(ctx context.Context, user, password string, statements ...string) error {
	db, err := m.Connect(ctx, user, password, "")
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err = db.ExecContext(ctx, s); err != nil {
			break
		}
	}
	return errors.Join(err, db.Close())
}

func (m *mysql) login(ctx context.Context, secret map[string]any) error {
	err := m.as(ctx, user(secret), password(secret))
	var refusal *driver.MySQLError
	if errors.As(err, &refusal) && refusal.Number == 1045 {
		return errRefused
	}
	return err
}

func (m *mysql) create(ctx context.Context, secret map[string]any) error {
	return m.as(ctx, user(secret), password(secret), "CREATE TABLE "+myDatabase+".orders (item text)")
}

func (m *mysql) use(ctx context.Context, secret map[string]any) error {
	return m.as(ctx, user(secret), password(secret), "INSERT INTO "+myDatabase+".orders VALUES ('tea')", "DROP TABLE "+myDatabase+".orders")
}

// close ends the server or, if it is somebody else's, drops what the demo made
// there.
func (m *mysql) close() (err error) {
	if !m.HasLog() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err = m.as(ctx, m.AdminUser, m.AdminPassword, m.undone...)
	}
	return errors.Join(err, m.Server.Close(), os.RemoveAll(m.folder))
}
