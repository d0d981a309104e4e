package mysql_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// What a person runs who reads the message at night.
func TestALockedAccountIsUnlockedByTheRemedy(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		for _, strategy := range strategies {
			for _, c := range []struct{ lock, wrong string }{{lock: "ACCOUNT LOCK"}, {"FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED", "wrong"}} {
				if c.wrong != "" && isMariaDB(w.server) {
					continue // it has no such clause
				}
				f := w.fixture(t, "")
				user := f.User.Text("username")
				for _, host := range w.hosts {
					w.exec(t, "ALTER USER "+quoteName(user)+"@`"+host+"` "+c.lock)
				}
				if c.wrong != "" {
					if _, err := mysql.Driver.Connect(t.Context(), w.login(user, c.wrong)); err == nil {
						t.Fatal("a wrong password is let in")
					}
				}
				r := databasetest.NewRotations(t, mysql.Driver, strategy, f)
				err := r.Rotate(t)
				databasetest.Wants(t, err, rotation.AccountLocked)
				w.exec(t, w.printed(t, databasetest.Remedy(t, err, "then rotate again: ", "RotateSecret may"))...)
				r.Must(t)
				w.helped(t, rotation.AccountLocked)
			}
		}
	})
}

// printed are the statements that a query prints.
func (w *world) printed(t *testing.T, query string) (statements []string) {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		statements = append(statements, s)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(statements) == 0 {
		t.Fatalf("%s prints %q, %v", query, statements, err)
	}
	return statements
}

// helped says that a remedy of the class was executed, if the test goes well.
func (w *world) helped(t *testing.T, c rotation.Class) {
	t.Helper()
	if !t.Failed() {
		databasetest.Remedied(t, mysql.Driver, w.server.Title, w.server.Real, c)
	}
}

// A rotation of a single user takes two sessions at once.
func TestALimitOfOneSessionIsRaisedByTheRemedy(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		r := w.by(t, database.SingleUser)
		for _, host := range w.hosts {
			w.alter(t, r.Current().Text("username"), "ALTER USER %u@`"+host+"` WITH MAX_USER_CONNECTIONS 1")
		}
		trial := r.Preflight(t)
		databasetest.Wants(t, trial, rotation.TooManyConnections)
		w.ended(t, r.Current().Text("username"))
		err := r.Rotate(t)
		databasetest.Wants(t, err, rotation.NewPasswordRefused, "The old one was put back", "Applications go on with AWSCURRENT")
		w.ended(t, r.Current().Text("username"))
		if err := w.do(t, r.Current().Text("username"), firstPassword, "SELECT 1"); err != nil {
			t.Error(err)
		}
		for _, err := range []error{trial, err} {
			w.exec(t, w.printed(t, databasetest.Remedy(t, err, "then rotate again: ", "> 0;")+"> 0;")...)
		}
		w.eventually(t, r)
		w.helped(t, rotation.TooManyConnections)
		w.helped(t, rotation.NewPasswordRefused)
	})
}

func TestALimitOfAnHourBeginsAnew(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		mysqltest.ChangesAll(t) // the counters of everybody
		w.hosts, w.grants = w.hosts[:1], nil
		r := w.by(t, database.SingleUser)
		user := r.Current().Text("username")
		w.alter(t, user, "ALTER USER %u@`%` WITH MAX_QUERIES_PER_HOUR 60")
		for range 60 {
			if w.do(t, user, firstPassword, "SELECT 1") != nil {
				break
			}
		}
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.TooManyConnections)
		}
		w.exec(t, databasetest.Remedy(t, r.Preflight(t), "which begins it anew: ", ";"))
		r.Must(t)
		w.helped(t, rotation.TooManyConnections)
	})
}

// The administrator may make the clone, and not take away what somebody else has given it. Each choice of the remedy is
// made.
func TestWhatTheCloneHasMoreIsTakenOrGiven(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts, w.grants = w.hosts[:1], nil
		for _, take := range []bool{true, false} {
			user, boss := w.user(t, "", firstPassword), w.user(t, "", firstPassword)
			w.alter(t, boss, "GRANT CREATE USER ON *.* TO %u@`%`", "GRANT SELECT ON mysql.* TO %u@`%`")
			r := w.rotations(t, user, firstPassword)
			r.Must(t)
			r.Must(t)
			r.Store.Add("admin", w.secret(t, boss, firstPassword))
			w.alter(t, user+"_clone", "GRANT INSERT ON shop.orders TO %u@`%`")
			databasetest.Wants(t, r.Rotate(t), rotation.MoreRights, "Take from the clone what the message names, or give it to the original too: what setSecret noted in the log says how")
			_, note, _ := strings.Cut(r.Log.String(), "Let one who may run ")
			statement, _, ok := strings.Cut(note, ";")
			if !ok {
				t.Fatalf("nothing is said in %s", r.Log.String())
			}
			if !take {
				statement = strings.NewReplacer("REVOKE ", "GRANT ", " FROM ", " TO ", "_clone`", "`").Replace(statement)
			}
			w.exec(t, statement)
			r.Must(t)
			w.helped(t, rotation.MoreRights)
		}
	})
}

// The original is dropped while its clone is in use.
func TestAnOriginalThatIsGoneIsMadeAgain(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.grants = []string{"GRANT SELECT ON shop.orders TO %s"}
		for _, another := range []bool{false, true} {
			user := w.user(t, "", firstPassword)
			r := w.rotations(t, user, firstPassword)
			r.Must(t)
			for _, host := range w.hosts {
				w.alter(t, user, "DROP USER %u@`"+host+"`")
			}
			for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
				databasetest.Wants(t, err, rotation.NoUser, "Create "+strconv.Quote(user)+", with the rights that the application needs", "put the secret's user back to one that has no clone")
			}
			if another { // a user without a clone
				r.Store.Write("user", "v1", w.secret(t, w.user(t, "", firstPassword), firstPassword))
				r.Store.End("user") // it was for the other user
			} else {
				w.user(t, user, "Made-again-1") // nothing says that this is the same
				databasetest.Wants(t, r.Rotate(t), rotation.NotItsTwin, "CLONE_ADOPT="+user)
				r.Config.Adopt = []string{user}
			}
			r.Must(t)
			w.helped(t, rotation.NoUser)
		}
	})
}

// MariaDB blocks a user after too many wrong passwords.
func TestABlockedUserIsUnblockedByTheRemedy(t *testing.T) {
	w := newWorld(t, mysqltest.Start(t, mysqltest.MariaDB, mysqltest.Config{Options: servertest.Options{Settings: map[string]string{"max-password-errors": "2"}}}))
	for _, strategy := range strategies {
		r := w.by(t, strategy)
		for range 3 {
			if _, err := mysql.Driver.Connect(t.Context(), w.login(r.Current().Text("username"), "wrong")); err == nil {
				t.Fatal("a wrong password is let in")
			}
		}
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.AccountLocked, "max_password_errors")
		}
		w.exec(t, databasetest.Remedy(t, r.Preflight(t), "(max_password_errors): ", ";"))
		r.Must(t)
		w.helped(t, rotation.AccountLocked)
	}
}

// An administrator, or a user, who lacks something is given it as messages print it: by those of trials, and by that of
// the rotation itself.
func TestWhatIsLackedIsGrantedByTheRemedy(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts, w.grants = w.hosts[:1], nil
		for _, strategy := range strategies[1:] {
			for _, tried := range []bool{true, false} {
				user, boss := w.user(t, "", firstPassword), w.user(t, "", firstPassword)
				w.alter(t, user, "GRANT SELECT ON shop.orders TO %u@`%`")
				r := w.rotations(t, user, firstPassword)
				r.Config.Strategy = strategy
				r.Store.Add("admin", w.secret(t, boss, firstPassword))
				attempt := r.Rotate
				if tried {
					attempt = r.Preflight
				}
				lacked := 0
				for err := attempt(t); err != nil && lacked < 9; err = attempt(t) {
					databasetest.Wants(t, err, rotation.MissingPrivilege)
					for statement := range strings.SplitSeq(databasetest.Remedy(t, err, "As an administrator: ", "; then rotate again"), "; ") {
						w.exec(t, statement)
					}
					lacked++
				}
				if r.Must(t); lacked == 0 {
					t.Errorf("nothing was lacked, trial: %v", tried)
				}
				w.helped(t, rotation.MissingPrivilege)
			}
		}
	})
}

func TestAServerThatIsOfflineIsBroughtBackByTheRemedy(t *testing.T) {
	w := newWorld(t, mysqltest.Start(t, mysqltest.MySQL, mysqltest.Config{}))
	for _, strategy := range strategies {
		r := w.by(t, strategy)
		w.exec(t, "SET GLOBAL offline_mode = ON")
		for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
			databasetest.Wants(t, err, rotation.Unavailable, "offline")
		}
		w.exec(t, databasetest.Remedy(t, r.Preflight(t), "As one of them: ", ";"))
		r.Must(t)
		w.helped(t, rotation.Unavailable)
	}
}
