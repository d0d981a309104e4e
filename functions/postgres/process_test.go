package main_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/rotators/postgres"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// each runs a test on the harness of each server.
func each(t *testing.T, test func(t *testing.T, h functiontest.Harness)) {
	postgrestest.Each(t, func(t *testing.T, s *postgrestest.Server) { test(t, harness(t, s)) })
}

func TestThreeRotationsInARow(t *testing.T) { each(t, functiontest.RunRotations) }

func TestATrialRunsThePreflight(t *testing.T) { each(t, functiontest.RunTrials) }

func TestTheProcessKeepsItsPromisesWhateverHappensToIt(t *testing.T) {
	functiontest.Run(t, harness(t, postgrestest.Newest(t)))
}

func TestAnOperatorLeadsOutWhereverTheFunctionWasKilled(t *testing.T) {
	functiontest.RunRecoveries(t, harness(t, postgrestest.Newest(t)), functiontest.Bootstrap(t, harnesstest.Rotor))
}

func TestWhatTheMessagesSayHelps(t *testing.T) {
	functiontest.RunRemedies(t, harness(t, postgrestest.Newest(t)))
}

func TestARotationThatIsCutOffLeavesNothingOpen(t *testing.T) {
	functiontest.RunInProcess(t, harness(t, postgrestest.Newest(t)), postgres.Driver)
}

func harness(t *testing.T, s *postgrestest.Server) functiontest.Harness {
	t.Helper()
	h := harnesstest.New("postgres", &s.Server)
	h.Bootstrap, h.New = build(t), newFixtures(t, s).next
	h.Refused = func(err error) bool { return strings.Contains(err.Error(), "28P01") }
	return h
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
	return harnesstest.Secret(t, document{"engine": "postgres", "dbname": f.box.Database, "username": user, "password": password})
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
