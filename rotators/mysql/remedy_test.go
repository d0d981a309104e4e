package mysql_test

import (
	"errors"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql"
)

// What a person runs who reads the message at night.
func TestALockedAccountIsUnlockedByTheRemedy(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		for _, strategy := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
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
				rows, qerr := w.admin.QueryContext(t.Context(), databasetest.Remedy(t, err, "then rotate again: ", "RotateSecret may"))
				if qerr != nil {
					t.Fatal(qerr)
				}
				var statements []string
				for rows.Next() {
					var s string
					if err := rows.Scan(&s); err != nil {
						t.Fatal(err)
					}
					statements = append(statements, s)
				}
				if err := errors.Join(rows.Err(), rows.Close()); err != nil {
					t.Fatal(err)
				}
				w.exec(t, statements...)
				r.Must(t)
				w.helped(t, rotation.AccountLocked)
			}
		}
	})
}

// helped says that a remedy of the class was executed, if the test goes well.
func (w *world) helped(t *testing.T, c rotation.Class) {
	t.Helper()
	if !t.Failed() {
		databasetest.Remedied(t, mysql.Driver, w.server.Title, w.server.Real, c)
	}
}
