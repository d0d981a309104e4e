package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
)

// A trial that says yes is a promise, and one that says no is right: in worlds made at random, of users with attributes,
// settings, rights, roles and objects, and of administrators who may do more or less.
func TestARotationDoesWhatItsTrialSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		team, lender := w.box.Role("team"), w.box.Role("lender")
		w.exec(t, `CREATE ROLE `+quoted(team), `CREATE ROLE `+quoted(lender), `GRANT USAGE ON SCHEMA shop TO `+quoted(lender), `CREATE SCHEMA closed`,
			`CREATE FOREIGN DATA WRAPPER far`, `CREATE SERVER elsewhere FOREIGN DATA WRAPPER far`)
		w.lend(t)
		t.Cleanup(func() {
			w.exec(t, `DROP FOREIGN DATA WRAPPER far CASCADE`, `DROP TABLE shop.loans`)
			w.drop(t, team, lender)
		})
		databasetest.Worlds(t, w.oneWorld)
	})
}

// lend makes a table that somebody else may grant.
func (w *world) lend(t *testing.T) {
	t.Helper()
	w.exec(t, `CREATE TABLE shop.loans (n int)`, `GRANT SELECT, UPDATE ON shop.loans TO `+quoted(w.box.Role("lender"))+` WITH GRANT OPTION`)
}

// oneWorld rotates three times, each after a trial, with changes by somebody else in between. It returns what the first
// trial said.
func (w *world) oneWorld(t *testing.T, strategy database.Strategy, dice *rand.Rand) (first error) {
	var story []string
	run := func(statements ...string) {
		for _, s := range statements {
			if _, err := w.admin.Exec(t.Context(), s); err == nil { // what this version does not know is not part of the world
				story = append(story, s)
			}
		}
	}
	user := w.user(t, "", "old")
	admin, doc := w.administrator(t, "")
	run(databasetest.Some(dice, 6, w.userStatements(user))...)
	if w.server.Major >= 16 && dice.IntN(4) > 0 {
		run(`GRANT ` + quoted(user) + ` TO ` + quoted(admin) + ` WITH ADMIN OPTION`)
	}
	run(databasetest.Some(dice, 6, w.administratorStatements(admin, user))...)
	if dice.IntN(4) == 0 {
		doc = w.superuser(t)
	}
	r := w.rotor(t, strategy, user, "old", doc)
	r.Config.GrantDrift = dice.IntN(3) == 0
	t.Cleanup(func() { // so that the roles can be dropped, whoever granted them what
		w.exec(t, `ALTER DATABASE `+quoted(w.box.Database)+` OWNER TO CURRENT_USER`, `DROP TABLE shop.loans, shop.prices`, `CREATE TABLE shop.prices (item text, price int)`)
		w.lend(t)
	})
	for n := range 3 {
		before := w.dump(t)
		trial, rotate := r.Preflight(t), r.Rotate
		if trial == nil {
			rotate = r.Planned
			if _, err := r.Plan(t); err != nil {
				t.Fatalf("%v\nafter\n%s", err, strings.Join(story, ";\n"))
			}
		}
		if after := w.dump(t); after != before {
			t.Fatalf("the trial of rotation %d has changed\n%s\nto\n%s\nafter\n%s", n, before, after, strings.Join(story, ";\n"))
		}
		if n == 0 {
			first = trial
		}
		err := rotate(t)
		if (trial == nil) != (err == nil) {
			t.Fatalf("the trial of rotation %d says: %v\nthe rotation: %v\nit sent\n\t%s\ndrift %v, after\n%s", n, trial, err, strings.Join(r.Sent.Statements, "\n\t"), r.Config.GrantDrift, strings.Join(story, ";\n"))
		}
		if err != nil {
			return first
		}
		if w.dump(t) == before {
			t.Fatal("the dump does not show a rotation")
		}
		run(databasetest.Some(dice, 12, w.userStatements(user))...)
		if strategy == database.AlternatingUsers {
			run(databasetest.Some(dice, 18, w.userStatements(user+"_clone"))...)
		}
	}
	return first
}

// dump is what a rotation could change: the roles of this world with their passwords, settings and memberships, and who owns and may do what
// in its database.
func (w *world) dump(t *testing.T) string {
	t.Helper()
	return w.value(t, `WITH mine AS (SELECT oid FROM pg_roles WHERE rolname LIKE '%' || substr(current_database(), 4) || '%'),
		lines AS (
		SELECT 'role ' || a::text AS line FROM pg_authid a WHERE oid IN (SELECT oid FROM mine)
		UNION ALL SELECT 'member ' || m::text FROM pg_auth_members m WHERE roleid IN (SELECT oid FROM mine) OR member IN (SELECT oid FROM mine)
		UNION ALL SELECT 'setting ' || s::text FROM pg_db_role_setting s WHERE setrole IN (SELECT oid FROM mine)
		UNION ALL SELECT 'depends ' || d::text FROM pg_shdepend d WHERE refobjid IN (SELECT oid FROM mine)
		UNION ALL SELECT 'class ' || concat_ws(' ', oid, relname, relowner, relacl) FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace
		UNION ALL SELECT 'column ' || concat_ws(' ', attrelid, attname, attacl) FROM pg_attribute WHERE attacl IS NOT NULL
		UNION ALL SELECT 'schema ' || n::text FROM pg_namespace n
		UNION ALL SELECT 'function ' || concat_ws(' ', oid, proowner, proacl) FROM pg_proc WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
		UNION ALL SELECT 'database ' || concat_ws(' ', datname, datdba, datacl) FROM pg_database WHERE datname = current_database()
		UNION ALL SELECT 'mapping ' || u::text FROM pg_user_mapping u
		UNION ALL SELECT 'default ' || d::text FROM pg_default_acl d)
		SELECT string_agg(line, E'\n' ORDER BY line) FROM lines`)
}

// userStatements are what may be the case with a user.
func (w *world) userStatements(user string) []string {
	q, table, function := quoted(user), fmt.Sprintf("shop.%q", user+"'s"), fmt.Sprintf("closed.%q()", user+"'s")
	role, lender := quoted(w.box.Role("team")), quoted(w.box.Role("lender"))
	as := func(who, statement string) string {
		return `SET SESSION AUTHORIZATION ` + who + `; ` + statement + `; RESET SESSION AUTHORIZATION`
	}
	return []string{
		`ALTER ROLE ` + q + ` CREATEDB`, `ALTER ROLE ` + q + ` CREATEROLE`, `ALTER ROLE ` + q + ` REPLICATION`, `ALTER ROLE ` + q + ` BYPASSRLS`, `ALTER ROLE ` + q + ` NOINHERIT`,
		`ALTER ROLE ` + q + ` CONNECTION LIMIT 5`, `ALTER ROLE ` + q + ` VALID UNTIL '2099-01-01'`, `ALTER ROLE ` + q + ` VALID UNTIL '2001-01-01'`, `ALTER ROLE ` + q + ` NOLOGIN`,
		`ALTER ROLE ` + q + ` SET statement_timeout = '1min'`, `ALTER ROLE ` + q + ` SET log_min_duration_statement = 0`, `ALTER ROLE ` + q + ` SET role = ` + role,
		`ALTER ROLE ` + q + ` SET search_path = nowhere, "$user"`, `ALTER ROLE ` + q + ` SET default_transaction_read_only = on`, `ALTER ROLE ` + q + ` SET password_encryption = md5`,
		`ALTER ROLE ` + q + ` IN DATABASE ` + quoted(w.box.Database) + ` SET lock_timeout = '5s'`,
		`GRANT ` + role + ` TO ` + q, `GRANT ` + role + ` TO ` + q + ` WITH ADMIN OPTION`, `GRANT ` + role + ` TO ` + q + ` WITH INHERIT FALSE`, `GRANT ` + role + ` TO ` + q + ` WITH SET FALSE`,
		`GRANT pg_read_all_data TO ` + q, `GRANT pg_signal_backend TO ` + q,
		`GRANT ALL ON ALL TABLES IN SCHEMA shop TO ` + q, `GRANT SELECT ON shop.prices TO ` + q + ` WITH GRANT OPTION`, `REVOKE SELECT ON shop.orders FROM ` + q, `GRANT CREATE ON DATABASE ` + quoted(w.box.Database) + ` TO ` + q,
		`CREATE TABLE ` + table + ` (n int)`, `ALTER TABLE ` + table + ` OWNER TO ` + q, `CREATE SCHEMA ` + q + ` AUTHORIZATION ` + q,
		`ALTER DEFAULT PRIVILEGES FOR ROLE ` + q + ` IN SCHEMA shop GRANT SELECT ON TABLES TO ` + role, `ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO ` + q,
		as(lender, `GRANT SELECT ON shop.loans TO `+q), as(lender, `GRANT UPDATE (n) ON shop.loans TO `+q+` WITH GRANT OPTION`), as(q, `GRANT SELECT ON shop.prices TO `+role), as(q, `GRANT `+role+` TO `+lender),
		`GRANT ` + lender + ` TO ` + q, `ALTER DEFAULT PRIVILEGES FOR ROLE ` + lender + ` GRANT SELECT ON TABLES TO ` + q, `GRANT ` + q + ` TO ` + role,
		`CREATE FUNCTION ` + function + ` RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION ` + function + ` OWNER TO ` + q, `ALTER DATABASE ` + quoted(w.box.Database) + ` OWNER TO ` + q,
		`ALTER ROLE ` + q + ` SUPERUSER`, `ALTER ROLE ` + q + ` CONNECTION LIMIT 0`, `ALTER ROLE ` + q + ` SET "my.own" = 'x'`, `CREATE USER MAPPING FOR ` + q + ` SERVER elsewhere`,
		`GRANT SET ON PARAMETER log_min_duration_statement TO ` + q, `ALTER ROLE ` + q + ` RESET ALL`, `ALTER ROLE ` + q + ` NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS`,
	}
}

// administratorStatements are what an administrator may be let do.
func (w *world) administratorStatements(admin, user string) []string {
	a, q, role := quoted(admin), quoted(user), quoted(w.box.Role("team"))
	return []string{
		`GRANT ` + q + ` TO ` + a + ` WITH ADMIN OPTION`, `GRANT ` + q + ` TO ` + a + ` WITH ADMIN OPTION`, `GRANT ` + q + ` TO ` + a + ` WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`, `GRANT ` + q + ` TO ` + a,
		`GRANT ` + role + ` TO ` + a + ` WITH ADMIN OPTION`, `ALTER ROLE ` + a + ` CREATEDB`, `ALTER ROLE ` + a + ` REPLICATION`, `ALTER ROLE ` + a + ` BYPASSRLS`, `ALTER ROLE ` + a + ` NOCREATEROLE`,
		`ALTER ROLE ` + a + ` NOINHERIT`, `ALTER ROLE ` + a + ` SET role = ` + q,
		`GRANT ` + quoted(w.box.Role("lender")) + ` TO ` + a, `GRANT USAGE ON SCHEMA shop TO ` + a, `GRANT SELECT ON ALL TABLES IN SCHEMA shop TO ` + a + ` WITH GRANT OPTION`,
		`GRANT SET ON PARAMETER log_min_duration_statement, "my.own" TO ` + a, `GRANT CREATE ON DATABASE ` + quoted(w.box.Database) + ` TO ` + a, `ALTER ROLE ` + a + ` SET createrole_self_grant = 'set, inherit'`,
	}
}
