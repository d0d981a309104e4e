package main_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/local/functiontest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) {
	h := harness(t)
	h.Bootstrap = build(t)
	functiontest.Run(t, h)
}

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	functiontest.RunInProcess(t, harness(t), postgres.Driver)
}

// harness is all but the built function.
func harness(t *testing.T) functiontest.Harness {
	t.Helper()
	s := newest(t)
	return functiontest.Harness{
		Engine: "postgres", Server: s.Title, Real: s.Real,
		Env:     map[string]string{"CA_BUNDLE": string(s.CA)},
		Address: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		New:     newFixtures(t, s).next,
		Log:     func() func() string { mark := s.Mark(); return func() string { return s.LogSince(mark) } },
	}
}

// newest is the newest server, whose logins cost next to nothing.
func newest(t *testing.T) *postgrestest.Server {
	t.Helper()
	found := postgrestest.Installations()
	if len(found) == 0 || found[len(found)-1].Major < 16 {
		return best(t)
	}
	return configured(t, postgrestest.Config{Options: servertest.Options{Settings: map[string]string{"scram_iterations": "64"}}})
}

// fixtures make users who may read and write one table of the test's database.
type fixtures struct {
	box        *postgrestest.Sandbox
	dba, super *pgx.Conn
	made       int
}

func newFixtures(t *testing.T, s *postgrestest.Server) *fixtures {
	t.Helper()
	f := &fixtures{box: s.Fresh(t)}
	f.box.Exec(t, `CREATE ROLE `+f.box.Role("dba")+` LOGIN CREATEROLE PASSWORD `+literal(adminPassword), `CREATE TABLE orders (n int)`)
	f.dba, f.super = f.box.Connect(t, f.box.Role("dba"), adminPassword), f.box.Admin(t)
	return f
}

func (f *fixtures) next(t *testing.T) functiontest.Fixture {
	t.Helper()
	f.made++
	app := f.box.Role(fmt.Sprint("app", f.made))
	for _, do := range []struct {
		as        *pgx.Conn
		statement string
	}{
		{f.dba, `CREATE ROLE ` + app + ` LOGIN PASSWORD ` + literal(firstPassword)},
		{f.dba, `ALTER ROLE ` + app + ` SET statement_timeout = '77s'`},
		{f.super, `GRANT SELECT, INSERT ON orders TO ` + app},
	} {
		if _, err := do.as.Exec(t.Context(), do.statement); err != nil {
			t.Fatal(err)
		}
	}
	return functiontest.Fixture{User: f.secret(t, app, firstPassword), Administrator: f.secret(t, f.box.Role("dba"), adminPassword), Login: f.login}
}

func (f *fixtures) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	return must(secret.Parse([]byte(document{"engine": "postgres", "dbname": f.box.Database, "username": user, "password": password}.String())))(t)
}

// login writes to the table and tells what the session may do, and as whom.
func (f *fixtures) login(ctx context.Context, user, password string) (rights string, err error) {
	conn, err := f.box.Server.Connect(ctx, user, password, f.box.Database)
	if err != nil {
		return "", err
	}
	if _, err = conn.Exec(ctx, `INSERT INTO orders VALUES (1)`); err == nil {
		err = conn.QueryRow(ctx, `SELECT concat_ws(' ', current_user, current_setting('statement_timeout'),
			(SELECT string_agg(p || '=' || has_table_privilege('orders', p), ' ') FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) p))`).Scan(&rights)
	}
	return rights, errors.Join(err, conn.Close(ctx))
}
