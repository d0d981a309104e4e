package functiontest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local/rig"
)

// RunInProcess rotates with the engine and the driver in the test's own process, where goroutines can be counted and
// the race detector looks on. It lets logins fail, finds the server down and, in a full sweep ([rotationtest.WantedSweep]),
// cuts a connection at each point of a rotation in turn; whatever happens, nobody is locked out, the next attempt ends well, and no goroutine
// and no connection stays.
func RunInProcess(t *testing.T, h Harness, driver database.Driver) {
	h = h.oneAtATime()
	for _, by := range strategies() {
		t.Run(by, func(t *testing.T) {
			labs := lanes(t, func(t *testing.T) *lab {
				l := h.lab(t, by, driver)
				l.rotate(t, "") // what stays for good is there now
				return l
			})
			before := runtime.NumGoroutine()
			points := 0
			if rotationtest.WantedSweep() == rotationtest.FullSweep {
				points = sweep(t, labs, newQueue(newTurns("database", "asked", "answered")), func(t *testing.T, l *lab, point string) int { return l.rotate(t, point) })
			}
			labs[0].refused(t)
			labs[0].unreachable(t)
			labs[0].settle(t, before)
			h.log(t, "cut-off-anywhere/in-process", by, "points", points)
		})
	}
}

// A lab is an engine with a driver whose connections can be cut.
type lab struct {
	Harness
	by       string
	points   rig.Points
	database *rig.Proxy
	store    rotationtest.Store
	engine   *rotation.Engine
	users    int
}

func (h Harness) lab(t *testing.T, by string, driver database.Driver) *lab {
	t.Helper()
	l := &lab{Harness: h, by: by}
	var err error
	if l.database, err = rig.NewProxy("database", h.Address, &l.points); err != nil {
		t.Fatal(err)
	}
	closing(t, l.database)
	strategy, err := database.ParseStrategy(by)
	if err != nil {
		t.Fatal(err)
	}
	generator, err := password.New(password.Default(), driver.Password)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(h.Env["CA_BUNDLE"]))
	rotator, err := database.New(database.Config{Driver: driver, Strategy: strategy, Password: generator.Generate,
		Roots: func() (*x509.CertPool, error) { return roots, nil }})
	if err != nil {
		t.Fatal(err)
	}
	l.engine = &rotation.Engine{Store: &l.store, Rotator: rotator, Clock: &rotationtest.Clock{}, Log: slog.New(slog.DiscardHandler), Public: driver.Fields}
	return l
}

// user makes a user with its secrets.
func (l *lab) user(t *testing.T) (f Fixture, id string) {
	t.Helper()
	l.users++
	f, id = l.New(t), fmt.Sprint("user", l.users)
	through := func(d secret.Document) secret.Document {
		return d.With("host", "127.0.0.1").With("port", fmt.Sprint(l.database.Port))
	}
	l.store.Add(id+"admin", through(f.Administrator))
	l.store.Add(id, through(f.User).With("masterarn", id+"admin"))
	return f, id
}

// rotate rotates a new user with a connection cut at the point, if it is not empty: twice where users alternate.
func (l *lab) rotate(t *testing.T, point string) (reached int) {
	t.Helper()
	f, id := l.user(t)
	versions := []string{"v1"}
	if l.by == alternating {
		versions = append(versions, "v2")
	}
	for _, version := range versions {
		l.points.Arm(point, func() bool { return false })
		err := rotationtest.Rotate(t.Context(), l.engine, &l.store, id, version)
		if err != nil {
			if !l.works(t, f, id, rotation.Current) && (l.by == alternating || !l.works(t, f, id, rotation.Pending)) {
				t.Fatalf("cut off at %s, locked out: %v", point, err)
			}
			err = rotationtest.Rotate(t.Context(), l.engine, &l.store, id, version)
		}
		if err != nil || !l.works(t, f, id, rotation.Current) {
			t.Fatalf("cut off at %s, the next attempt did not rotate: %v", point, err)
		}
		l.idle(t)
		if l.points.Fired() {
			reached++
		}
	}
	return reached
}

func (l *lab) idle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := l.database.Idle(ctx); err != nil {
		t.Fatal(err)
	}
}

func (l *lab) works(t *testing.T, f Fixture, id, label string) bool {
	t.Helper()
	d := l.store.Value(id, label)
	_, err := f.Login(t.Context(), d.Text("username"), d.Text("password"))
	return err == nil
}

// refused rotates secrets with a wrong password.
func (l *lab) refused(t *testing.T) {
	t.Helper()
	for range 3 {
		_, id := l.user(t)
		l.store.Write(id, "v0", l.store.Value(id, rotation.Current).With("password", "not-the-password"))
		if rotationtest.Rotate(t.Context(), l.engine, &l.store, id, "v1") == nil {
			t.Error("a wrong password was good enough")
		}
	}
	l.idle(t)
}

// unreachable rotates a secret of a server that is down: the engine tries again, waits longer each time, and gives up by
// itself with the class that says so. The clock is the test's, so that nobody waits.
func (l *lab) unreachable(t *testing.T) {
	t.Helper()
	_, id := l.user(t)
	l.store.Write(id, "v0", l.store.Value(id, rotation.Current).With("port", nowhere(t)))
	begin := l.engine.Clock.Now()
	err := rotationtest.Rotate(t.Context(), l.engine, &l.store, id, "v1")
	var e *rotation.Error
	if !errors.As(err, &e) || e.Class != rotation.Unreachable || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a server that is down: got %v", err)
	}
	if waited := l.engine.Clock.Now().Sub(begin); waited < 5*time.Second {
		t.Errorf("the engine gave up after %v", waited)
	}
}

// settle waits until there are no more goroutines than before: those that have done their work may still be ending.
func (l *lab) settle(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if now := runtime.NumGoroutine(); now > before {
		var all strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&all, 1)
		t.Errorf("there were %d goroutines, and are %d:\n%s", before, now, all.String())
	}
}
