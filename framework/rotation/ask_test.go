package rotation_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

func (f *fixture) ask(t *testing.T, ask rotation.Ask) rotation.Answer {
	return f.engine.Ask(t.Context(), rotation.Question{Ask: ask, SecretID: "s", Function: rotationtest.Function + ":live"})
}

func TestAQuestionIsToldFromAnEvent(t *testing.T) {
	for payload, want := range map[string]rotation.Question{
		`{"Rotor":"plan","SecretId":"arn"}`:                                 {Ask: rotation.AskPlan, SecretID: "arn"},
		`{"Step":"createSecret","SecretId":"arn","ClientRequestToken":"t"}`: {},
		`{"Rotor":7}`: {},
		`hunter2`:     {},
	} {
		if q, ok := rotation.ParseQuestion([]byte(payload)); q != want || ok != (want.Ask != "") {
			t.Errorf("%s: got %+v, %v", payload, q, ok)
		}
	}
}

func TestAPlanIsTriedFirstAndChangesNothing(t *testing.T) {
	f := newFixture(t)
	before := f.store.State()
	a := f.ask(t, rotation.AskPlan)
	if a.Failure != nil || a.Plan == nil || !slices.Equal(a.Plan.Statements, []string{"count on from [secret]"}) {
		t.Fatalf("got %+v", a)
	}
	want := []string{"Status s#1", "Get s AWSCURRENT#1", "Preflight#1", "Plan#1"}
	if got := f.faults.Names(); !slices.Equal(got, want) {
		t.Errorf("calls: %q, want %q", got, want)
	}
	if f.store.State() != before || f.rotator.accepts != "10001" {
		t.Error("it changed something")
	}
}

// What the trial and the rehearsal after it both note is told once.
func TestANoteIsAnsweredOnce(t *testing.T) {
	f := newFixture(t)
	f.engine.Rotator = noting{&f.rotator}
	if a := f.ask(t, rotation.AskPlan); len(a.Notes) != 1 || a.Notes[0] != (rotation.Note{Level: "WARN", Text: "mend [secret]"}) {
		t.Errorf("got %+v", a)
	}
}

type noting struct{ rotation.Rotator }

func (n noting) Preflight(ctx context.Context, v rotation.Versions) error { return n.Plan(ctx, v) }

func (n noting) Plan(_ context.Context, v rotation.Versions) error {
	v.Report.Notef("mend %s", v.Current.Text("n"))
	return nil
}

// What the next run would do is told with the value that it would do it with.
func TestAPlanAmidARotationIsOfItsPendingValue(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	if err := f.handle(t, rotation.CreateSecret); err != nil {
		t.Fatal(err)
	}
	before := len(f.faults.Names())
	if a := f.ask(t, rotation.AskPlan); a.Failure != nil || a.Plan == nil {
		t.Fatalf("got %+v", a)
	}
	want := []string{"Status s#2", "Get s AWSCURRENT#2", "Get s AWSPENDING#1", "Plan#1"}
	if got := f.faults.Names()[before:]; !slices.Equal(got, want) {
		t.Errorf("calls: %q, want %q", got, want)
	}
}

// What a trial has left is AWSCURRENT's value, and nothing to rotate to.
func TestAQuestionAboutWhatATrialHasLeft(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	f.store.Write("s", "v1", f.store.Value("s", rotation.Current))
	if a := f.ask(t, rotation.AskPlan); a.Failure == nil || a.Failure.Class != rotation.BadSecret || !strings.Contains(a.Failure.Cause, "AWSCURRENT's value") {
		t.Errorf("got %+v", a)
	}
	a := f.ask(t, rotation.AskWhich)
	if len(a.Labels) != 2 || a.Labels[0].Same || !a.Labels[1].Same {
		t.Errorf("got %+v", a)
	}
}

func TestAnAnswerSaysWhyThereIsNone(t *testing.T) {
	for _, c := range []struct {
		name  string
		q     rotation.Question
		fault string
		class rotation.Class
	}{
		{"another function", rotation.Question{Ask: rotation.AskPlan, SecretID: "s", Function: rotationtest.Function + "r"}, "", rotation.NotReady},
		{"no function", rotation.Question{Ask: rotation.AskPlan, SecretID: "s"}, "", rotation.NotReady},
		{"no secret", rotation.Question{Ask: rotation.AskPlan, Function: rotationtest.Function}, "", rotation.BadEvent},
		{"an unknown question", rotation.Question{Ask: "password", SecretID: "s", Function: rotationtest.Function}, "", rotation.BadEvent},
		{"no such secret", rotation.Question{Ask: rotation.AskPlan, SecretID: "other", Function: rotationtest.Function}, "", rotation.BadSecret},
		{"a trial that fails", rotation.Question{Ask: rotation.AskPlan, SecretID: "s", Function: rotationtest.Function}, "Preflight#1", rotation.Unknown},
		{"a plan that fails", rotation.Question{Ask: rotation.AskPlan, SecretID: "s", Function: rotationtest.Function}, "Plan#1", rotation.Unknown},
	} {
		f := newFixture(t)
		f.faults.At = c.fault
		a := f.engine.Ask(t.Context(), c.q)
		if a.Failure == nil || a.Failure.Class != c.class || a.Failure.Remedy == "" || a.Plan != nil {
			t.Errorf("%s: got %+v", c.name, a)
		}
		if c.fault == "" && len(f.faults.Names()) > 1 {
			t.Errorf("%s: calls: %q", c.name, f.faults.Names())
		}
	}
}

func TestWhichCredentialWorks(t *testing.T) {
	f := newFixture(t)
	if err := rotationtest.Rotate(t.Context(), f.engine, &f.store, "s", "v1"); err != nil {
		t.Fatal(err)
	}
	f.store.Begin("s", "v2")
	a := f.ask(t, rotation.AskWhich)
	said, err := json.Marshal(a)
	if err != nil || a.Failure != nil || strings.Contains(string(said), "1000") {
		t.Fatalf("got %s, %v", said, err)
	}
	got := ""
	for _, l := range a.Labels {
		got += l.Name + " " + l.Version + " "
		switch {
		case l.Works:
			got += "works\n"
		default:
			got += string(l.Failure.Class) + " " + strings.Join(l.Differs, ",") + "\n"
		}
	}
	if want := "AWSCURRENT v1 works\nAWSPENDING v2 Rotation.NotReady \nAWSPREVIOUS v0 Rotation.LoginRefused n\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if n := len(f.faults.Names()); n == 0 || slices.Contains(f.faults.Names(), "Plan#1") {
		t.Errorf("calls: %q", f.faults.Names())
	}
}

// A value that is no secret's hides no other.
func TestAValueThatCannotBeReadIsOneAnswerOfSeveral(t *testing.T) {
	for _, name := range []string{rotation.Current, rotation.Previous} {
		f := newFixture(t)
		if err := rotationtest.Rotate(t.Context(), f.engine, &f.store, "s", "v1"); err != nil {
			t.Fatal(err)
		}
		f.engine.Store = unreadable{&f.store, name}
		a := f.ask(t, rotation.AskWhich)
		if a.Failure != nil || len(a.Labels) != 2 {
			t.Fatalf("%s: got %+v", name, a)
		}
		for _, l := range a.Labels {
			if bad := l.Failure != nil && l.Failure.Class == rotation.BadSecret; bad != (l.Name == name) || name == rotation.Current && len(l.Differs) > 0 {
				t.Errorf("%s: got %+v", name, l)
			}
		}
	}
}

// An unreadable store has a value that is not JSON under a label.
type unreadable struct {
	rotation.Store
	label string
}

func (u unreadable) Get(ctx context.Context, id, label, version string) (secret.Document, error) {
	if label == u.label {
		return secret.Document{}, rotation.Fail(rotation.BadSecret, "the secret is not valid JSON")
	}
	return u.Store.Get(ctx, id, label, version)
}

// A panic in a rotator answers a question, as it ends a step.
func TestAPanicIsAnAnswer(t *testing.T) {
	f := newFixture(t)
	f.engine.Rotator = panicking{}
	if a := f.ask(t, rotation.AskPlan); a.Failure == nil || a.Failure.Class != rotation.Panic {
		t.Errorf("got %+v", a)
	}
}

type panicking struct{ rotation.Rotator }

func (panicking) Preflight(_ context.Context, _ rotation.Versions) error { panic(secret.Document{}) }
