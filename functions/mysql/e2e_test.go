package main_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/rig"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// A strategy and what a healthy rotation by it costs.
type strategy struct {
	name   string
	calls  int // to Secrets Manager
	logins int
}

var strategies = []strategy{
	{"single-user", 11, 2},
	{"single-user-by-administrator", 12, 3},
	{"alternating-users", 13, 4},
}

// build makes the binary that the tests drive, once, beside the test binary: go test removes both.
var build = sync.OnceValues(func() (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	return rig.Build(context.Background(), ".", binary+".function")
})

// A world is a server, an application's user on it and its secret, and a running function.
type world struct {
	*rig.Rig
	server   *mysqltest.Server
	admin    *sql.DB
	function *rig.Function
	arn      string
}

const firstPassword = `first " ' \ password`

// document is the value of a secret.
func document(s *mysqltest.Server, user, password, masterARN string) string {
	text, _ := json.Marshal(map[string]any{"engine": "mysql", "host": s.Host, "port": s.Port, "username": user, "password": password, "masterarn": masterARN})
	return string(text)
}

// newWorld makes the user app with some rights. In grants, %s is its account.
func newWorld(t *testing.T, s *mysqltest.Server, by string, grants ...string) *world {
	t.Helper()
	bootstrap, err := build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.Name())
		}
	})
	w := &world{server: s}
	if w.Rig, err = rig.Open(local.Options{Retries: -1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Rig.Close() })
	if w.admin, err = s.Admin(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.admin.Close() })
	w.exec(t, "DROP USER IF EXISTS app@'%'", "DROP USER IF EXISTS app_clone@'%'",
		"CREATE USER app@'%' IDENTIFIED BY 'first \" '' \\\\ password'")
	for _, g := range grants {
		w.exec(t, strings.ReplaceAll(g, "%s", "app@'%'"))
	}
	masterARN, err := w.CreateSecret(t.Context(), "admin", document(s, s.AdminUser, s.AdminPassword, ""))
	if err != nil {
		t.Fatal(err)
	}
	if w.arn, err = w.CreateSecret(t.Context(), "app", document(s, "app", firstPassword, masterARN)); err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	w.function, err = w.Start(local.FunctionConfig{Bootstrap: bootstrap, Env: map[string]string{"ROTATION_STRATEGY": by, "CA_BUNDLE": ca}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := w.admin.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

type login struct{ Username, Password string }

// read is the login in the secret's version with a label.
func (w *world) read(t *testing.T, stage string) (l login) {
	t.Helper()
	text, err := w.Value(t.Context(), w.arn, stage)
	if err == nil {
		err = json.Unmarshal([]byte(text), &l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// accepts logs in and runs a statement.
func (w *world) accepts(t *testing.T, l login, statement string) bool {
	t.Helper()
	db, err := w.server.Connect(t.Context(), l.Username, l.Password, "")
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(t.Context(), statement)
	if err != nil {
		t.Logf("%s: %v", statement, err)
	}
	return err == nil
}

// wantRotation rotates once and checks what it cost, and that nobody saw the new password.
func (w *world) wantRotation(t *testing.T, calls, logins, refused int) (old, current login) {
	t.Helper()
	old = w.read(t, "AWSCURRENT")
	mark := w.server.Mark()
	n, err := w.Rotate(t.Context(), w.arn, w.function)
	if err != nil {
		t.Fatalf("%v\n%s", err, w.function.Log())
	}
	if n.Calls() > calls {
		t.Errorf("%d calls to Secrets Manager, want %d", n.Calls(), calls)
	}
	if a, r := w.server.LoginsSince(mark); w.server.HasLog() && (a != logins || r != refused) {
		t.Errorf("%d logins and %d refused, want %d and %d", a, r, logins, refused)
	}
	current = w.read(t, "AWSCURRENT")
	if current.Password == old.Password {
		t.Error("the password is the old one")
	}
	for where, text := range map[string]string{"the server's": w.server.LogSince(mark), "the function's": w.function.Log()} {
		if strings.Contains(text, current.Password) || strings.Contains(text, old.Password) {
			t.Errorf("a password is in %s log", where)
		}
	}
	return old, current
}

func TestThreeRotationsInARow(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		for _, by := range strategies {
			t.Run(by.name, func(t *testing.T) { threeRotations(t, s, by) })
		}
	})
}

func threeRotations(t *testing.T, s *mysqltest.Server, by strategy) {
	grants, probe := []string{"GRANT SELECT ON `shop`.* TO %s"}, "SELECT 1"
	if s.Real {
		probe = "SELECT * FROM shop.orders"
	}
	w := newWorld(t, s, by.name, grants...)
	if s.Real {
		w.exec(t, "CREATE OR REPLACE DATABASE shop", "CREATE TABLE shop.orders (id int)")
	}
	logins, refused := by.logins, 0
	if !s.Real && by.name == "single-user-by-administrator" { // MySQL 8: an administrator may keep old passwords
		refused = 1
	}
	for n := range 3 {
		old, current := w.wantRotation(t, by.calls, logins, refused)
		if !w.accepts(t, current, probe) {
			t.Errorf("rotation %d: the new login does not work", n)
		}
		keeps := by.name == "alternating-users" || refused > 0
		if w.accepts(t, old, probe) != keeps {
			t.Errorf("rotation %d: the old login works: %v", n, !keeps)
		}
	}
	noOverlap := by.name != "alternating-users" && refused == 0
	if told := strings.Contains(w.function.Log(), "stops working at once"); told != noOverlap {
		t.Errorf("the log says that there is no overlap: %v\n%s", told, w.function.Log())
	}
}

// The wire-level server stands in for MySQL 8: it keeps old passwords.
func TestASingleUserRotatesWithoutAGapWhereTheServerKeepsTheOldPassword(t *testing.T) {
	for _, version := range []string{"8.0.36", "9.1.0"} {
		t.Run(version, func(t *testing.T) {
			s := wire(t, version)
			w := newWorld(t, s, "single-user", "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
			for n := range 3 {
				old, current := w.wantRotation(t, 11, 2, 1)
				if !w.accepts(t, current, "SELECT 1") || !w.accepts(t, old, "SELECT 1") {
					t.Errorf("rotation %d: one of the two passwords does not work", n)
				}
			}
		})
	}
}

func wire(t *testing.T, version string) *mysqltest.Server {
	t.Helper()
	s, err := mysqltest.StartWire(mysqltest.Config{Wire: mysqltest.WireConfig{Version: version}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// The reply to ALTER USER ... RETAIN CURRENT PASSWORD is lost: the function tries again by itself, and must not drop
// AWSCURRENT's password by setting the pending one twice.
func TestALostReplyDoesNotDropTheCurrentPassword(t *testing.T) {
	s := wire(t, "8.4.3")
	w := newWorld(t, s, "single-user", "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
	s.Wire().DropReply("RETAIN CURRENT PASSWORD")
	n, err := w.Rotate(t.Context(), w.arn, w.function)
	if err != nil {
		t.Fatalf("%v\n%s", err, w.function.Log())
	}
	current := w.read(t, "AWSCURRENT")
	if primary, secondary := s.Wire().Passwords("app", "%"); primary != current.Password || secondary != firstPassword {
		t.Error("the passwords of the account are not the new and the old one")
	}
	if got := strings.Count(s.Log(), "RETAIN CURRENT PASSWORD"); got != 1 {
		t.Errorf("the password was set %d times", got)
	}
	if len(n.Steps) != 4 {
		t.Errorf("%d steps", len(n.Steps))
	}
}

// What may go wrong is told apart, and AWSCURRENT goes on working.
func TestFailuresAreNamed(t *testing.T) {
	for _, c := range []struct {
		name, class string
		fault       func(*mysqltest.Wire)
	}{
		{"read-only", "Rotation.ReadOnly", func(w *mysqltest.Wire) { w.SetReadOnly(true) }},
		{"full", "Rotation.TooManyConnections", func(w *mysqltest.Wire) { w.SetMaxConnections(1) }},
		{"policy", "Rotation.PasswordRejected", func(w *mysqltest.Wire) {
			w.Answer("IDENTIFIED BY", 1819, "Your password does not satisfy the current policy requirements")
		}},
		{"locked", "Rotation.AccountLocked", func(w *mysqltest.Wire) {
			w.Answer("", 3118, "Access denied for user 'app'@'127.0.0.1'. Account is locked.")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := wire(t, "8.0.36")
			w := newWorld(t, s, "single-user")
			c.fault(s.Wire())
			_, err := w.Rotate(t.Context(), w.arn, w.function)
			if got := rig.ErrorType(err); got != c.class {
				t.Errorf("got %v", err)
			}
			s.Wire().SetMaxConnections(0)
			s.Wire().Answer("", 0, "")
			if !w.accepts(t, login{"app", firstPassword}, "SELECT 1") {
				t.Error("the current password no longer works")
			}
		})
	}
}
