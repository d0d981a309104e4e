package mysql_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// login is how the framework would log in to the world's server.
func (w *world) login(user, password string) database.Login {
	return database.Login{
		Host: w.server.Host, Port: w.server.Port, Database: mysql.Driver.Database, User: user, Password: password,
		TLS: &tls.Config{RootCAs: w.roots, ServerName: w.server.Host}, Report: new(rotation.Report),
	}
}

func (w *world) open(t *testing.T, l database.Login) database.Conn {
	t.Helper()
	c, err := again(func() (database.Conn, error) { return mysql.Driver.Connect(t.Context(), l) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

const (
	newPassword = "New-Password 1 ' \" \\ % ` \u00fc"
	new32       = "0123456789'\\\"%`abcdefghijkLMNOPQ" // as long as passwords are by default
	oddLength   = "An-odd-length-of-Password-1"
)

func TestMariaDBNeverSeesThePassword(t *testing.T) {
	onMariaDB(t, func(t *testing.T, w *world) {
		mysqltest.ChangesAll(t)
		w.install(t, "auth_ed25519")
		for _, c := range []struct {
			name, via, password string
			hidden              bool
		}{
			{"native", "mysql_native_password USING PASSWORD('first')", newPassword, true},
			{"ed25519", "ed25519 USING PASSWORD('first')", new32, true},
			{"ed25519 of another length", "ed25519 USING PASSWORD('first')", oddLength, false},
			{"both", "ed25519 USING PASSWORD('first') OR mysql_native_password USING PASSWORD('first')", new32, true},
			{"unix_socket as well", "mysql_native_password USING PASSWORD('first') OR unix_socket", newPassword, true},
		} {
			t.Run(c.name, func(t *testing.T) {
				w.exec(t, "CREATE USER hasher@`%` IDENTIFIED VIA "+c.via)
				defer w.exec(t, "DROP USER hasher@`%`", "DROP USER IF EXISTS hasher_clone@`%`")
				before, mark := afterVia(w.value(t, "SHOW CREATE USER hasher@`%`")), w.server.Mark()
				if err := w.open(t, w.login(w.own("hasher"), "first")).SetPassword(t.Context(), databasetest.Change(w.own("hasher"), c.password)); err != nil {
					t.Fatal(err)
				}
				administrator := w.open(t, w.login(w.server.AdminUser, w.server.AdminPassword))
				for _, set := range []func() error{
					func() error {
						return administrator.SetPassword(t.Context(), databasetest.Change(w.own("hasher"), c.password))
					},
					func() error {
						return databasetest.Clone(t.Context(), administrator, w.own("hasher"), w.own("hasher_clone"), c.password)
					},
					func() error {
						return databasetest.Clone(t.Context(), administrator, w.own("hasher"), w.own("hasher_clone"), c.password)
					},
				} {
					if err := set(); err != nil {
						t.Fatal(err)
					}
				}
				for _, user := range []string{w.own("hasher"), w.own("hasher_clone")} {
					if err := w.do(t, user, c.password, "SELECT 1"); err != nil {
						t.Errorf("%s: %v", user, err)
					}
					if got := afterVia(w.value(t, "SHOW CREATE USER "+user+"@`%`")); got != before {
						t.Errorf("%s logs in by %s, and did by %s", user, got, before)
					}
				}
				if !w.server.HasLog() {
					t.Skip("NOT COVERED: this server's log is out of reach")
				}
				log := strings.NewReplacer(`''`, `'`, `\\`, `\`).Replace(w.server.LogSince(mark))
				if strings.Contains(log, c.password) == c.hidden {
					t.Errorf("the password is in the log: %v", c.hidden)
				}
				if !strings.Contains(log, "SET PASSWORD = ") {
					t.Error("the log lacks the statements, so that it proves nothing")
				}
			})
		}
	})
}

// afterVia is by which plug-ins an account logs in.
func afterVia(text string) string {
	var words []string
	for _, w := range strings.Fields(text) {
		if !strings.HasPrefix(w, "'") && !strings.HasPrefix(w, "`") {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

func TestAServerThatChecksPasswordsGetsThemOverTLSOnly(t *testing.T) {
	onMariaDB(t, func(t *testing.T, w *world) {
		mysqltest.ChangesAll(t)
		w.install(t, "simple_password_check")
		user := w.user(t, "", firstPassword)
		administrator := func() database.Conn { return w.as(t, w.server.AdminUser, w.server.AdminPassword) }
		for name, c := range map[string]struct {
			session  database.Conn
			password string
		}{
			"its own":            {w.as(t, user, firstPassword), newPassword},
			"an administrator's": {administrator(), newPassword},
		} {
			if err := c.session.SetPassword(t.Context(), databasetest.Change(user, c.password)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := w.do(t, user, c.password, "SELECT 1"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			wantClass(t, c.session.SetPassword(t.Context(), databasetest.Change(user, "short")), rotation.PasswordRejected, "simple_password_check")
		}
		wantClass(t, databasetest.Clone(t.Context(), administrator(), user, user+"_clone", "short"), rotation.PasswordRejected, "simple_password_check")
		plain := w.login(user, newPassword)
		plain.TLS = nil
		wantClass(t, w.open(t, plain).SetPassword(t.Context(), databasetest.Change(user, firstPassword)), rotation.PasswordRejected, "not encrypted")
		if err := w.do(t, user, newPassword, "SELECT 1"); err != nil {
			t.Errorf("the password changed: %v", err)
		}
	})
}

func TestOtherPeoplesAccountsAreLeftAlone(t *testing.T) {
	onMariaDB(t, func(t *testing.T, w *world) {
		mysqltest.ChangesAll(t) // an anonymous user
		w.exec(t, "CREATE USER nopasser@`%` IDENTIFIED VIA unix_socket", "CREATE USER ''@`%` IDENTIFIED BY 'x'")
		defer w.exec(t, "DROP USER nopasser@`%`", "DROP USER ''@`%`")
		w.exec(t, "CREATE USER seconder@`%` IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('x')")
		defer w.exec(t, "DROP USER seconder@`%`")
		for _, err := range []error{
			w.as(t, w.own("seconder"), "x").SetPassword(t.Context(), databasetest.Change(w.own("seconder"), newPassword)),
			w.as(t, w.own("seconder"), "x").(database.Administrator).Preflight(t.Context(), database.Login{User: w.own("seconder")}),
		} {
			wantClass(t, err, rotation.MissingPrivilege, "single-user-by-administrator")
		}
		administrator := w.administrator(t)
		if err := administrator.SetPassword(t.Context(), databasetest.Change(w.own("seconder"), newPassword)); err != nil || w.do(t, w.own("seconder"), newPassword, "SELECT 1") != nil {
			t.Errorf("an administrator: %v", err)
		}
		wantClass(t, administrator.SetPassword(t.Context(), databasetest.Change(w.own("nopasser"), newPassword)), rotation.BadSecret, "unix_socket")
		wantClass(t, administrator.SetPassword(t.Context(), databasetest.Change("nobody at all", newPassword)), rotation.NoUser, "nobody at all")
		wantClass(t, w.as(t, "somebody", "x").SetPassword(t.Context(), databasetest.Change("somebody", newPassword)), rotation.BadSecret, "anonymous")
		wantClass(t, w.as(t, "somebody", "x").(database.Administrator).Preflight(t.Context(), database.Login{User: "somebody"}), rotation.BadSecret, "anonymous")
	})
}

func TestAReplicaIsNotWrittenTo(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		user := w.user(t, "", firstPassword)
		mysqltest.ChangesAll(t)
		w.exec(t, "SET GLOBAL read_only = 1")
		defer w.exec(t, "SET GLOBAL read_only = 0")
		administrator := w.administrator(t) // who could write all the same
		wantClass(t, administrator.SetPassword(t.Context(), databasetest.Change(user, newPassword)), rotation.ReadOnly, "read-only")
		wantClass(t, databasetest.Clone(t.Context(), administrator, user, user+"_clone", newPassword), rotation.ReadOnly, "read-only")
		wantClass(t, administrator.(database.Administrator).Preflight(t.Context(), database.Login{User: user}), rotation.ReadOnly, "read-only")
		if err := w.do(t, user, firstPassword, "SELECT 1"); err != nil {
			t.Error(err)
		}
	})
}

func TestTheServersRefusalsHaveTheirClasses(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		user := w.user(t, "", firstPassword)
		account := quoteName(user) + "@`%`"
		for _, c := range []struct {
			prepare, undo string
			login         func(*database.Login)
			class         rotation.Class
			refused       bool
		}{
			{login: func(l *database.Login) { l.Password = "wrong" }, class: rotation.LoginRefused, refused: true},
			{login: func(l *database.Login) { l.User = "who is that" }, class: rotation.LoginRefused, refused: true},
			{login: func(l *database.Login) { l.Database = "no_such_db" }, class: rotation.NoDatabase},
			{login: func(l *database.Login) { l.Database = "mysql" }, class: rotation.NoDatabase},
			{prepare: "ALTER USER " + account + " ACCOUNT LOCK", undo: "ALTER USER " + account + " ACCOUNT UNLOCK", class: rotation.AccountLocked},
			{prepare: "ALTER USER " + account + " PASSWORD EXPIRE", undo: "ALTER USER " + account + " IDENTIFIED BY " + quoteText(firstPassword), class: rotation.PasswordExpired},
			{prepare: "ALTER USER " + account + " WITH MAX_USER_CONNECTIONS 1", undo: "ALTER USER " + account + " WITH MAX_USER_CONNECTIONS 0", class: rotation.TooManyConnections},
		} {
			if c.prepare != "" {
				w.exec(t, c.prepare)
			}
			if c.class == rotation.TooManyConnections {
				defer w.occupy(t, user).Close()
			}
			l := w.login(user, firstPassword)
			if c.login != nil {
				c.login(&l)
			}
			conn, err := mysql.Driver.Connect(t.Context(), l)
			if err == nil { // an expired password is let in, to be changed
				err = conn.Check(t.Context())
				_ = conn.Close()
			}
			wantClass(t, err, c.class, "")
			if errors.Is(err, database.ErrLoginRefused) != c.refused {
				t.Errorf("%v leads to another password: %v", err, !c.refused)
			}
			if c.undo != "" {
				w.exec(t, c.undo)
			}
		}
	})
}

// occupy takes the one connection that a user may have. A connection that was
// closed before still counts for a moment.
func (w *world) occupy(t *testing.T, user string) *sql.DB {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		db, err := w.server.Connect(t.Context(), user, firstPassword, "")
		if err == nil {
			return db
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// eachProduct runs a test on the newest server of each product, started for it alone.
func eachProduct(t *testing.T, o servertest.Options, test func(t *testing.T, s *mysqltest.Server)) {
	t.Helper()
	for _, product := range []string{mysqltest.MySQL, mysqltest.MariaDB} {
		t.Run(product, func(t *testing.T) { test(t, mysqltest.Start(t, product, mysqltest.Config{Options: o})) })
	}
}

func TestPlainTextIsNeverAnAccident(t *testing.T) {
	eachProduct(t, servertest.NoTLS(), func(t *testing.T, s *mysqltest.Server) {
		w := &world{server: s, roots: x509.NewCertPool()}
		l := w.login(s.AdminUser, s.AdminPassword)
		mark := s.Mark()
		if _, err := mysql.Driver.Connect(t.Context(), l); !errors.Is(err, database.ErrNoTLS) {
			t.Errorf("got %v", err)
		}
		if strings.Contains(s.LogSince(mark), s.AdminUser) {
			t.Error("something was sent")
		}
		l.TLS = nil
		if err := w.open(t, l).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAServerThatWantsTLSSaysSo(t *testing.T) {
	eachProduct(t, servertest.Options{Settings: map[string]string{"require-secure-transport": "ON"}}, func(t *testing.T, s *mysqltest.Server) {
		w := &world{server: s}
		l := w.login(s.AdminUser, s.AdminPassword)
		l.TLS = nil
		_, err := mysql.Driver.Connect(t.Context(), l)
		wantClass(t, err, rotation.TLS, "ssl")
	})
}

func TestABadCertificateEndsTheConnection(t *testing.T) {
	for name, fault := range map[string]localtls.Fault{"expired": localtls.Expired, "wrong name": localtls.WrongName, "other CA": localtls.OtherCA} {
		t.Run(name, func(t *testing.T) {
			eachProduct(t, servertest.Faulty(fault), func(t *testing.T, s *mysqltest.Server) {
				w := &world{server: s, roots: x509.NewCertPool()}
				w.roots.AppendCertsFromPEM(s.CA)
				mark := s.Mark()
				_, err := mysql.Driver.Connect(context.Background(), w.login(s.AdminUser, s.AdminPassword))
				var verification *tls.CertificateVerificationError
				if !errors.As(err, &verification) {
					t.Error(err)
				}
				if strings.Contains(s.LogSince(mark), s.AdminUser) {
					t.Error("the login was sent")
				}
			})
		})
	}
}

func TestAnExpiredPasswordIsSetAgain(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts = []string{"%"}
		some := strategies
		if isMariaDB(w.server) {
			some = some[:1] // an administrator sets a new password all the same
		}
		for _, s := range some {
			user := w.user(t, "", firstPassword)
			account := quoteName(user) + "@`%`"
			w.exec(t, "ALTER USER "+account+" PASSWORD EXPIRE")
			r := w.rotations(t, user, firstPassword)
			r.Config.Strategy = s
			for _, err := range []error{r.Preflight(t), r.Rotate(t)} {
				databasetest.Wants(t, err, rotation.PasswordExpired, "once more (ALTER USER with IDENTIFIED BY)")
			}
			w.exec(t, "ALTER USER "+account+" PASSWORD EXPIRE NEVER") // which does not help
			databasetest.Wants(t, r.Rotate(t), rotation.PasswordExpired)
			w.exec(t, "ALTER USER "+account+" IDENTIFIED BY "+quoteText(firstPassword))
			r.Must(t)
			w.helped(t, rotation.PasswordExpired)
		}
	})
}
