package postgres_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

var strategies = map[string]database.Strategy{"single user": database.SingleUser, "by administrator": database.SingleUserByAdministrator, "alternating": database.AlternatingUsers}

// value is what a query of the administrator's answers, as text.
func (w *world) value(t *testing.T, query string, args ...any) (value string) {
	t.Helper()
	if err := w.admin.QueryRow(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// The owner of a database presets what an administrator's session starts with there: operators of its own, which would
// run with the administrator's rights.
func TestTheOwnerOfADatabaseGainsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, s := range strategies {
			t.Run(name, func(t *testing.T) {
				user := w.user(t, "", "old")
				w.exec(t, `ALTER DATABASE `+quoted(w.box.Database)+` OWNER TO `+quoted(user))
				t.Cleanup(func() {
					w.exec(t, `ALTER DATABASE `+quoted(w.box.Database)+` OWNER TO CURRENT_USER`, `ALTER DATABASE `+quoted(w.box.Database)+` RESET ALL`, `DROP SCHEMA IF EXISTS evil CASCADE`)
				})
				conn := w.box.Connect(t, user, "old")
				for _, statement := range takeover(w.box.Database, user) {
					if _, err := conn.Exec(t.Context(), statement); err != nil {
						t.Fatalf("%s: %v", statement, err)
					}
				}
				r := w.rotor(t, s, user, "old", w.superuser(t))
				for range 3 {
					if err := r.Preflight(t); err != nil {
						t.Error(err)
					}
					r.Must(t)
				}
				if is := w.value(t, `SELECT coalesce(pg_catalog.string_agg(rolname, ' '), '') FROM pg_catalog.pg_roles WHERE rolsuper AND rolname OPERATOR(pg_catalog.<>) $1`, w.server.AdminUser); is != "" {
					t.Errorf("superusers are %s", is)
				}
			})
		}
	})
}

// takeover makes each operator that a query may use one that tries to make user a superuser.
func takeover(db, user string) []string {
	statements := []string{`CREATE SCHEMA evil`, `GRANT USAGE ON SCHEMA evil TO PUBLIC`}
	for _, types := range []string{"name, text", "name, name", "text, text", "oid, oid", "bool, bool", "int4, int4"} {
		left, right, _ := strings.Cut(types, ", ")
		statements = append(statements,
			fmt.Sprintf(`CREATE FUNCTION evil.equals(%s, %s) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN
				BEGIN EXECUTE 'ALTER ROLE %s SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
				RETURN $1::text OPERATOR(pg_catalog.=) $2::text; END $f$`, left, right, strings.ReplaceAll(quoted(user), `'`, `''`)),
			fmt.Sprintf(`CREATE OPERATOR evil.= (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.equals)`, left, right))
	}
	return append(statements, `CREATE FUNCTION evil.coalesce(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1'`,
		`ALTER DATABASE `+quoted(db)+` SET search_path = evil, pg_catalog, public`,
		`ALTER ROLE `+quoted(user)+` SET search_path = evil, pg_catalog, public`)
}

// Users and owners of databases may preset what a password is kept as, how long statements may take, and whether a crash
// undoes them. None of it may lock the application out, or weaken what the server keeps.
func TestPresetsCountForNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, s := range strategies {
			t.Run(name, func(t *testing.T) {
				user := w.user(t, "", "old")
				for _, of := range []string{`ROLE ` + quoted(user), `DATABASE ` + quoted(w.box.Database)} {
					w.exec(t, `ALTER `+of+` SET password_encryption = 'md5'`, `ALTER `+of+` SET lock_timeout = '1ms'`, `ALTER `+of+` SET synchronous_commit = 'off'`,
						`ALTER `+of+` SET default_transaction_isolation = 'serializable'`, `ALTER `+of+` SET default_transaction_read_only = 'on'`, `ALTER `+of+` SET DateStyle = 'German'`)
					if w.server.Major >= 16 {
						w.exec(t, `ALTER `+of+` SET scram_iterations = 30000000`)
					}
				}
				t.Cleanup(func() {
					w.exec(t, `SET default_transaction_read_only = 'off'`, `ALTER DATABASE `+quoted(w.box.Database)+` RESET ALL`)
				})
				r := w.rotor(t, s, user, "old", w.superuser(t))
				for range 2 {
					if err := r.Preflight(t); err != nil {
						t.Error(err)
					}
					r.Must(t)
					_ = r.application(t)
					now := r.Current().Text("username")
					if kept := w.value(t, `SELECT pg_catalog.left(rolpassword, 19) FROM pg_catalog.pg_authid WHERE rolname = $1`, now); kept != "SCRAM-SHA-256$4096:" {
						t.Errorf("the server keeps %s...", kept)
					}
				}
			})
		}
	})
}

// A user decides how much work a login with its password is (scram_iterations). The client library would compute it
// whatever the time is.
func TestALoginThatTakesTooMuchWorkIsNotComputed(t *testing.T) {
	w := own(t, postgrestest.Config{})
	user := w.user(t, "", "old")
	w.exec(t, `ALTER ROLE `+quoted(user)+` PASSWORD 'SCRAM-SHA-256$1000001:c2FsdHNhbHRzYWx0c2FsdA==$'
		'47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='`)
	r := w.rotor(t, database.SingleUser, user, "old", w.superuser(t))
	if err := r.Rotate(t); class(err) != rotation.Timeout || !strings.Contains(err.Error(), "1000001 rounds of SCRAM") {
		t.Errorf("got %v", err)
	}
}

// A lock that any user of the server can take stops nobody's rotation.
func TestNobodyCanHoldOurLock(t *testing.T) {
	w := own(t, postgrestest.Config{})
	user := w.user(t, "", "old")
	holder := w.box.Connect(t, w.user(t, "", "other"), "other")
	if _, err := holder.Exec(t.Context(), `SELECT pg_advisory_lock(hashtext('rotor'), hashtext('`+user+`'))`); err != nil {
		t.Fatal(err)
	}
	r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
	r.Must(t)
	r.Must(t)
}

// What other sessions drop while rights are read has no name by then.
func TestRightsAreReadWhileOthersDropThings(t *testing.T) {
	w := own(t, postgrestest.Config{})
	r := w.rotor(t, database.AlternatingUsers, w.user(t, "", "old"), "old", w.superuser(t))
	r.Must(t)
	busy := r.application(t)
	ctx, end := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_, _ = busy.Exec(ctx, `CREATE TEMPORARY TABLE briefly (n int)`) // in transactions of their own, so that others see it
			_, _ = busy.Exec(ctx, `DROP TABLE briefly`)
		}
	}()
	for range 10 {
		if err := r.Rotate(t); err != nil {
			t.Error(err)
		}
	}
	end()
	<-done
}

// A pooler in transaction mode gives the session to the application afterwards.
func TestNothingIsLeftInAPoolersSession(t *testing.T) {
	for _, mode := range []string{"session", "transaction"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, postgrestest.Start(t, postgrestest.Config{}))
			there := w.through(postgrestest.Pooler(t, w.server, mode))
			owner, user := w.user(t, "", "o"), w.user(t, "", "old")
			w.exec(t, `ALTER ROLE `+quoted(user)+` NOINHERIT`, `GRANT `+quoted(owner)+` TO `+quoted(user), `ALTER ROLE `+quoted(user)+` SET role TO `+quoted(owner))
			r := there.rotor(t, database.SingleUser, user, "old", there.superuser(t))
			ask := func(query string) (answer string) {
				conn, err := there.server.Connect(t.Context(), user, r.Current().Text("password"), w.box.Database)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close(t.Context())
				if err := conn.QueryRow(t.Context(), query, pgx.QueryExecModeExec).Scan(&answer); err != nil {
					t.Fatal(err)
				}
				return answer
			}
			const state = `SELECT concat_ws(' ', current_user, current_setting('search_path'), current_setting('lock_timeout'), current_setting('synchronous_commit'))`
			before := ask(state)
			for range 2 {
				open, err := there.server.Connect(t.Context(), user, r.Current().Text("password"), w.box.Database)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Preflight(t); err != nil { // in the same session, whose password stays
					t.Error(err)
				}
				var after string
				if err := open.QueryRow(t.Context(), state, pgx.QueryExecModeExec).Scan(&after); err != nil || after != before {
					t.Errorf("the session of an application that stayed was %q, and is %q, %v", before, after, err)
				}
				_ = open.Close(t.Context())
				r.Must(t)
				if after := ask(state); after != before || !strings.HasPrefix(after, owner) {
					t.Errorf("the session was %q, and is %q", before, after)
				}
			}
		})
	}
}

// through is the same world by a pooler's port.
func (w *world) through(pooler *postgrestest.Server) *world {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pooler.CA)
	return &world{server: pooler, box: w.box, roots: roots}
}

// A pooler with a file of passwords does not see that one changes: it lets nobody in with the new one.
func TestAPasswordThatAPoolerDoesNotKnowIsPutBack(t *testing.T) {
	for name, s := range map[string]database.Strategy{"single user": database.SingleUser, "by administrator": database.SingleUserByAdministrator} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, postgrestest.Start(t, postgrestest.Config{}))
			user := w.user(t, "", "old")
			there := w.through(postgrestest.Pooler(t, w.server, "session", postgrestest.Known{User: user, Password: "old"}))
			r := there.rotor(t, s, user, "old", there.superuser(t))
			if err := r.Rotate(t); class(err) != rotation.NewPasswordRefused || !strings.Contains(err.Error(), "was put back, and works") || !strings.Contains(err.Error(), "point the secret's host and port at the server itself") {
				t.Errorf("got %v", err)
			}
			for _, at := range []*world{w, there} {
				conn, err := at.server.Connect(t.Context(), user, "old", w.box.Database)
				if err != nil {
					t.Fatalf("locked out: %v", err)
				}
				_ = conn.Close(t.Context())
			}
			w.rotor(t, s, user, "old", w.superuser(t)).Must(t) // at the server itself
			w.helped(t, rotation.NewPasswordRefused)
		})
	}
}

// A setting that is no longer valid is no password that the server turns down: the password must not be sent as text.
func TestOnlyARefusedPasswordIsSentAsText(t *testing.T) {
	w := own(t, postgrestest.Config{})
	user := w.user(t, "", "old")
	w.exec(t, `UPDATE pg_catalog.pg_db_role_setting SET setconfig = '{TimeZone=Nowhere/Land}' WHERE setdatabase = 0 AND setrole = '`+user+`'::regrole`)
	r := w.rotor(t, database.AlternatingUsers, user, "old", w.superuser(t))
	mark := w.server.Mark()
	err := r.Rotate(t)
	if err == nil || class(err) == rotation.PasswordRejected || strings.Contains(r.Log.String(), "sent as text") {
		t.Errorf("got %v\n%s", err, r.Log.String())
	}
	if p := r.Store.Value("user", rotation.Pending).Text("password"); p == "" || strings.Contains(w.server.LogSince(mark), p) {
		t.Error("the server's log holds the password")
	}
}
