package mysql_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A newcomer is an account that is the only one to have got the password when that is to be set for all: the server takes
// none twice. In its statements %o is the original's account for the test's host, %e the one for every host, and %c and %d
// are the clone's. The original has the password PASSWORD.
type newcomer struct {
	name     string
	made     []string // when the original is in use, and the clone was once
	cutShort bool     // a run has come as far as the clone's accounts
}

var newcomers = []newcomer{
	{name: "the account for every host logs in by another plug-in", made: []string{"ALTER USER %d PLUGIN"}},
	{name: "the account for the test's host logs in by another plug-in", made: []string{"ALTER USER %c PLUGIN"}},
	{name: "the account for the test's host is new", made: []string{"DROP USER %c"}},
	{name: "the account for every host is new", made: []string{"DROP USER %d"}},
	{name: "the account for the test's host is new, after a run that was cut short", made: []string{"DROP USER %c"}, cutShort: true},
	{name: "the account for every host is new, after a run that was cut short", made: []string{"DROP USER %d"}, cutShort: true},
}

func TestAccountsOfACloneGetItsPasswordOnceEach(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		history, plugin := " PASSWORD HISTORY 5", "IDENTIFIED WITH sha256_password BY 'Another-1'"
		if isMariaDB(w.server) {
			mysqltest.ChangesAll(t)
			w.install(t, "password_reuse_check")
			history, plugin = "", "IDENTIFIED VIA mysql_native_password USING PASSWORD('Another-1') OR unix_socket"
		}
		w.hosts, w.grants = []string{"%", "127.0.0.1"}, nil
		for _, n := range newcomers {
			t.Run(n.name, func(t *testing.T) {
				user := w.user(t, "", firstPassword)
				here, every := "@`127.0.0.1`", "@`%`"
				names := strings.NewReplacer("%o", quoteName(user)+here, "%e", quoteName(user)+every, "%c", quoteName(user+"_clone")+here, "%d", quoteName(user+"_clone")+every, "PLUGIN", plugin)
				if history != "" {
					w.exec(t, names.Replace("ALTER USER %o, %e"+history))
				}
				r := w.rotations(t, user, firstPassword)
				r.Config.Adopt = []string{user + "_clone"}
				r.Must(t)
				r.Must(t)
				for _, s := range n.made {
					w.exec(t, names.Replace(s))
				}
				if err := r.Preflight(t); err != nil {
					t.Error(err)
				}
				if n.cutShort {
					w.goesOnAfterCloning(t, r)
				} else {
					r.Must(t)
				}
				w.wantInFromEverywhere(t, r)
			})
		}
	})
}

// goesOnAfterCloning is a rotation with a run that comes as far as the clone's accounts, and one that goes on from there.
func (w *world) goesOnAfterCloning(t *testing.T, r *databasetest.Rotations) {
	t.Helper()
	r.Store.Begin("user", "v3")
	defer r.Store.End("user")
	for _, step := range rotation.Steps() {
		if step == rotation.SetSecret {
			pending := r.Store.Value("user", rotation.Pending)
			p := databasetest.Pair(r.Current().Text("username"), pending.Text("username"))
			p.Clone.Password = pending.Text("password")
			c := w.administrator(t).(database.Administrator)
			if err := c.Clone(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			_ = c.Close() // which frees the lock
		}
		if err := r.Engine(t).Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: "v3"}); err != nil {
			t.Fatal(err)
		}
	}
}

// wantInFromEverywhere looks whether both accounts of the user in use have its password: the server takes the test for the
// one of its own host, as long as that is there.
func (w *world) wantInFromEverywhere(t *testing.T, r *databasetest.Rotations) {
	t.Helper()
	user, password := r.Current().Text("username"), r.Current().Text("password")
	for _, host := range []string{"127.0.0.1", "every host"} {
		if err := w.do(t, user, password, "SELECT 1"); err != nil {
			t.Errorf("the account for %s: %v", host, err)
		}
		w.exec(t, "DROP USER IF EXISTS "+quoteName(user)+"@`127.0.0.1`")
	}
}
