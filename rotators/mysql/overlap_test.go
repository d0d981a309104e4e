package mysql_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

const retains = "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %u@`%`"

// An app is a user with the password first, and nothing but what it takes to try how its password changes.
type app struct {
	*world
	user string
}

func newApp(t *testing.T, s *mysqltest.Server, statements ...string) app {
	t.Helper()
	w := newWorld(t, s)
	w.hosts, w.grants = w.hosts[:1], nil
	a := app{w, w.user(t, "", "first")}
	w.alter(t, a.user, statements...)
	return a
}

// onMySQL8 runs a test on each real MySQL: they keep old passwords.
func onMySQL8(t *testing.T, test func(t *testing.T, s *mysqltest.Server)) {
	t.Helper()
	mysqltest.EachOf(t, mysqltest.MySQL, test)
}

// set sets the password of the user in a new session, which asks for an overlap or not.
func (a app) set(t *testing.T, as, with, password string, overlap bool) error {
	t.Helper()
	keep := ""
	if overlap {
		keep = "first"
	}
	return a.setBy(t, a.open(t, a.login(as, with)), keep, password)
}

func (a app) setBy(t *testing.T, c database.Conn, keep, password string) error {
	t.Helper()
	defer c.Close()
	change := databasetest.Change(a.user, password)
	change.Keep, change.Version = keep, "v1"
	change.Applied = func(context.Context) (bool, error) { return a.do(t, a.user, password, "SELECT 1") == nil, nil }
	return c.SetPassword(t.Context(), change)
}

// wantPasswords tries the passwords out, looks into the table, and tells the two apart by dropping the old one. An empty
// secondary is none.
func (a app) wantPasswords(t *testing.T, primary, secondary string) {
	t.Helper()
	has := a.value(t, "SELECT IFNULL(JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password'), 0) FROM mysql.user WHERE User = "+quoteText(a.user))
	if (has == "1") != (secondary != "") {
		t.Errorf("the table has an old password: %s", has)
	}
	if secondary != "" {
		if err := a.do(t, a.user, secondary, "SELECT 1"); err != nil {
			t.Errorf("the old password: %v", err)
		}
		a.alter(t, a.user, "ALTER USER %u@`%` DISCARD OLD PASSWORD")
		if a.do(t, a.user, secondary, "SELECT 1") == nil {
			t.Errorf("%q is the primary password", secondary)
		}
	}
	if err := a.do(t, a.user, primary, "SELECT 1"); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestTheOldPasswordIsKeptWhereItCanBe(t *testing.T) {
	for _, c := range []struct {
		name          string
		grants        []string
		overlap, kept bool
	}{
		{"kept", []string{retains}, true, true},
		{"no privilege", nil, true, false},
		{"PASSWORD_OVERLAP=off", []string{retains}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			onMySQL8(t, func(t *testing.T, s *mysqltest.Server) {
				a := newApp(t, s, c.grants...)
				if err := a.set(t, a.user, "first", "second", c.overlap); err != nil {
					t.Fatal(err)
				}
				if c.kept {
					a.wantPasswords(t, "second", "first")
				} else {
					a.wantPasswords(t, "second", "")
				}
			})
		})
	}
}

func TestALeftOverPasswordIsDiscardedWhereOverlapIsOff(t *testing.T) {
	onMySQL8(t, func(t *testing.T, s *mysqltest.Server) {
		for _, own := range []bool{true, false} {
			a := newApp(t, s, retains, "ALTER USER %u@`%` IDENTIFIED BY 'second' RETAIN CURRENT PASSWORD")
			as, with := a.user, "second"
			if !own {
				as, with = s.AdminUser, s.AdminPassword
			}
			if err := a.set(t, as, with, "third", false); err != nil {
				t.Fatal(err)
			}
			a.wantPasswords(t, "third", "")
		}
	})
}

// After a rotation that was given up, AWSCURRENT's password is the old one of two. The next rotation must keep it, and
// not the one that nobody has.
func TestAnAbandonedRotationDoesNotCostTheCurrentPassword(t *testing.T) {
	onMySQL8(t, func(t *testing.T, s *mysqltest.Server) {
		a := newApp(t, s, retains, "ALTER USER %u@`%` IDENTIFIED BY 'abandoned' RETAIN CURRENT PASSWORD")
		if err := a.set(t, a.user, "first", "second", true); err != nil {
			t.Fatal(err)
		}
		a.wantPasswords(t, "second", "first")
	})
}

// The same by an administrator, whom the server does not tell which password is which: the mark does.
func TestAnAbandonedRotationByAnAdministratorDoesNotCostTheCurrentPassword(t *testing.T) {
	onMySQL8(t, func(t *testing.T, s *mysqltest.Server) {
		a := newApp(t, s)
		c := a.open(t, a.login(s.AdminUser, s.AdminPassword))
		defer c.Close()
		for _, change := range []struct{ kept, version, password string }{
			{"v0", "v1", "abandoned"},
			{"v0", "v2", "second"},
			{"v0", "v2", "second"}, // a second run
		} {
			to := databasetest.Change(a.user, change.password)
			to.Keep, to.Kept, to.Version = "first", change.kept, change.version
			to.Applied = func(context.Context) (bool, error) { return a.do(t, a.user, change.password, "SELECT 1") == nil, nil }
			if err := c.SetPassword(t.Context(), to); err != nil {
				t.Fatal(err)
			}
		}
		a.wantPasswords(t, "second", "first")
	})
}

func TestAPasswordThatHasToBeProvenIsProven(t *testing.T) {
	onMySQL8(t, func(t *testing.T, s *mysqltest.Server) {
		for _, overlap := range []bool{false, true} {
			a := newApp(t, s, "ALTER USER %u@`%` PASSWORD REQUIRE CURRENT", retains)
			if err := a.set(t, a.user, "first", "second", overlap); err != nil {
				t.Errorf("overlap %v: %v", overlap, err)
			}
		}
	})
}

func TestAnEmptyOldPasswordIsNotKept(t *testing.T) {
	onMySQL8(t, func(t *testing.T, s *mysqltest.Server) {
		a := newApp(t, s, "ALTER USER %u@`%` IDENTIFIED BY ''")
		if err := a.set(t, s.AdminUser, s.AdminPassword, "second", true); err != nil {
			t.Fatal(err)
		}
		a.wantPasswords(t, "second", "")
	})
}

func TestUsersThatAlternateKeepNoOldPassword(t *testing.T) {
	onMySQL8(t, func(t *testing.T, s *mysqltest.Server) {
		a := newApp(t, s)
		c := a.administrator(t)
		for _, password := range []string{"second", "third"} {
			if err := c.SetPassword(t.Context(), databasetest.Change(a.user, password)); err != nil {
				t.Fatal(err)
			}
			a.wantPasswords(t, password, "")
		}
	})
}

// The statement must not run a second time: that would keep the new password as the old one, and drop AWSCURRENT's.
func TestALostReplyIsUnreachableAndTheStepMayRunAgain(t *testing.T) {
	w := plain(t, mysqltest.MySQL, nil)
	a := newApp(t, w.server, retains)
	err := a.setBy(t, a.tapped(t, losing("RETAIN CURRENT PASSWORD"), a.user, "first"), "first", "second")
	if !rotation.Retryable(err) {
		t.Errorf("got %v", err)
	}
	wantClass(t, err, rotation.Unreachable, "")
	if errors.Is(err, database.ErrLoginRefused) {
		t.Error("it leads to another password")
	}
	a.wantPasswords(t, "second", "first")
}

// The same by the engine, which tries again by itself.
func TestALostReplyDoesNotDropTheCurrentPassword(t *testing.T) {
	w := plain(t, mysqltest.MySQL, nil)
	a := newApp(t, w.server, retains)
	a.rotate(t, losing("RETAIN CURRENT PASSWORD"), "second")
	a.wantPasswords(t, "second", "first")
}

// rotate rotates the user by itself, through a tap, to a password.
func (a app) rotate(t *testing.T, p *tap, password string) {
	t.Helper()
	var store rotationtest.Store
	store.Add("user", a.secret(t, a.user, "first"))
	engine := rotation.Engine{
		Store: &store, Clock: &rotationtest.Clock{}, Log: slog.New(slog.DiscardHandler),
		Rotator: a.rotator(t, database.Config{Strategy: database.SingleUser, Password: func() string { return password }, Dial: p.dial}),
	}
	if err := rotationtest.Rotate(t.Context(), &engine, &store, "user", "v1"); err != nil {
		t.Fatal(err)
	}
}

// An account that takes no password twice, and on MySQL is locked for good by one login that fails.
func TestAStrictAccountIsRotatedByStepsThatRunTwice(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		if isMariaDB(w.server) {
			mysqltest.ChangesAll(t)
			w.install(t, "password_reuse_check")
		} else {
			w.grants = append(w.grants, "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
		}
		for name, strategy := range map[string]database.Strategy{"own": database.SingleUser, "administrator": database.SingleUserByAdministrator, "alternating": database.AlternatingUsers} {
			f := w.fixture(t, "")
			if !isMariaDB(w.server) {
				w.exec(t, "ALTER USER "+quoteName(f.User.Text("username"))+"@`"+w.hosts[0]+"` PASSWORD HISTORY 5 FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED")
			}
			r := databasetest.NewRotations(t, mysql.Driver, strategy, f)
			for _, version := range []string{"a", "b", "c"} {
				r.Store.Begin("user", version)
				for _, step := range rotation.Steps() {
					for n := range 2 {
						if err := r.Engine(t).Handle(t.Context(), rotation.Event{Step: step, SecretID: "user", Token: version}); err != nil {
							t.Fatalf("%s: %s, run %d: %v", name, step, n, err)
						}
					}
				}
				r.Store.End("user")
				if err := w.probe(t.Context(), r.Current()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	})
}

// A backup holds a lock, the step ends, the rotation is given up, the backup ends: the server must not set the password then.
func TestAStatementThatWaitedIsNotExecutedLater(t *testing.T) {
	for _, product := range []string{mysqltest.MySQL, mysqltest.MariaDB} {
		t.Run(product, func(t *testing.T) {
			w := newWorld(t, mysqltest.Start(t, product, mysqltest.Config{}))
			for name, strategy := range map[string]database.Strategy{"own": database.SingleUser, "administrator": database.SingleUserByAdministrator} {
				f := w.fixture(t, "")
				r := databasetest.NewRotations(t, mysql.Driver, strategy, f)
				db, err := w.server.Admin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				backup, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := backup.ExecContext(t.Context(), "FLUSH TABLES WITH READ LOCK"); err != nil {
					t.Fatal(err)
				}
				r.Store.Begin("user", "v1")
				ctx, end := context.WithTimeout(t.Context(), 4*time.Second)
				event := rotation.Event{Step: rotation.CreateSecret, SecretID: "user", Token: "v1"}
				if err := r.Engine(t).Handle(ctx, event); err != nil {
					t.Fatal(err)
				}
				event.Step = rotation.SetSecret
				databasetest.Wants(t, r.Engine(t).Handle(ctx, event), rotation.Timeout)
				end()
				if err := errors.Join(backup.Close(), db.Close()); err != nil { // the backup ends
					t.Fatal(err)
				}
				w.untilNothingWaits(t)
				if err := w.probe(t.Context(), r.Current()); err != nil {
					t.Errorf("%s: locked out: %v", name, err)
				}
			}
		})
	}
}

// untilNothingWaits returns when the server has no statement left that sets a password: what waited has been executed, or dropped.
func (w *world) untilNothingWaits(t *testing.T) {
	t.Helper()
	for w.value(t, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER USER%' OR INFO LIKE 'SET PASSWORD%'") != "0" {
		if t.Context().Err() != nil {
			t.Fatal("a statement waits for ever")
		}
		runtime.Gosched()
	}
}

func TestMySQLsLimitOfNamesIsTold(t *testing.T) {
	onMySQL(t, func(t *testing.T, w *world) {
		user := w.user(t, "", firstPassword)
		long := "a_name_of_33_characters_is_no_use"
		c := w.administrator(t)
		wantClass(t, c.SetPassword(t.Context(), databasetest.Change(long, "x")), rotation.BadSecret, "32")
		wantClass(t, databasetest.Clone(t.Context(), c, user, long, "x"), rotation.BadSecret, "32")
		wantClass(t, c.(database.Administrator).PreflightClone(t.Context(), databasetest.Pair(user, long)), rotation.BadSecret, "32")
	})
}
