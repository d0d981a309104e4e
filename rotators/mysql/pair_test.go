package mysql_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// rotations are of a user whose password is known.
func (w *world) rotations(t *testing.T, user, password string) *databasetest.Rotations {
	t.Helper()
	return databasetest.NewRotations(t, mysql.Driver, database.AlternatingUsers, databasetest.Fixture{
		User: w.secret(t, user, password), Admin: w.secret(t, w.server.AdminUser, w.server.AdminPassword), Roots: w.roots})
}

// Whoever may create users makes a clone of a user whose account is beyond its reach, and a secret for the clone. It
// writes all of the mark that it may write, and even knows the word.
func TestAMarkIsNotForged(t *testing.T) {
	mysqltest.EachOf(t, mysqltest.MySQL, func(t *testing.T, s *mysqltest.Server) { // MariaDB has no place for a mark
		w := newWorld(t, s)
		w.hosts, w.grants = []string{"%"}, []string{"GRANT SYSTEM_USER ON *.* TO %s"}
		boss := w.user(t, "", firstPassword)
		w.grants = []string{"GRANT CREATE USER ON *.* TO %s"}
		tenant := w.user(t, "", "Tenant-password-1")
		w.ends(t, boss)
		for _, attribute := range []string{`{"rotor": {"pair": "WORD"}}`, `{"rotor": {"pair": ""}}`, `{"rotor": {}}`, `{}`} {
			clone := quoteName(boss+"_clone") + "@'%'"
			w.exec(t, "DROP USER IF EXISTS "+clone)
			if err := w.do(t, tenant, "Tenant-password-1", "CREATE USER "+clone+" IDENTIFIED BY 'Tenant-password-1' ATTRIBUTE "+quoteText(attribute)); err != nil {
				t.Fatal(err)
			}
			if w.do(t, tenant, "Tenant-password-1", "ALTER USER "+quoteName(boss)+"@'%' ATTRIBUTE "+quoteText(attribute)) == nil {
				t.Fatal("the tenant may change the boss: this proves nothing")
			}
			for _, r := range []*databasetest.Rotations{w.rotations(t, boss+"_clone", "Tenant-password-1"), w.rotations(t, boss, firstPassword)} {
				databasetest.Wants(t, r.Preflight(t), rotation.NotItsTwin)
				databasetest.Wants(t, r.Rotate(t), rotation.NotItsTwin)
			}
			w.as(t, boss, firstPassword)
			w.as(t, boss+"_clone", "Tenant-password-1")
		}
	})
}

// An edit of the secret moves AWSPREVIOUS to a version of the user in use: the mark tells. Where there is no place for
// one, an operator does.
func TestAnEditOfTheSecretHidesNoMarkedClone(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		w := newWorld(t, s)
		user := w.user(t, "", firstPassword)
		r := w.rotations(t, user, firstPassword)
		r.Must(t)
		r.Store.Write("user", "edit", r.Current().With("note", "edited"))
		r.Store.Stage("user", rotation.Previous, "v1")
		r.Store.Stage("user", rotation.Current, "edit")
		if isMariaDB(s) || !s.Real {
			databasetest.Wants(t, r.Rotate(t), rotation.NotItsTwin, "CLONE_ADOPT="+user)
			w.as(t, user, firstPassword)
			r.Config.Adopt = []string{user}
		}
		r.Must(t)
		r.Config.Adopt = nil
		r.Must(t)
	})
}

// Any user of the server can take the lock that keeps two runs apart: who has it is said, and how to end that.
func TestWhoHoldsTheLockIsNamed(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.grants = nil
		user, tenant := w.user(t, "", firstPassword), w.user(t, "", firstPassword)
		name := w.value(t, "SELECT CONCAT('rotor:', LEFT(SHA2("+quoteText(user)+", 256), 32))")
		db, err := again(func() (*sql.DB, error) { return w.server.Connect(t.Context(), tenant, firstPassword, "") })
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), "SELECT GET_LOCK("+quoteText(name)+", 0)"); err != nil {
			t.Fatal(err)
		}
		r := w.rotations(t, user, firstPassword)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		r.Store.Begin("user", "v1")
		for _, step := range []rotation.Step{rotation.CreateSecret, rotation.SetSecret} {
			err = r.Engine(t).Handle(ctx, rotation.Event{Step: step, SecretID: "user", Token: "v1"})
		}
		databasetest.Wants(t, err, rotation.Unavailable, "of "+tenant+" from ", "KILL ")
		_, kill, _ := strings.Cut(err.Error(), "KILL ")
		kill, _, _ = strings.Cut(kill, ";")
		w.exec(t, "KILL "+kill)
		r.Store.End("user")
		r.Must(t)
		w.helped(t, rotation.Unavailable)
	})
}

// The application logs in from several hosts, and may have an account for each.
func TestRightsOfEveryAccountAreCompared(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts, w.grants = []string{"%", "127.0.0.2"}, []string{"GRANT INSERT ON shop.orders TO %s"}
		user := w.user(t, "", firstPassword)
		r := w.rotations(t, user, firstPassword)
		r.Must(t)
		clone := quoteName(user + "_clone")
		w.exec(t, "CREATE USER "+clone+"@`127.0.0.3` IDENTIFIED BY 'Password-3'", "GRANT SELECT ON shop.orders TO "+clone+"@`127.0.0.2`")
		t.Cleanup(func() {
			w.exec(t, "DROP USER IF EXISTS "+clone+"@`127.0.0.3`, "+quoteName(user)+"@`127.0.0.3`")
		})
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.FewerRights, `login (from host "127.0.0.3")`, "SELECT on", `(from host "127.0.0.2")`)
		}
		w.as(t, user, firstPassword) // still
		r.Config.GrantDrift = true
		if err := r.Rotate(t); err != nil { // an account can have a password that nobody here knows
			databasetest.Wants(t, err, rotation.FewerRights, `login (from host "127.0.0.3")`)
			w.exec(t, "DROP USER "+clone+"@`127.0.0.3`")
			r.Must(t)
		}
		r.Config.GrantDrift = false
		r.Must(t)
		r.Must(t)
		for _, who := range []string{user, user + "_clone"} {
			if got := w.value(t, "SELECT COUNT(*) FROM mysql.tables_priv WHERE Host = '127.0.0.2' AND Table_priv LIKE '%Select%' AND User = "+quoteText(who)); got != "1" {
				t.Errorf("%s: %s rights to SELECT from 127.0.0.2", who, got)
			}
		}
	})
}

// A user who changes its own password may not see its other accounts, on hosts where the application may be.
func TestThatOneAccountAloneChangesIsTold(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			hosts []string
			told  bool
		}{{[]string{"%"}, false}, {[]string{"%", "127.0.0.1"}, true}} {
			w.hosts = c.hosts
			r := w.rotations(t, w.user(t, "", firstPassword), firstPassword)
			r.Config.Strategy = database.SingleUser
			for what, run := range map[string]func() error{"trial": func() error { return r.Preflight(t) }, "rotation": func() error { return r.Rotate(t) }} {
				r.Log.Reset()
				if err := run(); err != nil {
					t.Fatal(err)
				}
				if told := strings.Contains(r.Log.String(), "whose password alone is changed"); told != c.told {
					t.Errorf("%s, accounts for %q: told %v\n%s", what, c.hosts, told, r.Log.String())
				}
			}
		}
	})
}
