package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/postgres"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// A rotor rotates one user of a world.
type rotor struct {
	*databasetest.Rotations
	w *world
}

func (w *world) rotor(t *testing.T, s database.Strategy, user, pw string, admin secret.Document) *rotor {
	t.Helper()
	return &rotor{databasetest.NewRotations(t, postgres.Driver, s, databasetest.Fixture{User: w.secret(t, user, pw), Admin: admin, Roots: w.roots}), w}
}

func (w *world) superuser(t *testing.T) secret.Document {
	return w.secret(t, w.server.AdminUser, w.server.AdminPassword)
}

// application is a connection with the current credential.
func (r *rotor) application(t *testing.T) *pgx.Conn {
	t.Helper()
	d := r.Current()
	return r.w.box.Connect(t, d.Text("username"), d.Text("password"))
}

// can runs a statement as the application, and undoes it.
func (r *rotor) can(t *testing.T, statement string) error {
	t.Helper()
	conn := r.application(t)
	_, err := conn.Exec(context.Background(), "BEGIN; "+statement+"; ROLLBACK")
	return err
}

func class(err error) rotation.Class {
	var e *rotation.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// each runs a test on each server.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	postgrestest.Each(t, func(t *testing.T, s *postgrestest.Server) { test(t, newWorld(t, s)) })
}

func TestWhatTheCloneMakesIsTheOriginals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Must(t)
		conn := r.application(t)
		var login, acts string
		if err := conn.QueryRow(t.Context(), `SELECT session_user, current_user`).Scan(&login, &acts); err != nil || login != user+"_clone" || acts != user {
			t.Fatalf("logged in as %s, acts as %s, %v", login, acts, err)
		}
		for _, s := range []string{`CREATE TABLE shop.mine (n serial, x int)`, `DISCARD ALL`, `SET search_path = shop`, `INSERT INTO mine (x) VALUES (1)`, `CREATE VIEW mine_too AS SELECT * FROM mine`} {
			if _, err := conn.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		r.Must(t) // to the original
		for _, s := range []string{`INSERT INTO shop.mine (x) VALUES (2)`, `ALTER TABLE shop.mine ADD y int`, `DROP VIEW shop.mine_too`} {
			if err := r.can(t, s); err != nil {
				t.Errorf("%s as the original: %v", s, err)
			}
		}
		r.Must(t) // to the clone
		if err := r.can(t, `ALTER TABLE shop.mine ADD y int`); err != nil {
			t.Error(err)
		}
	})
}

func TestTheCloneFollowsTheOriginal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		q, group := quoted(user), w.box.Role("group")
		w.exec(t, `CREATE ROLE `+group, `CREATE TABLE shop.grouped (n int)`, `GRANT SELECT ON shop.grouped TO `+group, `GRANT `+group+` TO `+q, `ALTER ROLE `+q+` SET statement_timeout = '77s'`)
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Must(t)
		for _, s := range []string{`SELECT * FROM shop.grouped`, `SELECT * FROM shop.recent`, `SELECT shop.total()`, `SELECT nextval('shop.orders_id_seq')`, `UPDATE shop.prices SET price = 2`} {
			if err := r.can(t, s); err != nil {
				t.Errorf("%s as the clone: %v", s, err)
			}
		}
		r.Must(t)
		w.exec(t, `REVOKE `+group+` FROM `+q, `REVOKE INSERT ON shop.orders FROM `+q, `REVOKE UPDATE (price) ON shop.prices FROM `+q,
			`GRANT UPDATE (item) ON shop.prices TO `+q, `GRANT DELETE ON shop.orders TO `+q,
			`ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO `+q, `CREATE TABLE shop.later (n int)`,
			`ALTER ROLE `+q+` RESET statement_timeout`, `ALTER ROLE `+q+` SET lock_timeout = '33s'`, `ALTER ROLE `+q+` CONNECTION LIMIT 70 CREATEDB`,
			`ALTER ROLE `+q+` VALID UNTIL '2999-01-02 03:04:05+00'`)
		r.Must(t)
		for _, s := range []string{`SELECT * FROM shop.later`, `DELETE FROM shop.orders`, `UPDATE shop.prices SET item = 'x'`} {
			if err := r.can(t, s); err != nil {
				t.Errorf("%s, granted since, as the clone: %v", s, err)
			}
		}
		for _, s := range []string{`SELECT * FROM shop.grouped`, `INSERT INTO shop.orders (item) VALUES ('x')`, `UPDATE shop.prices SET price = 2`} {
			if err := r.can(t, s); err == nil {
				t.Errorf("%s, revoked since, still works as the clone", s)
			}
		}
		var same bool
		if err := w.admin.QueryRow(t.Context(), `SELECT count(DISTINCT (rolcreatedb, rolconnlimit, rolvaliduntil)) = 1 AND count(*) = 2 FROM pg_roles WHERE rolname IN ($1, $2)`, user, user+"_clone").Scan(&same); err != nil || !same {
			t.Errorf("attributes differ: %v", err)
		}
		for name, want := range map[string]string{"statement_timeout": "0", "lock_timeout": "33s"} {
			var got string
			if err := r.application(t).QueryRow(t.Context(), `SHOW `+name).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, %v", name, got, err)
			}
		}
	})
}

// Somebody will ask who has revoked it.
func TestWhatIsChangedIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Must(t)
		if !strings.Contains(r.Log.String(), "msg=changed") || !strings.Contains(r.Log.String(), "CREATE ROLE") {
			t.Errorf("a new clone:\n%s", r.Log.String())
		}
		r.Must(t)
		r.Log.Reset()
		r.Must(t)
		if strings.Contains(r.Log.String(), "msg=changed") {
			t.Errorf("nothing was to be changed:\n%s", r.Log.String())
		}
		r.Must(t)
		w.exec(t, `CREATE TABLE shop.secret_plans (n int)`, `GRANT SELECT ON shop.secret_plans TO `+quoted(user+"_clone"))
		r.Log.Reset()
		r.Must(t)
		if !strings.Contains(r.Log.String(), "REVOKE SELECT ON TABLE shop.secret_plans") {
			t.Errorf("a right was revoked:\n%s", r.Log.String())
		}
	})
}

func TestSettingsSurviveCopying(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		q := quoted(user)
		w.exec(t, `ALTER ROLE `+q+` SET search_path = "we""ird, one", "$user", 'x y', shop, public`,
			`ALTER ROLE `+q+` SET "my.own" = 'it''s \ "quoted", and more'`, `ALTER ROLE `+q+` SET application_name = ''`,
			`ALTER ROLE `+q+` IN DATABASE `+quoted(w.box.Database)+` SET datestyle = 'German, DMY'`)
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		show := func() string {
			var b strings.Builder
			for _, name := range []string{`search_path`, `"my.own"`, `datestyle`} {
				var v string
				if err := r.application(t).QueryRow(t.Context(), `SHOW `+name).Scan(&v); err != nil {
					t.Fatal(err)
				}
				b.WriteString(v + "\n")
			}
			return b.String()
		}
		before := show()
		r.Must(t)
		if after := show(); after != before {
			t.Errorf("before\n%safter\n%s", before, after)
		}
	})
}

func TestACloneMadeByOtherMeansIsPutInOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		clone, group := user+"_clone", w.box.Role("group")
		w.exec(t, `CREATE ROLE `+group, `CREATE ROLE `+clone+` LOGIN PASSWORD 'x'`, `GRANT `+user+` TO `+clone, `GRANT `+group+` TO `+clone,
			`CREATE TABLE shop.orphan (n int)`, `GRANT CREATE ON SCHEMA shop TO `+clone, `ALTER TABLE shop.orphan OWNER TO `+clone,
			`GRANT DELETE, SELECT ON shop.orders TO `+clone, `GRANT UPDATE (price) ON shop.prices TO `+clone)
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Config.Adopt = []string{user + "_clone"}
		r.Must(t)
		var owner string
		if err := w.admin.QueryRow(t.Context(), `SELECT relowner::regrole::text FROM pg_class WHERE oid = 'shop.orphan'::regclass`).Scan(&owner); err != nil || owner != user {
			t.Errorf("the clone's table belongs to %s, %v", owner, err)
		}
		var direct, member bool
		if err := w.admin.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) x WHERE relname = 'orders' AND x.grantee = $1::regrole AND x.privilege_type = 'DELETE'), pg_has_role($1, $2, 'MEMBER')`, clone, group).Scan(&direct, &member); err != nil || direct || member {
			t.Errorf("direct grant left: %v, membership left: %v, %v", direct, member, err)
		}
		r.Must(t)
		if err := r.can(t, `INSERT INTO shop.orphan VALUES (1)`); err != nil {
			t.Errorf("the original may not use it: %v", err)
		}
	})
}

func TestDriftOfAForeignClone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, grant := range []bool{false, true} {
			user := w.user(t, "", "old")
			clone, group := user+"_clone", w.box.Role(fmt.Sprint("group", grant))
			// As AWS's function leaves it: in use, a mere member, with rights of its own.
			w.exec(t, `CREATE ROLE `+group, `CREATE ROLE `+clone+` LOGIN PASSWORD 'x'`, `GRANT `+user+` TO `+clone, `GRANT `+group+` TO `+clone,
				`CREATE TABLE shop.orphan`+fmt.Sprint(grant)+` (n int)`, `GRANT CREATE ON SCHEMA shop TO `+clone, `ALTER TABLE shop.orphan`+fmt.Sprint(grant)+` OWNER TO `+clone,
				`GRANT DELETE ON shop.orders TO `+clone+` WITH GRANT OPTION`)
			r := w.rotor(t, database.AlternatingUsers, clone, "x", w.superuser(t))
			r.Config.GrantDrift, r.Config.Adopt = grant, []string{user}
			err := r.Rotate(t)
			if grant {
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range []string{`DELETE FROM shop.orders`, `DROP TABLE shop.orphantrue`} {
					if err := r.can(t, s); err != nil {
						t.Errorf("%s as the original: %v", s, err)
					}
				}
				continue
			}
			if class(err) != rotation.FewerRights {
				t.Fatalf("got %v", err)
			}
			for _, want := range []string{"DELETE on table shop.orders", "ownership on table shop.orphanfalse", "membership on role " + group, "CLONE_DRIFT=grant"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\ndoes not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "membership on role "+user) {
				t.Errorf("%v\nnames the membership in the original", err)
			}
		}
	})
}

// administrator makes a role that is no superuser, as RDS gives its customers.
func (w *world) administrator(t *testing.T, extra string) (string, secret.Document) {
	t.Helper()
	w.users++
	name := w.box.Role(fmt.Sprint("admin", w.users))
	w.exec(t, `CREATE ROLE `+name+` LOGIN CREATEROLE PASSWORD 'admin-password' `+extra)
	t.Cleanup(func() { w.drop(t, name) })
	return name, w.secret(t, name, "admin-password")
}

func TestAnAdministratorWhoIsNoSuperuser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		name, doc := w.administrator(t, "")
		r := w.rotor(t, database.AlternatingUsers, user, "old", doc)
		if w.server.Major >= 16 {
			remedy := fmt.Sprintf(`GRANT %s TO %s WITH ADMIN OPTION`, quoted(user), quoted(name))
			for _, err := range []error{r.Rotate(t), r.Preflight(t)} {
				if class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), remedy) {
					t.Fatalf("got %v", err)
				}
			}
			r.Store.End("user")
			w.exec(t, remedy)
		}
		if err := r.Preflight(t); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r.Must(t)
			if err := r.can(t, `INSERT INTO shop.orders (item) VALUES ('x')`); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAnAdministratorWhoMayNotHandOverSaysWhat(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		clone := user + "_clone"
		name, doc := w.administrator(t, "")
		w.exec(t, `CREATE ROLE `+clone+` LOGIN PASSWORD 'x'`, `CREATE TABLE shop.orphan (n int)`, `GRANT CREATE ON SCHEMA shop TO `+clone, `ALTER TABLE shop.orphan OWNER TO `+clone)
		if w.server.Major >= 16 {
			w.exec(t, `GRANT `+user+`, `+clone+` TO `+name+` WITH ADMIN OPTION, INHERIT FALSE`)
		}
		r := w.rotor(t, database.AlternatingUsers, user, "old", doc)
		r.Config.Adopt = []string{clone}
		if err := r.Rotate(t); class(err) != rotation.MoreRights || !strings.Contains(err.Error(), "ownership on table shop.orphan") {
			t.Errorf("got %v", err)
		}
		for _, want := range []string{"table shop.orphan", "REASSIGN OWNED BY"} {
			if !strings.Contains(r.Log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, r.Log.String())
			}
		}
		w.box.Connect(t, clone, "x") // still
		w.exec(t, `REASSIGN OWNED BY `+clone+` TO `+user)
		r.Must(t)
	})
}

func TestAnAdministratorWithoutRights(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user, other := w.user(t, "", "old"), w.user(t, "", "other")
		for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, s, user, "old", w.secret(t, other, "other"))
			for _, err := range []error{r.Rotate(t), r.Preflight(t)} {
				if class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), "CREATEROLE") {
					t.Errorf("got %v", err)
				}
			}
		}
	})
}

func TestAttributesOfASuperuserAreCopied(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "", "old")
		w.exec(t, `ALTER ROLE `+user+` SUPERUSER`)
		r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
		r.Must(t)
		if err := r.can(t, `CREATE ROLE never`); err != nil {
			t.Error(err)
		}
		r.Must(t)
	})
}
