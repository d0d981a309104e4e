package main_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A world is a server of its own with an application's user and its secret, and a running function.
type world struct {
	*rig.Rig
	server   *mysqltest.Server
	admin    *sql.DB
	function *rig.Function
	arn      string
}

// exec runs statements as the administrator, who gets in when nobody else does.
func (w *world) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := w.admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// newWorldOn makes the user app on a server that is the test's own.
func newWorldOn(t *testing.T, s *mysqltest.Server) *world {
	t.Helper()
	w := &world{server: s}
	var err error
	if w.Rig, err = rig.Open(local.Options{Retries: -1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Rig.Close() })
	admin, err := s.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	w.admin = admin
	w.exec(t, "CREATE USER app@'%' IDENTIFIED BY "+firstPasswordSQL)
	doc := harnesstest.Secret(t, map[string]any{"engine": "mysql", "host": s.Host, "port": s.Port, "username": "app", "password": firstPassword})
	if w.arn, err = w.CreateSecret(t.Context(), "app", string(doc.Bytes())); err != nil {
		t.Fatal(err)
	}
	w.function, err = w.Start(local.FunctionConfig{Bootstrap: functiontest.Bootstrap(t, pkg), Timeout: 3 * time.Second, Env: map[string]string{"CA_BUNDLE": string(s.CA)}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// What may go wrong is told apart, and AWSCURRENT goes on working.
func TestFailuresAreNamed(t *testing.T) {
	for _, c := range []struct{ name, class, begin, end string }{
		{"read-only", "Rotation.ReadOnly", "SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"},
		{"full", "Rotation.TooManyConnections", "SET GLOBAL max_connections = 1", "SET GLOBAL max_connections = 60"},
		{"policy", "Rotation.PasswordRejected", "INSTALL COMPONENT 'file://component_validate_password'", "UNINSTALL COMPONENT 'file://component_validate_password'"},
		{"locked", "Rotation.AccountLocked", "ALTER USER app@'%' ACCOUNT LOCK", "ALTER USER app@'%' ACCOUNT UNLOCK"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorldOn(t, mysqltest.Start(t, mysqltest.MySQL, mysqltest.Config{}))
			w.exec(t, c.begin)
			if c.name == "policy" {
				w.exec(t, "SET GLOBAL validate_password.length = 100") // longer than what the function makes
			}
			_, err := w.Rotate(t.Context(), w.arn, w.function)
			if got := rig.ErrorType(err); got != c.class {
				t.Errorf("got %v", err)
			}
			w.exec(t, c.end)
			db, err := w.server.Connect(t.Context(), "app", firstPassword, "")
			if err != nil {
				t.Fatalf("the current password no longer works: %v", err)
			}
			_ = db.Close()
		})
	}
}
