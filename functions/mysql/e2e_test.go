package main_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/functiontest"
	"github.com/seed492efc12/rotor/framework/local/rig"
	"github.com/seed492efc12/rotor/internal/harnesstest"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A world is an imitation, for what no real server does on demand, with an application's user and its secret, and a
// running function.
type world struct {
	*rig.Rig
	server   *mysqltest.Server
	function *rig.Function
	arn      string
}

// newWorld makes the user app with grants, in which %s is its account.
func newWorld(t *testing.T, version string, grants ...string) *world {
	t.Helper()
	s, err := mysqltest.StartWire(mysqltest.Config{Wire: mysqltest.WireConfig{Version: version}})
	w := &world{server: servertest.ForTest(t, s, err)}
	if w.Rig, err = rig.Open(local.Options{Retries: -1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Rig.Close() })
	admin, err := s.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() }) // until then it is one of the server's connections
	for _, statement := range append([]string{"CREATE USER %s IDENTIFIED BY " + firstPasswordSQL}, grants...) {
		if _, err := admin.ExecContext(t.Context(), strings.ReplaceAll(statement, "%s", "app@'%'")); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	doc := harnesstest.Secret(t, map[string]any{"engine": "mysql", "host": s.Host, "port": s.Port, "username": "app", "password": firstPassword})
	if w.arn, err = w.CreateSecret(t.Context(), "app", string(doc.Bytes())); err != nil {
		t.Fatal(err)
	}
	w.function, err = w.Start(local.FunctionConfig{Bootstrap: functiontest.Bootstrap(t, pkg), Timeout: 2 * time.Second, Env: map[string]string{"CA_BUNDLE": string(s.CA)}})
	if err != nil {
		t.Fatal(err)
	}
	return w
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

// accepts logs in.
func (w *world) accepts(t *testing.T, l login) bool {
	t.Helper()
	db, err := w.server.Connect(t.Context(), l.Username, l.Password, "")
	if err != nil {
		return false
	}
	return db.Close() == nil
}

// The reply to ALTER USER ... RETAIN CURRENT PASSWORD is lost: the function tries again by itself, and must not drop
// AWSCURRENT's password by setting the pending one twice.
func TestALostReplyDoesNotDropTheCurrentPassword(t *testing.T) {
	w := newWorld(t, "8.4.3", "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
	s := w.server
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
			w := newWorld(t, "8.0.36")
			s := w.server
			c.fault(s.Wire())
			_, err := w.Rotate(t.Context(), w.arn, w.function)
			if got := rig.ErrorType(err); got != c.class {
				t.Errorf("got %v", err)
			}
			s.Wire().SetMaxConnections(0)
			s.Wire().Answer("", 0, "")
			if !w.accepts(t, login{"app", firstPassword}) {
				t.Error("the current password no longer works")
			}
		})
	}
}
