package mysqltest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	driver "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// An example is what is behind a [servertest.Example]: a database, and an administrator who is not all-mighty. It may make
// users, and pass on what it has in one database.
type example struct {
	server        *Server
	database      string
	administrator map[string]any
	tag           string
	undone        []string // statements that remove what was made
}

// Example opens the newest server of a product, or the one that ROTOR_TEST_MYSQL names. The error is [ErrNone] where
// there is none.
func Example(product string) func(ctx context.Context) (*servertest.Example, error) {
	return func(ctx context.Context) (*servertest.Example, error) {
		s, err := Best(product)
		if err != nil {
			return nil, err
		}
		x := &example{server: s, tag: s.Tag()}
		e, err := servertest.NewExample(&s.Server, x.undo)
		if err != nil {
			return nil, err
		}
		x.database = "rotor_example" + x.tag
		x.administrator = x.secret("rotor_admin" + x.tag)
		e.Administrator, e.User, e.Login, e.Create, e.Use = x.administrator, x.user, x.login, x.create, x.use
		e.Client = fmt.Sprintf(`MYSQL_PWD=$(echo "$secret" | jq -r .password) %s --host=%s --port=%d --user=%%s --ssl-ca=%s %s`,
			product, s.Host, s.Port, e.CAFile, map[string]string{MySQL: "--ssl-mode=VERIFY_IDENTITY", MariaDB: "--ssl-verify-server-cert"}[product])
		if err := x.prepare(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), e.Close(ctx))
		}
		return e, nil
	}
}

func (x *example) secret(user string) map[string]any {
	return map[string]any{"engine": x.server.product, "host": x.server.Host, "port": x.server.Port, "username": user, "password": rand.Text()}
}

func (x *example) prepare(ctx context.Context) error {
	name := servertest.Text(x.administrator, "username")
	x.undone = append(x.undone, "DROP DATABASE IF EXISTS "+x.database, "DROP USER IF EXISTS "+name+"@'%'")
	return x.admin(ctx,
		"CREATE DATABASE "+x.database,
		"CREATE USER "+name+"@'%' IDENTIFIED BY '"+servertest.Text(x.administrator, "password")+"'",
		"GRANT CREATE USER ON *.* TO "+name+"@'%'",
		"GRANT SELECT ON mysql.* TO "+name+"@'%'",
		"GRANT ALL PRIVILEGES ON "+x.database+".* TO "+name+"@'%' WITH GRANT OPTION")
}

func (x *example) user(ctx context.Context, name string) (map[string]any, error) {
	name += x.tag
	secret := x.secret(name)
	x.undone = append(x.undone, "DROP USER IF EXISTS "+name+"@'%'", "DROP USER IF EXISTS "+name+"_clone@'%'")
	return secret, x.admin(ctx,
		"CREATE USER "+name+"@'%' IDENTIFIED BY '"+servertest.Text(secret, "password")+"'",
		"GRANT SELECT, INSERT, CREATE, DROP ON "+x.database+".* TO "+name+"@'%'")
}

// as runs statements as a user.
func (x *example) as(ctx context.Context, user, password string, statements ...string) error {
	db, err := x.server.Connect(ctx, user, password, "")
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

// admin runs statements as the server's administrator, by as a secret's user.
func (x *example) admin(ctx context.Context, statements ...string) error {
	return x.as(ctx, x.server.AdminUser, x.server.AdminPassword, statements...)
}

func (x *example) by(ctx context.Context, secret map[string]any, statements ...string) error {
	return x.as(ctx, servertest.Text(secret, "username"), servertest.Text(secret, "password"), statements...)
}

func (x *example) login(ctx context.Context, secret map[string]any) error {
	err := x.by(ctx, secret)
	if refusal, ok := errors.AsType[*driver.MySQLError](err); ok && refusal.Number == 1045 {
		return servertest.ErrRefused
	}
	return err
}

func (x *example) create(ctx context.Context, secret map[string]any) error {
	return x.by(ctx, secret, "CREATE TABLE "+x.database+".orders (item text)")
}

func (x *example) use(ctx context.Context, secret map[string]any) error {
	return x.by(ctx, secret, "INSERT INTO "+x.database+".orders VALUES ('tea')", "DROP TABLE "+x.database+".orders")
}

func (x *example) undo(ctx context.Context) error { return x.admin(ctx, x.undone...) }
