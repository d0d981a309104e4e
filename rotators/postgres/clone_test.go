package postgres_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/postgres"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// A rotor rotates one user of a world.
type rotor struct {
	w      *world
	store  rotationtest.Store
	config database.Config
	log    bytes.Buffer
	n      int
}

func (w *world) rotor(t *testing.T, s database.Strategy, user, pw string, admin secret.Document) *rotor {
	t.Helper()
	g, err := password.New(password.Default(), password.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rotor{w: w, config: database.Config{Driver: postgres.Driver, Strategy: s, Password: g.Generate,
		Roots: func() (*x509.CertPool, error) { return w.roots, nil }}}
	r.store.Add("user", w.secret(t, user, pw))
	r.store.Add("admin", admin)
	return r
}

func (w *world) superuser(t *testing.T) secret.Document {
	return w.secret(t, w.server.AdminUser, w.server.AdminPassword)
}

func (r *rotor) engine(t *testing.T) *rotation.Engine {
	t.Helper()
	d, err := database.New(r.config)
	if err != nil {
		t.Fatal(err)
	}
	return &rotation.Engine{Store: &r.store, Rotator: d, Clock: &rotationtest.Clock{}, Log: slog.New(slog.NewTextHandler(&r.log, nil))}
}

func (r *rotor) rotate(t *testing.T) error {
	t.Helper()
	r.n++
	return rotationtest.Rotate(t.Context(), r.engine(t), &r.store, "user", fmt.Sprint("v", r.n))
}

func (r *rotor) must(t *testing.T) {
	t.Helper()
	if err := r.rotate(t); err != nil {
		t.Fatalf("%v\n%s", err, r.log.String())
	}
}

// preflight runs the trial of RotateImmediately=false.
func (r *rotor) preflight(t *testing.T) error {
	t.Helper()
	r.store.Begin("user", "trial")
	defer r.store.End("user")
	return r.engine(t).Handle(t.Context(), rotation.Event{Step: rotation.TestSecret, SecretID: "user", Token: "trial"})
}

// application is a connection with the current credential.
func (r *rotor) application(t *testing.T) *pgx.Conn {
	t.Helper()
	d := r.store.Value("user", rotation.Current)
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
		r.must(t)
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
		r.must(t) // to the original
		for _, s := range []string{`INSERT INTO shop.mine (x) VALUES (2)`, `ALTER TABLE shop.mine ADD y int`, `DROP VIEW shop.mine_too`} {
			if err := r.can(t, s); err != nil {
				t.Errorf("%s as the original: %v", s, err)
			}
		}
		r.must(t) // to the clone
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
		r.must(t)
		for _, s := range []string{`SELECT * FROM shop.grouped`, `SELECT * FROM shop.recent`, `SELECT shop.total()`, `SELECT nextval('shop.orders_id_seq')`, `UPDATE shop.prices SET price = 2`} {
			if err := r.can(t, s); err != nil {
				t.Errorf("%s as the clone: %v", s, err)
			}
		}
		r.must(t)
		w.exec(t, `REVOKE `+group+` FROM `+q, `REVOKE INSERT ON shop.orders FROM `+q, `REVOKE UPDATE (price) ON shop.prices FROM `+q,
			`GRANT UPDATE (item) ON shop.prices TO `+q, `GRANT DELETE ON shop.orders TO `+q,
			`ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO `+q, `CREATE TABLE shop.later (n int)`,
			`ALTER ROLE `+q+` RESET statement_timeout`, `ALTER ROLE `+q+` SET lock_timeout = '33s'`, `ALTER ROLE `+q+` CONNECTION LIMIT 70 CREATEDB`,
			`ALTER ROLE `+q+` VALID UNTIL '2999-01-02 03:04:05+00'`)
		r.must(t)
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
		r.must(t)
		if !strings.Contains(r.log.String(), "msg=changed") || !strings.Contains(r.log.String(), "CREATE ROLE") {
			t.Errorf("a new clone:\n%s", r.log.String())
		}
		r.must(t)
		r.log.Reset()
		r.must(t)
		if strings.Contains(r.log.String(), "msg=changed") {
			t.Errorf("nothing was to be changed:\n%s", r.log.String())
		}
		r.must(t)
		w.exec(t, `CREATE TABLE shop.secret_plans (n int)`, `GRANT SELECT ON shop.secret_plans TO `+quoted(user+"_clone"))
		r.log.Reset()
		r.must(t)
		if !strings.Contains(r.log.String(), "REVOKE SELECT ON TABLE shop.secret_plans") {
			t.Errorf("a right was revoked:\n%s", r.log.String())
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
		r.must(t)
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
		r.config.Adopt = []string{user + "_clone"}
		r.must(t)
		var owner string
		if err := w.admin.QueryRow(t.Context(), `SELECT relowner::regrole::text FROM pg_class WHERE oid = 'shop.orphan'::regclass`).Scan(&owner); err != nil || owner != user {
			t.Errorf("the clone's table belongs to %s, %v", owner, err)
		}
		var direct, member bool
		if err := w.admin.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) x WHERE relname = 'orders' AND x.grantee = $1::regrole AND x.privilege_type = 'DELETE'), pg_has_role($1, $2, 'MEMBER')`, clone, group).Scan(&direct, &member); err != nil || direct || member {
			t.Errorf("direct grant left: %v, membership left: %v, %v", direct, member, err)
		}
		r.must(t)
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
			r.config.GrantDrift, r.config.Adopt = grant, []string{user}
			err := r.rotate(t)
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
			for _, err := range []error{r.rotate(t), r.preflight(t)} {
				if class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), remedy) {
					t.Fatalf("got %v", err)
				}
			}
			r.store.End("user")
			w.exec(t, remedy)
		}
		if err := r.preflight(t); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r.must(t)
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
		r.config.Adopt = []string{clone}
		if err := r.rotate(t); class(err) != rotation.MoreRights || !strings.Contains(err.Error(), "ownership on table shop.orphan") {
			t.Errorf("got %v", err)
		}
		for _, want := range []string{"table shop.orphan", "REASSIGN OWNED BY"} {
			if !strings.Contains(r.log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, r.log.String())
			}
		}
		w.box.Connect(t, clone, "x") // still
		w.exec(t, `REASSIGN OWNED BY `+clone+` TO `+user)
		r.must(t)
	})
}

func TestAnAdministratorWithoutRights(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user, other := w.user(t, "", "old"), w.user(t, "", "other")
		for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, s, user, "old", w.secret(t, other, "other"))
			for _, err := range []error{r.rotate(t), r.preflight(t)} {
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
		r.must(t)
		if err := r.can(t, `CREATE ROLE never`); err != nil {
			t.Error(err)
		}
		r.must(t)
	})
}
