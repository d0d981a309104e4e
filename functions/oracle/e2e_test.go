package main_test

import (
	"archive/zip"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/localtls"
	"github.com/seed492efc12/rotor/framework/local/rig"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

const (
	first = `First0&<>$%='?[]^_{|}~\`
	pkg   = "github.com/seed492efc12/rotor/functions/oracle"
)

// build makes the binary that is deployed, and buildStandIn the one that speaks to the stand-in, once, beside the test
// binary: go test removes all.
var (
	build        = sync.OnceValues(func() (string, error) { return buildOf(pkg, ".function") })
	buildStandIn = sync.OnceValues(func() (string, error) { return buildOf(pkg+"/testdata/standin", ".standin") })
)

func buildOf(pkg, suffix string) (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	return rig.Build(context.Background(), pkg, binary+suffix)
}

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

// A world is what one test has for itself: a stand-in, a Secrets Manager, and two secrets.
type world struct {
	*rig.Rig
	server    *oracletest.Server
	arn       string // the user's secret
	passwords []string
	functions []*rig.Function
}

func newWorld(t *testing.T, c oracletest.Config) *world {
	t.Helper()
	s := must(oracletest.Start(c))(t)
	t.Cleanup(func() { _ = s.Close() })
	w := &world{Rig: must(rig.Open(local.Options{Retries: -1}))(t), server: s}
	t.Cleanup(func() { w.finish(t) })
	if err := s.Exec(`CREATE USER APP IDENTIFIED BY "`+first+`" QUOTA UNLIMITED ON USERS`, `GRANT CREATE SESSION TO APP`, `GRANT CREATE TABLE TO APP WITH ADMIN OPTION`); err != nil {
		t.Fatal(err)
	}
	admin := w.secret(t, "administrator", s.AdminUser, s.AdminPassword, "", s.Port)
	w.arn = w.secret(t, "app", "app", first, admin, s.Port)
	return w
}

// finish closes the rig, and searches all that the functions wrote for what must not be there.
func (w *world) finish(t *testing.T) {
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for _, f := range w.functions {
		for _, secret := range append(w.RotationTokens(), w.passwords...) {
			quoted, _ := json.Marshal(secret)
			if log := f.Log(); strings.Contains(log, secret) || strings.Contains(log, strings.Trim(string(quoted), `"`)) {
				t.Errorf("a password or a RotationToken is in\n%s", log)
			}
		}
	}
}

func (w *world) secret(t *testing.T, name, user, password, masterARN string, port int) (arn string) {
	t.Helper()
	w.passwords = append(w.passwords, password)
	value := must(json.Marshal(map[string]any{
		"engine": "oracle", "host": servertest.Host, "port": port, "dbname": oracletest.Service,
		"username": user, "password": password, "masterarn": masterARN,
	}))(t)
	return must(w.CreateSecret(t.Context(), name, string(value)))(t)
}

func (w *world) start(t *testing.T, bootstrap, strategy string) *rig.Function {
	t.Helper()
	f := must(w.Start(local.FunctionConfig{Bootstrap: bootstrap, Name: fmt.Sprint("function", len(w.functions)), Timeout: patience,
		Env: map[string]string{"ROTATION_STRATEGY": strategy, "CA_BUNDLE": string(w.server.CA), "CONNECT_TIMEOUT": "1"}}))(t)
	w.functions = append(w.functions, f)
	return f
}

// patience is the function's time: the engine goes on trying what may pass by itself until it is over, or until it has
// tried often enough.
const patience = 15 * time.Second

type login struct{ Username, Password string }

func (w *world) current(t *testing.T) (l login) {
	t.Helper()
	if err := json.Unmarshal([]byte(must(w.Value(t.Context(), w.arn, "AWSCURRENT"))(t)), &l); err != nil {
		t.Fatal(err)
	}
	w.passwords = append(w.passwords, l.Password)
	return l
}

var strategies = []struct {
	name          string
	calls, logins int
}{{"single-user", 11, 2}, {"single-user-by-administrator", 12, 3}, {"alternating-users", 13, 4}}

func TestThreeRotationsInARow(t *testing.T) {
	for _, by := range strategies {
		t.Run(by.name, func(t *testing.T) {
			w := newWorld(t, oracletest.Config{})
			f := w.start(t, must(buildStandIn())(t), by.name)
			history := []login{w.current(t)}
			for range 3 {
				mark := w.server.Mark()
				n := must(w.Rotate(t.Context(), w.arn, f))(t)
				if n.Calls() > by.calls {
					t.Errorf("%d calls to Secrets Manager, want at most %d", n.Calls(), by.calls)
				}
				if accepted, refused := w.server.LoginsSince(mark); accepted != by.logins || refused != 0 {
					t.Errorf("%d logins and %d refused, want %d and 0", accepted, refused, by.logins)
				}
				history = append(history, w.current(t))
			}
			for i, l := range slices.Backward(history) {
				age := len(history) - 1 - i
				err := w.server.As(t.Context(), l.Username, l.Password)
				if valid := age == 0 || age == 1 && by.name == "alternating-users"; (err == nil) != valid {
					t.Errorf("the password of %d rotations ago: %v", age, err)
				}
			}
		})
	}
}

func TestATrialRunsThePreflight(t *testing.T) {
	w := newWorld(t, oracletest.Config{})
	for _, by := range strategies {
		if _, err := w.Try(t.Context(), w.arn, w.start(t, must(buildStandIn())(t), by.name)); err != nil {
			t.Errorf("%s: %v", by.name, err)
		}
	}
	if l := w.current(t); l.Password != first || w.server.As(t.Context(), "app", first) != nil {
		t.Error("the trial changed the password")
	}
}

func TestServersThatCannotBeTrustedGetNoPassword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config oracletest.Config
		says   string
	}{
		{oracletest.Config{Options: servertest.NoTLS()}, "2484"},
		{oracletest.Config{Mute: true}, "2484"},
		{oracletest.Config{Options: servertest.Faulty(localtls.OtherCA)}, "CA_BUNDLE"},
		{oracletest.Config{Options: servertest.Faulty(localtls.Expired)}, "Renew"},
		{oracletest.Config{Options: servertest.Faulty(localtls.WrongName)}, "tlsServerName"},
	} {
		w := newWorld(t, c.config)
		for i, bootstrap := range []string{must(buildStandIn())(t), must(build())(t)} { // the deployed one ends before the protocol matters
			arn := w.secret(t, fmt.Sprint("again", i), "app", first, "", w.server.Port)
			_, err := w.Rotate(t.Context(), arn, w.start(t, bootstrap, "single-user"))
			if rig.ErrorType(err) != "Rotation.TLS" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%+v: got %v", c.config, err)
			}
		}
	}
}

// The function that is deployed can be tried without an Oracle up to where it would need one.
func TestTheDeployedFunctionNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	silent := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = silent.Close() })
	closed := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	_ = closed.Close()
	port := func(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
	w := newWorld(t, oracletest.Config{})
	f := w.start(t, must(build())(t), "single-user")
	for name, c := range map[string]struct {
		user, password string
		port           int
		class, says    string
	}{
		"silent":        {"app", first, port(silent), "Rotation.Unreachable", "CONNECT_TIMEOUT"},
		"closed":        {"app", first, port(closed), "Rotation.Unreachable", "refused"},
		"a common user": {"c##app", first, port(closed), "Rotation.BadSecret", "common user"},
		"no password":   {"app", "", port(closed), "Rotation.BadSecret", "password"},
	} {
		arn := w.secret(t, strings.ReplaceAll(name, " ", "-"), c.user, c.password, "", c.port)
		if _, err := w.Rotate(t.Context(), arn, f); rig.ErrorType(err) != c.class || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	w.passwords = slices.DeleteFunc(w.passwords, func(p string) bool { return p == "" })
}

func TestPoliciesThatOracleDoesNotTakeStopTheFunction(t *testing.T) {
	r := must(rig.Open(local.Options{}))(t)
	t.Cleanup(func() { _ = r.Close() })
	for name, value := range map[string]string{"PASSWORD_LENGTH": "31", "ROTATION_STRATEGY": "both"} {
		_, err := r.Start(local.FunctionConfig{Bootstrap: must(build())(t), Env: map[string]string{name: value}})
		if rig.ErrorType(err) != "Rotation.BadConfig" || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: got %v", name, value, err)
		}
	}
}

func TestThePackageIsSmall(t *testing.T) {
	source := must(os.Open(must(build())(t)))(t)
	defer source.Close()
	var size counter
	archive := zip.NewWriter(&size)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.DefaultCompression) })
	entry := must(archive.Create("bootstrap"))(t)
	if _, err := io.Copy(entry, source); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d bytes", size); size > 7_000_000 {
		t.Errorf("the package has %d bytes", size)
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
