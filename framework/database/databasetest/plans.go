package databasetest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// plans asks before each of three rotations what it would send, and holds the
// rotation to that. To ask changes nothing, refuses no login, and tells no password.
func (s suite) plans(t *testing.T) {
	st := s.stage(t, "")
	for n := range 3 {
		next := st.User.Text("username")
		if s.strategy == database.AlternatingUsers && n%2 == 0 {
			next = st.rotator.Twin(next)
		}
		plan := s.asked(t, st)
		if again := s.asked(t, st); !slices.Equal(again.Statements, plan.Statements) {
			t.Errorf("rotation %d: asked twice, it would send\n%q, and then\n%q", n, plan.Statements, again.Statements)
		}
		if plan.User != next || len(plan.Statements) == 0 {
			t.Errorf("rotation %d: the plan is %+v, and %q is next", n, plan, next)
		}
		if err := st.works(t.Context(), rotation.Current); err != nil {
			t.Fatalf("rotation %d: after the plan: %v", n, err)
		}
		if err := st.rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(st.sent.Statements, plan.Statements) {
			t.Errorf("rotation %d: it sent\n%s\nand was to send\n%s", n, strings.Join(st.sent.Statements, "\n"), strings.Join(plan.Statements, "\n"))
		}
	}
}

// asked is the engine's answer to the question for a plan.
func (s suite) asked(t *testing.T, st *stage) rotation.Plan {
	t.Helper()
	before := st.store.State()
	st.refusals.Store(0)
	a := st.engine.Ask(t.Context(), rotation.Question{Ask: rotation.AskPlan, SecretID: "user", Function: rotationtest.Function})
	if a.Failure != nil || a.Plan == nil {
		t.Fatalf("no plan: %+v", a)
	}
	if st.refusals.Load() != 0 {
		t.Errorf("%d logins were refused", st.refusals.Load())
	}
	if st.store.State() != before {
		t.Error("the secrets have changed")
	}
	said, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []string{st.store.Value("user", rotation.Current).Text("password"), st.Admin.Text("password")} {
		if strings.Contains(string(said), doc) {
			t.Errorf("the answer has a password: %s", said)
		}
	}
	return *a.Plan
}
