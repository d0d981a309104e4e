package main_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

const (
	pkg   = "github.com/seed492efc12/rotor/functions/sqlserver"
	first = `First0&<>$%='?[]^_{|}~"\`
)

func TestMain(m *testing.M) { sqlservertest.Main(m) }

// harness is all but the built function.
func harness(t *testing.T, s *sqlservertest.Server) functiontest.Harness {
	t.Helper()
	h := harnesstest.New("sqlserver", &s.Server)
	h.Unmarked = true
	h.New = newFixtures(t, s).next
	h.Refused = func(err error) bool {
		var e mssql.Error
		return errors.As(err, &e) && e.Number == 18456
	}
	return h
}

// fixtures make logins who may read and write one table of the test's database.
type fixtures struct {
	box  *sqlservertest.Sandbox
	shop string // the database
	made int
}

func newFixtures(t *testing.T, s *sqlservertest.Server) *fixtures {
	t.Helper()
	f := &fixtures{box: s.Fresh(t)}
	f.shop = f.box.Name("shop")
	f.box.Exec(t, "master", `CREATE DATABASE `+sqlservertest.Quote(f.shop))
	f.box.Exec(t, f.shop, `CREATE TABLE [dbo].[orders] (id int)`)
	return f
}

func (f *fixtures) next(t *testing.T) functiontest.Fixture {
	t.Helper()
	f.made++
	name := f.box.Name(fmt.Sprint("app", f.made))
	app, user := sqlservertest.Quote(name), sqlservertest.Quote(fmt.Sprintf("shop's %d", f.made))
	f.box.Exec(t, "master", `CREATE LOGIN `+app+` WITH PASSWORD = `+sqlservertest.Literal(first))
	f.box.Exec(t, f.shop, `CREATE USER `+user+` FOR LOGIN `+app, `GRANT SELECT ON [dbo].[orders] TO `+user, `GRANT INSERT ON [dbo].[orders] TO `+user)
	s := f.box.Server
	return functiontest.Fixture{User: f.secret(t, name, first), Administrator: f.secret(t, s.AdminUser, s.AdminPassword), Login: f.login}
}

func (f *fixtures) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	return harnesstest.Secret(t, map[string]any{"engine": "sqlserver", "dbname": f.shop, "username": user, "password": password})
}

// login tries what the user may do, and what it may not.
func (f *fixtures) login(ctx context.Context, user, password string) (rights string, err error) {
	db, err := f.box.Server.Open(ctx, user, password, f.shop)
	if err != nil {
		return "", err
	}
	rights = functiontest.Rights(func(statement string) error { _, err := db.ExecContext(ctx, statement); return err },
		`INSERT INTO [dbo].[orders] VALUES (1)`, `SELECT * FROM [dbo].[orders]`, `DELETE FROM [dbo].[orders]`, `CREATE TABLE [dbo].[mine] (id int)`)
	return rights, db.Close()
}
