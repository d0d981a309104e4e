package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/rig"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// A strategy and what a healthy rotation by it costs.
type strategy struct {
	name   string
	calls  int // to Secrets Manager
	logins int
	widest []int // the calls made at one time, by step
	caPath bool  // CA_BUNDLE is a path, not PEM text
}

var strategies = []strategy{
	{name: "single-user", calls: 11, logins: 2, widest: []int{2, 3, 2, 2}, caPath: true},
	{name: "single-user-by-administrator", calls: 12, logins: 3, widest: []int{2, 3, 2, 2}},
	{name: "alternating-users", calls: 13, logins: 4, widest: []int{2, 3, 3, 2}},
}

// alternates tells whether the old password stays valid until its user's next turn.
func (s strategy) alternates() bool { return s.name == "alternating-users" }

func TestThreeRotationsInARow(t *testing.T) {
	bootstrap := build(t)
	postgrestest.Each(t, func(t *testing.T, s *postgrestest.Server) {
		for _, by := range strategies {
			t.Run(by.name, func(t *testing.T) { threeRotations(t, bootstrap, s, by) })
		}
	})
}

func threeRotations(t *testing.T, bootstrap string, s *postgrestest.Server, by strategy) {
	// A slow Secrets Manager shows which calls are made at one time.
	slow := func(string, int) *local.Fault { return &local.Fault{Delay: 10 * time.Millisecond} }
	w := newWorld(t, bootstrap, s, local.Options{Intercept: slow})
	ca := string(s.CA)
	if by.caPath {
		ca = filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := w.start(t, "ROTATION_STRATEGY", by.name, "CA_BUNDLE", ca)
	arn := w.secret(t, "app", w.document(w.role(t, "app", firstPassword), firstPassword).with(document{"masterarn": w.masterARN}))
	begin := s.Mark()
	history := []login{w.read(t, arn, "AWSCURRENT")}
	for i := range 3 {
		mark := s.Mark()
		n, err := w.Rotate(t.Context(), arn, f)
		if err != nil {
			t.Fatal(err)
		}
		wantCosts(t, n, by, i > 0)
		wantLogins(t, s, mark, by.logins)
		history = append(history, w.read(t, arn, "AWSCURRENT"))
		w.wantTurn(t, history, by)
	}
	if !s.HasLog() {
		t.Logf("not covered: the log of %s is out of reach", s.Name())
	}
	w.wantNothingSensitive(t, s.LogSince(begin))
	steps := metrics(t, f.Log())
	one := []string{"createSecret", "setSecret", "testSecret", "finishSecret"}
	if want := slices.Concat(one, one, one); !slices.Equal(steps, want) {
		t.Errorf("metrics of the steps %v", steps)
	}
}

// wantCosts checks what a rotation asked of Secrets Manager.
func wantCosts(t *testing.T, n rig.Rotation, by strategy, warm bool) {
	t.Helper()
	if n.Calls() > by.calls {
		t.Errorf("%d calls to Secrets Manager, want at most %d", n.Calls(), by.calls)
	}
	if warm && n.NewConnections > 0 {
		t.Errorf("a warm rotation opened %d connections to Secrets Manager", n.NewConnections)
	}
	if len(n.Steps) != len(by.widest) {
		t.Fatalf("%d steps", len(n.Steps))
	}
	for i, s := range n.Steps {
		if s.Concurrent() != by.widest[i] {
			t.Errorf("%s made %d calls at one time, of %v; want %d", s.Name, s.Concurrent(), s.Operations(), by.widest[i])
		}
		for _, q := range s.Requests {
			if q.RotationToken != (q.Operation == "PutSecretValue") {
				t.Errorf("%s with RotationToken: %v", q.Operation, q.RotationToken)
			}
		}
	}
}

func wantLogins(t *testing.T, s *postgrestest.Server, since servertest.Mark, want int) {
	t.Helper()
	if accepted, refused := s.LoginsSince(since); s.HasLog() && (accepted != want || refused != 0) {
		t.Errorf("%d logins and %d refused, want %d and 0", accepted, refused, want)
	}
}

// wantTurn checks which of the passwords that a secret has had work.
func (w *world) wantTurn(t *testing.T, history []login, by strategy) {
	t.Helper()
	for age, l := range slices.Backward(history) {
		age = len(history) - 1 - age
		valid := age == 0 || age == 1 && by.alternates()
		if got := w.accepts(t, l); got != valid {
			t.Errorf("after %d rotations, the password of %d rotations ago is accepted: %v", len(history)-1, age, got)
		}
	}
}

func TestATrialRunsThePreflight(t *testing.T) {
	bootstrap, s := build(t), best(t)
	for _, by := range strategies {
		t.Run(by.name, func(t *testing.T) {
			w := newWorld(t, bootstrap, s, local.Options{})
			f := w.start(t, "ROTATION_STRATEGY", by.name)
			app := w.role(t, "app", firstPassword)
			good := w.document(app, firstPassword).with(document{"masterarn": w.masterARN})
			arn := w.secret(t, "good", good)
			before := w.state(t, arn)
			if _, err := w.Try(t.Context(), arn, f); err != nil {
				t.Error(err)
			}
			w.wantUnwritten(t, before)
			wrong := w.secret(t, "wrong", good.with(document{"password": wrongPassword}))
			w.wantTrialFails(t, wrong, f, "Rotation.LoginRefused")
			if by.name != "single-user" {
				alone := w.secret(t, "alone", good.with(document{"masterarn": nil}))
				w.wantTrialFails(t, alone, f, "Rotation.BadSecret")
			}
		})
	}
}

func (w *world) wantTrialFails(t *testing.T, arn string, f *rig.Function, class string) {
	t.Helper()
	before := w.state(t, arn)
	_, err := w.Try(t.Context(), arn, f)
	if got := rig.ErrorType(err); got != class {
		t.Errorf("the trial ended with %q, want %q: %v", got, class, err)
	}
	w.wantUnwritten(t, before)
}
