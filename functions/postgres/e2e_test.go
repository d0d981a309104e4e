package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// A slow Secrets Manager shows which calls are made at one time, step by step.
func TestWhatAStepNeedsIsReadAtOnce(t *testing.T) {
	s := postgrestest.Newest(t)
	slow := func(string, int) *local.Fault { return &local.Fault{Delay: 250 * time.Millisecond} }
	for by, widest := range map[string][]int{"single-user": {2, 3, 2, 2}, "single-user-by-administrator": {2, 3, 2, 2}, "alternating-users": {2, 3, 2, 2}} {
		t.Run(by, func(t *testing.T) {
			w := newWorld(t, build(t), s, local.Options{Intercept: slow})
			f := w.start(t, "ROTATION_STRATEGY", by)
			arn := w.secret(t, "app", w.document(w.role(t, "app", firstPassword), firstPassword).with(document{"masterarn": w.masterARN}))
			n := must(w.Rotate(t.Context(), arn, f))(t)
			if len(n.Steps) != len(widest) {
				t.Fatalf("%d steps", len(n.Steps))
			}
			if warm := must(w.Rotate(t.Context(), arn, f))(t); warm.NewConnections > 0 {
				t.Errorf("a warm rotation opened %d connections to Secrets Manager", warm.NewConnections)
			}
			for i, s := range n.Steps {
				if s.Concurrent() != widest[i] {
					t.Errorf("%s made %d calls at one time, of %v; want %d", s.Name, s.Concurrent(), s.Operations(), widest[i])
				}
			}
		})
	}
}

func TestACABundleMayBeAFile(t *testing.T) {
	s := postgrestest.Newest(t)
	w := newWorld(t, build(t), s, local.Options{})
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	arn := w.secret(t, "app", w.document(w.role(t, "app", firstPassword), firstPassword))
	if _, err := w.Rotate(t.Context(), arn, w.start(t, "CA_BUNDLE", path)); err != nil {
		t.Error(err)
	}
}

func TestWeakPasswordsAreTakenAndTold(t *testing.T) {
	w := newWorld(t, build(t), postgrestest.Newest(t), local.Options{})
	arn := w.secret(t, "app", w.document(w.role(t, "app", firstPassword), firstPassword))
	f := w.start(t, "PASSWORD_LENGTH", "16")
	if _, err := w.Rotate(t.Context(), arn, f); err != nil {
		t.Error(err)
	}
	if !strings.Contains(f.Log(), "raise PASSWORD_LENGTH") {
		t.Errorf("the log says\n%s", f.Log())
	}
}
