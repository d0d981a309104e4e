package sqlservertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// An example is what is behind a [servertest.Example].
type example struct {
	server *Server
	tag    string
	undone []string
}

// Example opens the wire-level server, or the one that ROTOR_TEST_SQLSERVER names.
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
	return map[string]any{
		"engine": "sqlserver", "host": x.server.Host, "port": x.server.Port, "dbname": "master", "username": user, "password": password, "ssl": x.server.SSL(),
	}
}

func (x *example) user(ctx context.Context, name string) (map[string]any, error) {
	name += x.tag
	password := "Aa1" + rand.Text()
	for _, twin := range []string{name, name + "_clone"} {
		x.undone = append(x.undone, fmt.Sprintf("IF SUSER_ID(%s) IS NOT NULL DROP LOGIN [%s]", Literal(twin), twin))
	}
	return x.secret(name, password), x.as(ctx, x.server.AdminUser, x.server.AdminPassword, "CREATE LOGIN ["+name+"] WITH PASSWORD = "+Literal(password))
}

// as runs statements as a user.
func (x *example) as(ctx context.Context, user, password string, statements ...string) error {
	db, err := x.server.Open(ctx, user, password, "master")
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

func (x *example) login(ctx context.Context, secret map[string]any) error {
	err := x.as(ctx, servertest.Text(secret, "username"), servertest.Text(secret, "password"))
	if refusal, ok := errors.AsType[mssql.Error](err); ok && refusal.Number == 18456 {
		return servertest.ErrRefused
	}
	return err
}

func (x *example) undo(ctx context.Context) error {
	return x.as(ctx, x.server.AdminUser, x.server.AdminPassword, x.undone...)
}
