package mysql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// What is the matter with the server, or with what was set for all its users.

var strategies = []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers}

// by are rotations of a new user by a strategy.
func (w *world) by(t *testing.T, strategy database.Strategy) *databasetest.Rotations {
	t.Helper()
	r := w.rotations(t, w.user(t, "", firstPassword), firstPassword)
	r.Config.Strategy = strategy
	return r
}

// demanding has a server want longer passwords than are made, for the test.
func (w *world) demanding(t *testing.T, length int) {
	t.Helper()
	mysqltest.ChangesAll(t)
	if isMariaDB(w.server) {
		w.install(t, "simple_password_check")
		w.exec(t, fmt.Sprint("SET GLOBAL simple_password_check_minimal_length = ", length))
		return
	}
	w.exec(t, "INSTALL COMPONENT 'file://component_validate_password'")
	t.Cleanup(func() { w.exec(t, "UNINSTALL COMPONENT 'file://component_validate_password'") })
	w.exec(t, fmt.Sprint("SET GLOBAL validate_password.length = ", length))
}

func TestPasswordSettingsThatFitTheServerHelp(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		const length = 64
		var all []*databasetest.Rotations
		for _, s := range strategies {
			all = append(all, w.by(t, s))
		}
		w.demanding(t, length)
		for _, r := range all {
			databasetest.Wants(t, r.Preflight(t), rotation.PasswordRejected, "Adapt PASSWORD_LENGTH")
			databasetest.Wants(t, r.Rotate(t), rotation.PasswordRejected, "Adapt PASSWORD_LENGTH", "cancel the pending rotation and rotate again")
			mark, pending := w.server.Mark(), r.Store.Value("user", rotation.Pending).Text("password")
			if _, err := r.Plan(t); err == nil || !strings.Contains(err.Error(), string(rotation.PasswordRejected)) {
				t.Errorf("the plan for the password that is pending: %v", err)
			}
			if log := w.server.LogSince(mark); pending == "" || strings.Contains(log, pending) || strings.Contains(log, quoteText(pending)) {
				t.Error("the password that is pending is in the server's log")
			}
			p := password.Default()
			p.Length = length
			g, err := password.New(p, mysql.Driver.Password)
			if err != nil {
				t.Fatal(err)
			}
			r.Config.Password = g.Generate
			databasetest.Wants(t, r.Rotate(t), rotation.PasswordRejected) // the pending password stays as it is
			r.Store.End("user")
			r.Must(t)
			w.helped(t, rotation.PasswordRejected)
		}
	})
}

// MariaDB takes a password as a hash, of which its rules see nothing, unless it is told to be strict.
func TestRulesThatSeeNoPasswordRefuseNone(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		if !isMariaDB(w.server) {
			return
		}
		r := w.by(t, database.SingleUser)
		w.demanding(t, 64)
		w.exec(t, "SET GLOBAL strict_password_validation = OFF")
		t.Cleanup(func() { w.exec(t, "SET GLOBAL strict_password_validation = ON") })
		if err := r.Preflight(t); err != nil {
			t.Error(err)
		}
		r.Must(t)
	})
}

// Somebody's own generator, or a hand, gives a password out twice.
func TestAPasswordThatWasUsedIsGivenUp(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		if isMariaDB(w.server) {
			mysqltest.ChangesAll(t)
			w.install(t, "password_reuse_check")
		}
		w.hosts = w.hosts[:1]
		for _, s := range strategies {
			r := w.by(t, s)
			user, generate := r.Current().Text("username"), r.Config.Password
			if !isMariaDB(w.server) {
				w.alter(t, user, "ALTER USER %u@`%` PASSWORD HISTORY 5")
			}
			var used []string
			for range 5 {
				r.Must(t)
				used = append(used, r.Current().Text("password"))
			}
			r.Config.Password = func() string { return used[1] } // of the one whose turn it is, before the last
			databasetest.Wants(t, r.Rotate(t), rotation.PasswordRejected, "Give AWSPENDING up and rotate again")
			r.Config.Password = generate
			r.Store.End("user")
			r.Must(t)
			w.helped(t, rotation.PasswordRejected)
		}
	})
}

// moved is a secret of the same user on another server.
func moved(d secret.Document, s *mysqltest.Server) secret.Document {
	return d.With("host", s.Host).With("port", fmt.Sprint(s.Port))
}

func TestTheWritersHostHelps(t *testing.T) {
	eachProduct(t, servertest.Options{}, func(t *testing.T, s *mysqltest.Server) {
		reader, writer := newWorld(t, s), newWorld(t, mysqltest.Start(t, s.Product(), mysqltest.Config{}))
		reader.roots.AppendCertsFromPEM(writer.server.CA)
		variables := []string{"read_only", "super_read_only"}
		if isMariaDB(s) {
			variables = variables[:1]
		}
		for _, variable := range variables {
			for _, strategy := range strategies {
				r := reader.by(t, strategy)
				writer.exec(t, "CREATE USER "+quoteName(r.Current().Text("username"))+"@`%` IDENTIFIED BY "+quoteText(firstPassword))
				reader.exec(t, "SET GLOBAL "+variable+" = 1")
				for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
					databasetest.Wants(t, err, rotation.ReadOnly, "Point the secret's host at the writer")
				}
				r.Store.Write("user", "v0", moved(r.Current(), writer.server))
				r.Store.Add("admin", moved(reader.secret(t, writer.server.AdminUser, writer.server.AdminPassword), writer.server))
				databasetest.Wants(t, r.Rotate(t), rotation.BadSecret, "--remove-from-version-id") // which the command that it says gives up
				r.Store.End("user")
				r.Must(t)
				reader.exec(t, "SET GLOBAL read_only = 0")
				reader.helped(t, rotation.ReadOnly)
			}
		}
	})
}

// crowd opens sessions of a user until the server has no room for one more.
func (w *world) crowd(t *testing.T, user string) (leave func()) {
	t.Helper()
	var all []*sql.DB
	leave = func() {
		for _, db := range all {
			_ = db.Close()
		}
	}
	t.Cleanup(leave)
	for range 200 {
		db, err := again(func() (*sql.DB, error) { return w.server.Connect(t.Context(), user, firstPassword, "") })
		if _, refused := errors.AsType[*driver.MySQLError](err); refused {
			return leave
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, db)
	}
	t.Fatal("the server has room for everybody")
	return nil
}

// A server that is full, in one of three ways, with what its remedy leaves to choose.
func TestRoomOnTheServerHelps(t *testing.T) {
	// MariaDB can set the limit of every user only where it was started with one.
	eachProduct(t, servertest.Options{Settings: map[string]string{"max-user-connections": "40"}}, func(t *testing.T, s *mysqltest.Server) {
		w := newWorld(t, s)
		for _, c := range []struct{ name, fill, raise string }{
			{"the server's limit", "SET GLOBAL max_connections = 12", "SET GLOBAL max_connections = 60"},
			{"the limit of every user", "SET GLOBAL max_user_connections = 3", "SET GLOBAL max_user_connections = 9"},
		} {
			for name, heed := range map[string]func(leave func()){
				"free":  func(leave func()) { leave() },
				"raise": func(func()) { w.exec(t, c.raise) },
			} {
				t.Run(c.name+", "+name, func(t *testing.T) {
					r := w.by(t, database.SingleUser)
					w.exec(t, c.fill)
					defer w.exec(t, c.raise)
					leave := w.crowd(t, r.Current().Text("username"))
					defer leave()
					for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
						databasetest.Wants(t, err, rotation.TooManyConnections, "Free connections on the server, or raise its limit or the user's")
					}
					heed(leave)
					w.eventually(t, r)
					w.helped(t, rotation.TooManyConnections)
				})
			}
		}
	})
}

// ended waits until the server has ended the sessions of a user: it does so after the client has gone.
func (w *world) ended(t *testing.T, user string) {
	t.Helper()
	for sessions := 1; sessions > 0; {
		if err := w.admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?", user).Scan(&sessions); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually rotates when the server has counted those out who have left.
func (w *world) eventually(t *testing.T, r *databasetest.Rotations) {
	t.Helper()
	for {
		err := r.Rotate(t)
		if err == nil {
			return
		}
		if e, _ := errors.AsType[*rotation.Error](err); e.Class != rotation.TooManyConnections || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}
