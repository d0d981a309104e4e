package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// An example is what is behind a [servertest.Example]: a database, and an administrator who makes the users that it is to
// administer.
type example struct {
	server        *Server
	database      string
	administrator map[string]any
	tag           string
	made          bool // the database
	roles         []string
}

// Example opens the newest server of this machine, or the one that ROTOR_TEST_POSTGRES names. The error is [ErrNone]
// where there is none.
func Example(ctx context.Context) (*servertest.Example, error) {
	s, err := Best(Config{})
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
	e.Client = fmt.Sprintf(`PGPASSWORD=$(echo "$secret" | jq -r .password) psql "host=localhost port=%d dbname=%s user=%%s sslmode=verify-full sslrootcert=%s"`,
		s.Port, x.database, e.CAFile)
	if err := x.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the server: %w", err), e.Close(ctx))
	}
	return e, nil
}

func (x *example) secret(user string) map[string]any {
	return map[string]any{
		"engine": "postgres", "host": x.server.Host, "port": x.server.Port, "dbname": x.database, "username": user, "password": rand.Text(),
	}
}

func (x *example) prepare(ctx context.Context) error {
	if err := x.admin(ctx, x.server.Database, "CREATE DATABASE "+x.database); err != nil {
		return err
	}
	x.made = true
	if err := x.admin(ctx, x.database, create(x.administrator, "CREATEROLE")); err != nil {
		return err
	}
	x.roles = append(x.roles, servertest.Text(x.administrator, "username"))
	return nil
}

// create makes a role of a secret.
func create(secret map[string]any, options string) string {
	return "CREATE ROLE " + servertest.Text(secret, "username") + " LOGIN " + options + " PASSWORD '" + servertest.Text(secret, "password") + "'"
}

func (x *example) user(ctx context.Context, name string) (map[string]any, error) {
	name += x.tag
	secret := x.secret(name)
	if err := x.by(ctx, x.administrator, create(secret, "")); err != nil {
		return nil, err
	}
	x.roles = append(x.roles, name, name+"_clone")
	return secret, x.admin(ctx, x.database, "GRANT CREATE ON SCHEMA public TO "+name)
}

// as runs one statement as a user.
func (x *example) as(ctx context.Context, user, password, in, statement string) error {
	conn, err := x.server.Connect(ctx, user, password, in)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// admin runs one statement as the server's administrator, by as a secret's user.
func (x *example) admin(ctx context.Context, in, statement string) error {
	return x.as(ctx, x.server.AdminUser, x.server.AdminPassword, in, statement)
}

func (x *example) by(ctx context.Context, secret map[string]any, statement string) error {
	return x.as(ctx, servertest.Text(secret, "username"), servertest.Text(secret, "password"), x.database, statement)
}

func (x *example) login(ctx context.Context, secret map[string]any) error {
	err := x.by(ctx, secret, "SELECT 1")
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == "28P01" {
		return servertest.ErrRefused
	}
	return err
}

func (x *example) create(ctx context.Context, secret map[string]any) error {
	return x.by(ctx, secret, "CREATE TABLE orders (item text)")
}

func (x *example) use(ctx context.Context, secret map[string]any) error {
	return x.by(ctx, secret, "INSERT INTO orders VALUES ('tea'); DROP TABLE orders")
}

// undo drops the database first, because roles have rights in it, and then all roles at once, because they have rights
// on each other.
func (x *example) undo(ctx context.Context) (err error) {
	if x.made {
		err = x.admin(ctx, x.server.Database, "DROP DATABASE "+x.database)
	}
	if len(x.roles) > 0 {
		err = errors.Join(err, x.admin(ctx, x.server.Database, "DROP ROLE IF EXISTS "+strings.Join(x.roles, ", ")))
	}
	return err
}
