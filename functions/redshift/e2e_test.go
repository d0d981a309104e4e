package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/localtls"
	"github.com/seed492efc12/rotor/framework/local/rig"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

func TestMain(m *testing.M) { redshifttest.Main(m) }

const first = "First0&<>$%=?[]^_`{|}~"

// build makes the binary that the tests drive, once, beside the test binary: go test removes both.
var build = sync.OnceValues(func() (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	return rig.Build(context.Background(), "github.com/seed492efc12/rotor/functions/redshift", binary+".function")
})

// must is for calls that have to succeed: must(call())(t) is their result.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// A world is what one test has for itself: a sandbox in a server, a Secrets Manager, and an administrator's secret.
type world struct {
	*rig.Rig
	server    *redshifttest.Server
	box       *redshifttest.Sandbox
	app       string // the user
	arn       string // its secret
	passwords []string
	functions []*rig.Function
}

func newWorld(t *testing.T, s *redshifttest.Server) *world {
	t.Helper()
	w := &world{Rig: must(rig.Open(local.Options{Retries: -1}))(t), server: s, box: s.Fresh(t)}
	t.Cleanup(func() { w.finish(t) })
	w.app = w.box.Name("app")
	w.box.Exec(t, `CREATE USER `+w.app+` PASSWORD '`+first+`'`, `GRANT CREATE ON DATABASE `+w.box.Database+` TO `+w.app)
	admin := w.secret(t, "administrator", s.AdminUser, s.AdminPassword, "")
	w.arn = w.secret(t, "app", w.app, first, admin)
	return w
}

// finish closes the rig, and searches all that the functions wrote for what must not be there.
func (w *world) finish(t *testing.T) {
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for _, f := range w.functions {
		w.wantNothingSensitive(t, f.Log())
	}
}

func (w *world) wantNothingSensitive(t *testing.T, text string) {
	t.Helper()
	for _, secret := range append(w.RotationTokens(), w.passwords...) {
		quoted, _ := json.Marshal(secret)
		if strings.Contains(text, secret) || strings.Contains(text, strings.Trim(string(quoted), `"`)) {
			t.Errorf("a password or a RotationToken is in\n%s", text)
		}
	}
}

func (w *world) secret(t *testing.T, name, user, password, masterARN string) (arn string) {
	t.Helper()
	w.passwords = append(w.passwords, password)
	value := must(json.Marshal(map[string]any{
		"engine": "redshift", "host": w.server.Host, "port": w.server.Port, "dbname": w.box.Database,
		"username": user, "password": password, "masterarn": masterARN,
	}))(t)
	return must(w.CreateSecret(t.Context(), name, string(value)))(t)
}

func (w *world) start(t *testing.T, strategy string, ca []byte) *rig.Function {
	t.Helper()
	f := must(w.Start(local.FunctionConfig{Bootstrap: must(build())(t), Name: fmt.Sprint("function", len(w.functions)),
		Env: map[string]string{"ROTATION_STRATEGY": strategy, "CA_BUNDLE": string(ca)}}))(t)
	w.functions = append(w.functions, f)
	return f
}

type login struct{ Username, Password string }

func (w *world) current(t *testing.T) (l login) {
	t.Helper()
	if err := json.Unmarshal([]byte(must(w.Value(t.Context(), w.arn, "AWSCURRENT"))(t)), &l); err != nil {
		t.Fatal(err)
	}
	w.passwords = append(w.passwords, l.Password)
	return l
}

func (w *world) accepts(t *testing.T, l login) bool {
	t.Helper()
	conn, err := w.server.Connect(t.Context(), l.Username, l.Password, w.box.Database)
	if err != nil {
		return false
	}
	_ = conn.Close(t.Context())
	return true
}

var strategies = []struct {
	name          string
	calls, logins int
}{{"single-user", 11, 2}, {"single-user-by-administrator", 12, 3}, {"alternating-users", 13, 4}}

func TestThreeRotationsInARow(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		for _, by := range strategies {
			t.Run(by.name, func(t *testing.T) {
				w := newWorld(t, s)
				f := w.start(t, by.name, s.CA)
				history := []login{w.current(t)}
				begin := s.Mark()
				for range 3 {
					mark := s.Mark()
					n := must(w.Rotate(t.Context(), w.arn, f))(t)
					if n.Calls() > by.calls {
						t.Errorf("%d calls to Secrets Manager, want at most %d", n.Calls(), by.calls)
					}
					if accepted, refused := s.LoginsSince(mark); s.HasLog() && (accepted != by.logins || refused != 0) {
						t.Errorf("%d logins and %d refused, want %d and 0", accepted, refused, by.logins)
					}
					history = append(history, w.current(t))
				}
				w.wantNothingSensitive(t, s.LogSince(begin))
				for i, l := range slices.Backward(history) {
					age := len(history) - 1 - i
					if valid := age == 0 || age == 1 && by.name == "alternating-users"; w.accepts(t, l) != valid {
						t.Errorf("the password of %d rotations ago is accepted: %v", age, !valid)
					}
				}
			})
		}
	})
}

func TestATrialRunsThePreflight(t *testing.T) {
	redshifttest.Each(t, func(t *testing.T, s *redshifttest.Server) {
		w := newWorld(t, s)
		for _, by := range strategies {
			if _, err := w.Try(t.Context(), w.arn, w.start(t, by.name, s.CA)); err != nil {
				t.Errorf("%s: %v", by.name, err)
			}
		}
		if l := w.current(t); l.Password != first || !w.accepts(t, l) {
			t.Error("the trial changed the password")
		}
	})
}

func TestServersThatCannotBeTrustedGetNoPassword(t *testing.T) {
	for _, c := range []struct {
		config redshifttest.Config
		says   string
	}{
		{redshifttest.Config{Options: servertest.NoTLS()}, "Turn TLS on"},
		{redshifttest.Config{Options: servertest.Faulty(localtls.OtherCA)}, "CA_BUNDLE"},
		{redshifttest.Config{Options: servertest.Faulty(localtls.Expired)}, "Renew"},
		{redshifttest.Config{Options: servertest.Faulty(localtls.WrongName)}, "tlsServerName"},
	} {
		s := must(redshifttest.StartWire(c.config))(t)
		t.Cleanup(func() { _ = s.Close() })
		w := &world{Rig: must(rig.Open(local.Options{Retries: -1}))(t), server: s, box: &redshifttest.Sandbox{Server: s, Database: s.Database}}
		t.Cleanup(func() { w.finish(t) })
		w.arn = w.secret(t, "app", s.AdminUser, s.AdminPassword, "")
		_, err := w.Rotate(t.Context(), w.arn, w.start(t, "single-user", s.CA))
		if rig.ErrorType(err) != "Rotation.TLS" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v", err)
		}
	}
}

func TestPoliciesThatRedshiftDoesNotTakeStopTheFunction(t *testing.T) {
	r := must(rig.Open(local.Options{}))(t)
	t.Cleanup(func() { _ = r.Close() })
	for name, value := range map[string]string{"PASSWORD_LENGTH": "65", "EXCLUDE_NUMBERS": "true", "REQUIRE_EACH_INCLUDED_TYPE": "false"} {
		_, err := r.Start(local.FunctionConfig{Bootstrap: must(build())(t), Env: map[string]string{name: value}})
		if rig.ErrorType(err) != "Rotation.BadConfig" || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: got %v", name, value, err)
		}
	}
}
