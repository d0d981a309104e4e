package sqlserver_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// A trial that says yes is a promise, and one that says no is right: in worlds made at random, of logins with options, roles, rights, denials,
// columns and schemas, and of administrators who may do more or less.
func TestARotationDoesWhatItsTrialSays(t *testing.T) {
	w := own(t, sqlservertest.Config{})
	w.box.Exec(t, w.shop, `CREATE USER [third] WITHOUT LOGIN`, `GRANT INSERT ON [sales].[orders] TO [third] WITH GRANT OPTION`)
	databasetest.Worlds(t, w.oneWorld)
}

// oneWorld rotates three times, each after a trial, with changes by somebody else in between. It returns what the first trial said.
func (w *world) oneWorld(t *testing.T, strategy database.Strategy, dice *rand.Rand) (first error) {
	admin := w.box.Connect(t, w.server.AdminUser, w.server.AdminPassword, "master")
	var story []string
	run := func(statements ...string) {
		for _, s := range statements {
			place, s, _ := strings.Cut(s, ": ")
			if _, err := admin.Exec(`USE ` + q(map[string]string{"shop": w.shop, "stock": w.stock, "master": "master"}[place])); err != nil {
				t.Fatal(err)
			}
			if _, err := admin.Exec(s); err == nil { // what is refused is not part of the world
				story = append(story, s)
			}
		}
	}
	user, boss := w.box.Name("who"), w.box.Name("boss")
	run(`master: CREATE LOGIN `+q(user)+` WITH PASSWORD = `+sqlservertest.Literal(old), `shop: CREATE USER `+q(user)+` FOR LOGIN `+q(user),
		`master: CREATE LOGIN `+q(boss)+` WITH PASSWORD = `+sqlservertest.Literal(old), `shop: CREATE USER `+q(boss)+` FOR LOGIN `+q(boss))
	t.Cleanup(func() { w.box.Drop(t, user, user+"_clone", boss) })
	run(databasetest.Some(dice, 5, w.userStatements(user))...)
	doc := w.secret(t, boss, old)
	switch statements := w.bossStatements(boss); dice.IntN(3) {
	case 0:
		doc = w.administrator(t)
	case 1:
		run(statements...) // all of them
	default:
		run(slices.DeleteFunc(statements, func(string) bool { return dice.IntN(6) == 0 })...)
	}
	r := w.rotor(t, strategy, user, old, doc)
	for n := range 3 {
		before := w.server.Holdings(user + "_clone")
		trial, rotate := r.Preflight(t), r.Rotate
		if !slices.Equal(before, w.server.Holdings(user+"_clone")) {
			t.Fatalf("the trial of rotation %d has changed the clone after\n%s", n, strings.Join(story, ";\n"))
		}
		if n == 0 {
			first = trial
		}
		if trial == nil {
			rotate = r.Planned
		}
		err := rotate(t)
		if (trial == nil) != (err == nil) {
			t.Fatalf("the trial of rotation %d says: %v\nthe rotation: %v\nafter\n%s", n, trial, err, strings.Join(story, ";\n"))
		}
		if err != nil {
			return first
		}
		run(databasetest.Some(dice, 12, w.userStatements(user))...)
		if strategy == database.AlternatingUsers {
			run(databasetest.Some(dice, 18, w.userStatements(user+"_clone"))...)
		}
	}
	return first
}

// userStatements are what may be the case with a login, each after the database in which somebody says it.
func (w *world) userStatements(user string) []string {
	u := q(user)
	return []string{
		`master: ALTER SERVER ROLE ` + q(w.loaders) + ` ADD MEMBER ` + u, `master: ALTER SERVER ROLE [processadmin] ADD MEMBER ` + u, `master: GRANT VIEW SERVER STATE TO ` + u,
		`master: GRANT VIEW SERVER STATE TO ` + u + ` WITH GRANT OPTION`, `master: DENY CREATE ANY DATABASE TO ` + u, `master: ALTER LOGIN ` + u + ` WITH CHECK_POLICY = OFF`,
		`master: ALTER LOGIN ` + u + ` WITH DEFAULT_LANGUAGE = [Deutsch]`,
		`stock: CREATE USER ` + u + ` FOR LOGIN ` + u, `stock: ALTER ROLE [db_datareader] ADD MEMBER ` + u,
		`shop: ALTER USER ` + u + ` WITH DEFAULT_SCHEMA = [sales]`, `shop: ALTER USER ` + u + ` WITH ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = ON`,
		`shop: ALTER ROLE [db_executor] ADD MEMBER ` + u, `shop: ALTER ROLE [db_datawriter] ADD MEMBER ` + u, `shop: ALTER ROLE [db_denydatareader] ADD MEMBER ` + u, `shop: ALTER ROLE [db_owner] ADD MEMBER ` + u,
		`shop: GRANT SELECT ON SCHEMA::[sales] TO ` + u, `shop: GRANT CONTROL ON SCHEMA::[sales] TO ` + u, `shop: DENY UPDATE ON SCHEMA::[sales] TO ` + u,
		`shop: GRANT SELECT ON [sales].[orders] TO ` + u + ` WITH GRANT OPTION`, `shop: REVOKE SELECT ([item]) ON [sales].[orders] FROM ` + u + ` CASCADE`,
		`shop: REVOKE GRANT OPTION FOR SELECT ([price]) ON [sales].[orders] FROM ` + u + ` CASCADE`, `shop: DENY SELECT ON [sales].[prices] TO ` + u + ` CASCADE`,
		`shop: GRANT SELECT ([price]) ON [sales].[prices] TO ` + u, `shop: GRANT UPDATE ON [sales].[people] TO ` + u, `shop: DENY UPDATE ([salary]) ON [sales].[people] TO ` + u,
		`shop: GRANT INSERT ON [sales].[orders] TO ` + u + ` AS [third]`, `shop: GRANT INSERT ON [sales].[orders] TO ` + u + ` WITH GRANT OPTION AS [third]`,
		`shop: GRANT SEND ON SERVICE::[//shop/desk] TO ` + u, `shop: GRANT CREATE SCHEMA TO ` + u, `shop: GRANT VIEW DEFINITION ON ROLE::[ana]]lysts] TO ` + u,
		`shop: CREATE SCHEMA ` + q(user+" own") + ` AUTHORIZATION ` + u, `shop: CREATE TABLE ` + q(user+" own") + `.[t] (a int, b int)`,
		`shop: GRANT SELECT ON ` + q(strings.TrimSuffix(user, "_clone")+" own") + `.[t] TO ` + u, `shop: GRANT SELECT ON ` + q(user+"_clone own") + `.[t] TO ` + u,
	}
}

// bossStatements are what an administrator may be let do.
func (w *world) bossStatements(boss string) []string {
	b := q(boss)
	return []string{
		`master: GRANT ALTER ANY LOGIN TO ` + b, `master: GRANT VIEW ANY DEFINITION TO ` + b, `master: GRANT CONNECT ANY DATABASE TO ` + b, `master: GRANT ALTER ANY SERVER ROLE TO ` + b,
		`master: ALTER SERVER ROLE [processadmin] ADD MEMBER ` + b, `master: GRANT VIEW SERVER STATE TO ` + b + ` WITH GRANT OPTION`,
		`master: GRANT CREATE ANY DATABASE TO ` + b + ` WITH GRANT OPTION`, `stock: CREATE USER ` + b + ` FOR LOGIN ` + b, `stock: ALTER ROLE [db_owner] ADD MEMBER ` + b,
		`shop: ALTER ROLE [db_owner] ADD MEMBER ` + b,
	}
}
