package redshifttest

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// An example is what is behind a [servertest.Example].
type example struct {
	server *Server
	tag    string
	undone []string
}

// Example opens the wire-level server, or the cluster that ROTOR_TEST_REDSHIFT names.
func Example(ctx context.Context) (*servertest.Example, error) {
	s, err := Best()
	if err != nil {
		return nil, err
	}
	x := &example{server: s, tag: s.Tag()}
	e, err := servertest.NewExample(&s.Server, x.undo)
	if err != nil {
		return nil, err
	}
	e.Administrator, e.User, e.Login = x.secret(s.AdminUser, s.AdminPassword), x.user, x.login
	return e, nil
}

func (x *example) secret(user, password string) map[string]any {
	return map[string]any{"engine": "redshift", "host": x.server.Host, "port": x.server.Port, "dbname": x.server.Database, "username": user, "password": password}
}

func (x *example) user(ctx context.Context, name string) (map[string]any, error) {
	name += x.tag
	password := "Aa1" + rand.Text()
	x.undone = append(x.undone, "DROP USER IF EXISTS "+name, "DROP USER IF EXISTS "+name+"_clone")
	return x.secret(name, password), x.as(ctx, x.server.AdminUser, x.server.AdminPassword, "CREATE USER "+name+" PASSWORD '"+password+"'")
}

// as runs statements as a user.
func (x *example) as(ctx context.Context, user, password string, statements ...string) error {
	conn, err := x.server.Connect(ctx, user, password, x.server.Database)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err = conn.Exec(ctx, s); err != nil {
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

func (x *example) login(ctx context.Context, secret map[string]any) error {
	err := x.as(ctx, servertest.Text(secret, "username"), servertest.Text(secret, "password"), "SELECT 1")
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == "28000" {
		return servertest.ErrRefused
	}
	return err
}

func (x *example) undo(ctx context.Context) error {
	return x.as(ctx, x.server.AdminUser, x.server.AdminPassword, x.undone...)
}
