package main_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

const (
	pkg   = "github.com/seed492efc12/rotor/functions/redshift"
	first = "First0&<>$%=?[]^_`{|}~"
)

func TestMain(m *testing.M) { redshifttest.Main(m) }

// harness is all but the built function.
func harness(t *testing.T, s *redshifttest.Server) functiontest.Harness {
	t.Helper()
	h := harnesstest.New("redshift", &s.Server)
	h.Unmarked = true
	h.New = (&fixtures{box: s.Fresh(t)}).next
	h.Refused = func(err error) bool { // Redshift has one code for all, PostgreSQL one for passwords
		return strings.Contains(err.Error(), "28000") || strings.Contains(err.Error(), "28P01")
	}
	return h
}

// fixtures make users with a schema and a table each: two rotations at once may not grant on the same one.
type fixtures struct {
	box  *redshifttest.Sandbox
	made int
}

func (f *fixtures) next(t *testing.T) functiontest.Fixture {
	t.Helper()
	f.made++
	app, shop := f.box.Name(fmt.Sprint("app", f.made)), f.box.Name(fmt.Sprint("shop", f.made))
	f.box.Exec(t, `CREATE USER `+app+` PASSWORD '`+first+`'`, `CREATE SCHEMA `+shop, `CREATE TABLE `+shop+`.orders (n int)`,
		`GRANT USAGE ON SCHEMA `+shop+` TO `+app, `GRANT SELECT, INSERT ON TABLE `+shop+`.orders TO `+app)
	s := f.box.Server
	return functiontest.Fixture{User: f.secret(t, app, first), Administrator: f.secret(t, s.AdminUser, s.AdminPassword),
		Login: func(ctx context.Context, user, password string) (string, error) {
			return f.login(ctx, user, password, shop)
		}}
}

func (f *fixtures) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	return harnesstest.Secret(t, map[string]any{"engine": "redshift", "dbname": f.box.Database, "username": user, "password": password})
}

// login tries what the user may do, and what it may not. The wire-level server, which runs no statements of applications,
// tells what the user has.
func (f *fixtures) login(ctx context.Context, user, password, shop string) (rights string, err error) {
	conn, err := f.box.Server.Connect(ctx, user, password, f.box.Database)
	if err != nil {
		return "", err
	}
	if f.box.Server.Kind == redshifttest.Wire {
		rights = strings.Join(f.box.Server.Holdings(user), "\n")
	} else {
		rights = functiontest.Rights(func(statement string) error { _, err := conn.Exec(ctx, statement); return err },
			`INSERT INTO `+shop+`.orders VALUES (1)`, `SELECT * FROM `+shop+`.orders`, `DELETE FROM `+shop+`.orders`, `CREATE TABLE `+shop+`.mine (n int)`)
	}
	return rights, conn.Close(ctx)
}
