package main_test

import (
	"testing"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/rig"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

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

// alternates tells whether the old password stays valid until its user's next turn.
func (s strategy) alternates() bool { return s.name == "alternating-users" }

func TestThreeRotationsInARow(t *testing.T) {
	bootstrap := build(t)
	documentdbtest.Each(t, func(t *testing.T, s *documentdbtest.Server) {
		for _, by := range strategies {
			t.Run(by.name, func(t *testing.T) { threeRotations(t, bootstrap, s, by) })
		}
	})
}

func threeRotations(t *testing.T, bootstrap string, s *documentdbtest.Server, by strategy) {
	w := newWorld(t, bootstrap, s, local.Options{})
	f := w.start(t, "ROTATION_STRATEGY", by.name)
	app := w.user(t, "app", firstPassword, "readWrite", w.shop())
	arn := w.secret(t, "app", w.document(app, firstPassword).with(document{"masterarn": w.masterARN}))
	history := []login{w.read(t, arn)}
	for range 3 {
		mark := w.server.Mark()
		n, err := w.Rotate(t.Context(), arn, f)
		if err != nil {
			t.Fatal(err)
		}
		if n.Calls() > by.calls || len(n.Steps) != 4 {
			t.Errorf("%d calls to Secrets Manager in %d steps, want at most %d in 4", n.Calls(), len(n.Steps), by.calls)
		}
		w.wantLogins(t, mark, by.logins)
		history = append(history, w.read(t, arn))
		w.wantTurn(t, history, by)
	}
}

func (w *world) wantLogins(t *testing.T, since servertest.Mark, want int) {
	t.Helper()
	if !w.server.HasLog() {
		t.Logf("not covered: the log of %s is out of reach", w.server.Name())
		return
	}
	if accepted, refused := w.server.LoginsSince(since); accepted != want || refused != 0 {
		t.Errorf("%d logins and %d refused, want %d and 0", accepted, refused, want)
	}
}

// wantTurn checks which of the passwords that a secret has had work.
func (w *world) wantTurn(t *testing.T, history []login, by strategy) {
	t.Helper()
	for i, l := range history {
		age := len(history) - 1 - i
		valid := age == 0 || age == 1 && by.alternates()
		if got := w.accepts(t, l); got != valid {
			t.Errorf("after %d rotations, the password of %d rotations ago is accepted: %v", len(history)-1, age, got)
		}
	}
}

func TestATrialRunsThePreflight(t *testing.T) {
	bootstrap := build(t)
	documentdbtest.Each(t, func(t *testing.T, s *documentdbtest.Server) {
		w := newWorld(t, bootstrap, s, local.Options{})
		good := w.document(w.user(t, "app", firstPassword, "readWrite", w.shop()), firstPassword).with(document{"masterarn": w.masterARN})
		arn, wrong := w.secret(t, "good", good), w.secret(t, "wrong", good.with(document{"password": wrongPassword}))
		for _, by := range strategies {
			f := w.start(t, "ROTATION_STRATEGY", by.name)
			if _, err := w.Try(t.Context(), arn, f); err != nil {
				t.Errorf("%s: %v", by.name, err)
			}
			if _, err := w.Try(t.Context(), wrong, f); rig.ErrorType(err) != "Rotation.LoginRefused" {
				t.Errorf("%s: got %v", by.name, err)
			}
		}
	})
}

func TestAFailoverBetweenTwoRotations(t *testing.T) {
	bootstrap := build(t)
	c := documentdbtest.Config{ReplicaSet: true}
	for _, s := range []*documentdbtest.Server{documentdbtest.Start(t, c), documentdbtest.StartDocumentDB(t, c)} {
		w := newWorld(t, bootstrap, s, local.Options{})
		f := w.start(t)
		app := w.user(t, "app", firstPassword, "readWrite", w.shop())
		arn := w.secret(t, "app", w.document(app, firstPassword))
		for range 3 {
			if _, err := w.Rotate(t.Context(), arn, f); err != nil {
				t.Fatal(err)
			}
			s.StepDown(t)
			if !w.accepts(t, w.read(t, arn)) {
				t.Error("the current password does not work")
			}
		}
	}
}

func TestFailuresNameTheirType(t *testing.T) {
	w := newWorld(t, build(t), documentdbtest.Start(t, documentdbtest.Config{}), local.Options{})
	good := w.document(w.user(t, "app", firstPassword, "readWrite", w.shop()), firstPassword)
	trusting, doubting := w.start(t), w.start(t, "CA_BUNDLE", "")
	for _, c := range []struct {
		name, class string
		change      document
		by          *rig.Function
	}{
		{"password", "Rotation.LoginRefused", document{"password": wrongPassword}, trusting},
		{"host", "Rotation.DNS", document{"host": "no-such-host.invalid"}, trusting},
		{"port", "Rotation.Unreachable", document{"port": 1}, trusting},
		{"engine", "Rotation.BadSecret", document{"engine": "postgres"}, trusting},
		{"serviceadmin", "Rotation.BadSecret", document{"username": "serviceadmin"}, trusting},
		{"authority", "Rotation.TLS", nil, doubting},
	} {
		arn := w.secret(t, c.name, good.with(c.change))
		_, err := w.Rotate(t.Context(), arn, c.by)
		if got := rig.ErrorType(err); got != c.class {
			t.Errorf("%s: error type %q, want %q: %v", c.name, got, c.class, err)
			continue
		}
		w.wantNothingSensitive(t, err.Error())
	}
	if !w.accepts(t, login{good["username"].(string), firstPassword}) {
		t.Error("the password has changed")
	}
}
