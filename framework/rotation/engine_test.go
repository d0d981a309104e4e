package rotation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// counter is a target whose whole state is one number; its secret is {"n":"..."}.
type counter struct {
	mu      sync.Mutex
	accepts string
	faults  *rotationtest.Faults
	compare bool
	hook    func(step string) error
}

func (c *counter) do(kind string, f func() error) error {
	if c.hook != nil {
		if err := c.hook(kind); err != nil {
			return err
		}
	}
	return c.faults.Do(kind, f)
}

func (c *counter) Next(_ context.Context, v rotation.Versions) (next secret.Document, err error) {
	err = c.do("Next", func() error { next = v.Current.With("n", v.Current.Text("n")+"1"); return nil })
	return next, err
}

func (c *counter) Set(_ context.Context, v rotation.Versions) error {
	return c.do("Set", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.accepts != v.Current.Text("n") && c.accepts != v.Pending.Text("n") {
			return fmt.Errorf("the target accepts neither")
		}
		c.accepts = v.Pending.Text("n")
		return nil
	})
}

func (c *counter) Test(ctx context.Context, v rotation.Versions) error {
	return c.do("Test", func() error {
		if !v.Current.IsZero() && bytes.Equal(v.Current.Bytes(), v.Pending.Bytes()) {
			return errors.New("Test was asked of a trial")
		}
		if c.compare {
			if current, err := v.Others.Current(ctx); err != nil || current.IsZero() {
				return fmt.Errorf("Test asked for the current version: %w", err)
			}
		}
		if c.accepts != v.Pending.Text("n") {
			return errors.New("the target does not accept it")
		}
		return nil
	})
}

func (c *counter) Preflight(_ context.Context, v rotation.Versions) error {
	return c.do("Preflight", func() error {
		if v.Current.IsZero() || !v.Pending.IsZero() {
			return errors.New("Preflight wants the current version alone")
		}
		return nil
	})
}

func (c *counter) Plan(_ context.Context, v rotation.Versions) error {
	return c.do("Plan", func() error {
		if v.Report.Sends("count on from " + v.Current.Text("n")) {
			return errors.New("Plan is to change nothing")
		}
		return nil
	})
}

func (c *counter) Try(_ context.Context, _ string, value secret.Document, _ *rotation.Report) (string, error) {
	return "counter", c.do("Try", func() error {
		if c.accepts != value.Text("n") {
			return rotation.Fail(rotation.LoginRefused, "the target does not accept it")
		}
		return nil
	})
}

// fixture is a counter and its secret, "s", ready to be rotated.
type fixture struct {
	store   rotationtest.Store
	faults  rotationtest.Faults
	rotator counter
	clock   rotationtest.Clock
	log     bytes.Buffer
	engine  *rotation.Engine
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{}
	d, err := secret.Parse([]byte(`{"n":"10001"}`))
	if err != nil {
		t.Fatal(err)
	}
	f.store.Add("s", d)
	f.rotator.accepts, f.rotator.faults = "10001", &f.faults
	f.engine = &rotation.Engine{Store: f.faults.Store(&f.store), Rotator: &f.rotator, Clock: &f.clock,
		Log: slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	return f
}

func (f *fixture) handle(t *testing.T, step rotation.Step) error {
	return f.engine.Handle(t.Context(), rotation.Event{Step: step, SecretID: "s", Token: "v1", RotationToken: "rotation-token"})
}

func class(err error) rotation.Class {
	var e *rotation.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Class
}

// TestTranscript is a whole rotation, call by call. Calls in one line are made
// at once.
func TestTranscript(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	var got []string
	for _, step := range rotation.Steps() {
		before := len(f.faults.Names())
		if err := f.handle(t, step); err != nil {
			t.Fatal(err)
		}
		calls := f.faults.Names()[before:]
		slices.Sort(calls)
		got = append(got, string(step)+": "+strings.Join(calls, ", "))
	}
	want := []string{
		"createSecret: Get s AWSCURRENT#1, Next#1, Put s#1, Status s#1",
		"setSecret: Get s AWSCURRENT#2, Get s AWSPENDING#1, Set#1, Status s#2",
		"testSecret: Get s AWSPENDING#2, Status s#3, Test#1",
		"finishSecret: Get s AWSPENDING#3, Promote s#1, Status s#4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := f.store.Value("s", rotation.Current).Text("n"); got != "100011" || f.rotator.accepts != got {
		t.Errorf("current is %q, the target accepts %q", got, f.rotator.accepts)
	}
}

func TestACrashAnywhereConvergesAndKeepsThePendingValue(t *testing.T) {
	healthy := newFixture(t)
	if err := rotationtest.Rotate(t.Context(), healthy.engine, &healthy.store, "s", "v1"); err != nil {
		t.Fatal(err)
	}
	for _, at := range healthy.faults.Names() {
		for mode := range 4 {
			f := newFixture(t)
			f.faults.At, f.faults.Late, f.faults.Transient = at, mode&1 != 0, mode&2 != 0
			t.Run(fmt.Sprintf("%s,late=%v,transient=%v", at, f.faults.Late, f.faults.Transient), func(t *testing.T) {
				pending := ""
				for attempt := 0; rotationtest.Rotate(t.Context(), f.engine, &f.store, "s", "v1") != nil; attempt++ {
					if attempt == 1 || f.faults.Transient {
						t.Fatalf("does not converge:\n%s", f.log.String())
					}
					pending = f.store.Value("s", rotation.Pending).Text("n")
				}
				got := f.store.Value("s", rotation.Current).Text("n")
				if !f.faults.Fired() || got != f.rotator.accepts || got != "100011" || pending != "" && pending != got {
					t.Errorf("fired %v, current %q, pending was %q, the target accepts %q", f.faults.Fired(), got, pending, f.rotator.accepts)
				}
			})
		}
	}
}

// The label may have moved although the reply was lost, or by another run.
func TestALabelThatHasMovedIsNoFailure(t *testing.T) {
	f := newFixture(t)
	f.faults.At, f.faults.Late = "Promote s#1", true
	if err := rotationtest.Rotate(t.Context(), f.engine, &f.store, "s", "v1"); err != nil || !f.faults.Fired() {
		t.Errorf("got %v", err)
	}
}

// What a step reads at once may come from before and from after another run's finishSecret.
func TestALabelThatMovesWhileAStepReadsEndsTheStep(t *testing.T) {
	for _, step := range []rotation.Step{rotation.SetSecret, rotation.TestSecret} {
		f := newFixture(t)
		f.store.Begin("s", "v1")
		if err := f.handle(t, rotation.CreateSecret); err != nil {
			t.Fatal(err)
		}
		moved := make(chan struct{})
		var once sync.Once
		e := &rotation.Engine{Rotator: f.engine.Rotator, Clock: f.engine.Clock, Log: f.engine.Log}
		e.Store = rotationtest.Intercept(&f.store, func(call string, effect func() error) error {
			if call != "Status s" {
				<-moved
				return effect()
			}
			err := effect()
			once.Do(func() {
				err = errors.Join(err, f.store.Promote(t.Context(), "s", "v0", "v1"))
				close(moved)
			})
			return err
		})
		before := f.rotator.accepts
		if err := e.Handle(t.Context(), rotation.Event{Step: step, SecretID: "s", Token: "v1"}); err != nil || f.rotator.accepts != before {
			t.Errorf("%s: got %v, and the target accepts %q", step, err, f.rotator.accepts)
		}
		if names := f.faults.Names(); slices.Contains(names, "Preflight#1") || slices.Contains(names, "Test#1") || slices.Contains(names, "Set#1") {
			t.Errorf("%s: calls: %v", step, names)
		}
	}
}

func TestAVersionWithTheCurrentValueIsATrial(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	f.store.Write("s", "v1", f.store.Value("s", rotation.Current))
	if err := f.handle(t, rotation.TestSecret); err != nil {
		t.Fatal(err)
	}
	if names := f.faults.Names(); !slices.Contains(names, "Preflight#1") || slices.Contains(names, "Test#1") {
		t.Errorf("calls: %v", names)
	}
	if err := f.handle(t, rotation.SetSecret); class(err) != rotation.BadSecret || !strings.Contains(err.Error(), "--remove-from-version-id v1") {
		t.Errorf("setSecret: got %v", err)
	}
}

func TestEveryStepMayRunTwiceAndAtOnce(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	for _, step := range rotation.Steps() {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := f.handle(t, step); err != nil {
					t.Errorf("%s: %v", step, err)
				}
			})
		}
		wg.Wait()
	}
	if got := f.store.Value("s", rotation.Current).Text("n"); got != "100011" || f.rotator.accepts != got {
		t.Errorf("current is %q, the target accepts %q", got, f.rotator.accepts)
	}
	if err := f.handle(t, rotation.SetSecret); err != nil {
		t.Errorf("a step after the end: %v", err)
	}
}

func TestBadRequestsWriteNothing(t *testing.T) {
	good := rotation.Event{Step: rotation.CreateSecret, SecretID: "s", Token: "v1"}
	for _, c := range []struct {
		name   string
		change func(*fixture, *rotation.Event)
		class  rotation.Class
	}{
		{"unknown step", func(_ *fixture, e *rotation.Event) { e.Step = "drop" }, rotation.BadEvent},
		{"missing token", func(_ *fixture, e *rotation.Event) { e.Token = "" }, rotation.BadEvent},
		{"missing secret", func(_ *fixture, e *rotation.Event) { e.SecretID = "" }, rotation.BadEvent},
		{"no such secret", func(_ *fixture, e *rotation.Event) { e.SecretID = "other" }, rotation.BadSecret},
		{"token not staged", func(_ *fixture, e *rotation.Event) { e.Token = "v2" }, rotation.NotReady},
		{"rotation off", func(f *fixture, _ *rotation.Event) { f.store.SetRotation("s", false) }, rotation.NotReady},
		{"token already current", func(f *fixture, _ *rotation.Event) { f.store.Stage("s", rotation.Current, "v1") }, ""},
		{"finish without a value", func(_ *fixture, e *rotation.Event) { e.Step = rotation.FinishSecret }, rotation.NotReady},
		{"set without a value", func(_ *fixture, e *rotation.Event) { e.Step = rotation.SetSecret }, rotation.NotReady},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ev := newFixture(t), good
			f.store.Begin("s", "v1")
			c.change(f, &ev)
			err := f.engine.Handle(t.Context(), ev)
			if class(err) != c.class || (err == nil) != (c.class == "") {
				t.Errorf("got %v, want class %q", err, c.class)
			}
			for _, call := range f.faults.Names() {
				if !strings.HasPrefix(call, "Status") && !strings.HasPrefix(call, "Get") {
					t.Errorf("made the call %s", call)
				}
			}
			var e *rotation.Error
			if errors.As(err, &e) && e.Remedy == "" {
				t.Error("no remedy")
			}
		})
	}
}

func TestAnUnreadableEventIsABadEvent(t *testing.T) {
	f := newFixture(t)
	if err := f.engine.HandleJSON(t.Context(), []byte("hunter2")); class(err) != rotation.BadEvent || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	if len(f.faults.Names()) > 0 {
		t.Errorf("called %v", f.faults.Names())
	}
}

func TestPreflightOnlyWithoutAValue(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	if err := f.handle(t, rotation.TestSecret); err != nil {
		t.Fatal(err)
	}
	if names := f.faults.Names(); !slices.Contains(names, "Preflight#1") || slices.Contains(names, "Test#1") {
		t.Errorf("calls: %v", names)
	}
}

func TestAValueThatLagsIsTestedNotSkipped(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	late := f.store.Value("s", rotation.Current).With("note", "late")
	f.engine.Clock = sleeper{&f.clock, func() { f.store.Write("s", "v1", late) }}
	if err := f.handle(t, rotation.TestSecret); err != nil {
		t.Fatal(err)
	}
	if names := f.faults.Names(); slices.Contains(names, "Preflight#1") || !slices.Contains(names, "Test#1") {
		t.Errorf("calls: %v", names)
	}
}

// sleeper is a clock on which something happens while the engine sleeps.
type sleeper struct {
	rotation.Clock
	meanwhile func()
}

func (s sleeper) Sleep(ctx context.Context, d time.Duration) error {
	s.meanwhile()
	return s.Clock.Sleep(ctx, d)
}

func TestWhoComparesGetsTheCurrentVersion(t *testing.T) {
	f := newFixture(t)
	f.rotator.compare = true
	if err := rotationtest.Rotate(t.Context(), f.engine, &f.store, "s", "v1"); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTransientErrorsAreRetried(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{errors.New("unknown"), 1},
		{rotation.Fail(rotation.LoginRefused, "refused"), 1},
		{fmt.Errorf("above: %w", rotation.Fail(rotation.Unavailable, "starting").Again()), 6},
	} {
		f := newFixture(t)
		calls := 0
		f.rotator.hook = func(string) error { calls++; return c.err }
		if err := rotationtest.Rotate(t.Context(), f.engine, &f.store, "s", "v1"); err == nil || calls != c.want {
			t.Errorf("%v: %d calls, want %d; %v", c.err, calls, c.want, err)
		}
	}
}

func TestEndsBeforeTheDeadlineAndSaysSo(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	f.engine.Rotator = slow{&f.rotator}
	err := f.engine.Handle(ctx, rotation.Event{Step: rotation.CreateSecret, SecretID: "s", Token: "v1"})
	if class(err) != rotation.Timeout || ctx.Err() != nil {
		t.Errorf("got %v; the context's error is %v", err, ctx.Err())
	}
	if !strings.Contains(err.Error(), "time was up") {
		t.Errorf("%v does not say so", err)
	}
}

// The last attempt is cut off at a moment that says nothing: what the attempt before it met is the cause.
func TestTimeIsUpDuringWhatFailedBefore(t *testing.T) {
	for met, want := range map[rotation.Class]rotation.Class{rotation.Unreachable: rotation.Timeout, rotation.TooManyConnections: rotation.TooManyConnections} {
		f := newFixture(t)
		f.store.Begin("s", "v1")
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		calls := 0
		f.rotator.hook = func(string) error {
			if calls++; calls == 1 {
				return rotation.Fail(met, "what it met").Again()
			}
			<-ctx.Done()
			return rotation.Fail(rotation.Unreachable, "cut off").Again()
		}
		err := f.engine.Handle(ctx, rotation.Event{Step: rotation.CreateSecret, SecretID: "s", Token: "v1"})
		if class(err) != want || !strings.Contains(err.Error(), "what it met") {
			t.Errorf("%d calls, then %v", calls, err)
		}
	}
}

// slow takes until its context ends.
type slow struct{ rotation.Rotator }

func (slow) Next(ctx context.Context, _ rotation.Versions) (secret.Document, error) {
	<-ctx.Done()
	return secret.Document{}, ctx.Err()
}

func TestNothingSensitiveLeaves(t *testing.T) {
	for _, c := range []struct {
		name string
		hook func(string) error
	}{
		{"error", func(string) error { return errors.New(`ALTER ROLE x PASSWORD '10001' with rotation-token`) }},
		{"fault", func(string) error { return rotation.Fail(rotation.Unknown, "%s", "10001").With("try 10001").Again() }},
		{"panic with text", func(string) error { panic("10001 rotation-token") }},
		{"panic with a value", func(string) error { panic(struct{ Password string }{"10001"}) }},
		{"panic of the runtime", func(string) error { _ = []int{}[len("10001")]; return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.store.Begin("s", "v1")
			f.rotator.hook = c.hook
			var seen rotation.Outcome
			f.engine.Observe = func(o rotation.Outcome) { seen = o }
			err := f.handle(t, rotation.CreateSecret)
			if err == nil || seen.Err == nil {
				t.Fatal("no error")
			}
			all := fmt.Sprintf("%v %+v %#v %s", err, err, seen, f.log.String())
			if strings.Contains(all, "10001") || strings.Contains(all, "rotation-token") {
				t.Errorf("leaked:\n%s", all)
			}
		})
	}
}

// What a field holds is quoted where the field is declared, and there alone.
func TestADeclaredFieldIsQuoted(t *testing.T) {
	for _, public := range [][]string{nil, {"set"}} {
		f := newFixture(t)
		d, err := secret.Parse([]byte(`{"n":"10001","set":"replicas","other":"unheard-of"}`))
		if err != nil {
			t.Fatal(err)
		}
		f.store.Add("s", d)
		f.store.Begin("s", "v1")
		f.engine.Public = public
		f.rotator.hook = func(string) error { return errors.New("10001 of replicas in unheard-of") }
		said := fmt.Sprint(f.handle(t, rotation.CreateSecret)) + f.log.String()
		if strings.Contains(said, "10001") || strings.Contains(said, "unheard-of") || strings.Contains(said, "replicas") != (public != nil) {
			t.Errorf("with %q: %s", public, said)
		}
	}
}

func TestAPanicWhileReadingIsAnError(t *testing.T) {
	f := newFixture(t)
	f.engine.Store = panicky{f.engine.Store}
	f.store.Begin("s", "v1")
	if err := f.handle(t, rotation.CreateSecret); class(err) != rotation.Panic || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "panicky") {
		t.Errorf("got %v", err)
	}
}

type panicky struct{ rotation.Store }

func (panicky) Get(context.Context, string, string, string) (secret.Document, error) {
	panic("hunter2")
}

func TestNotesAndGauges(t *testing.T) {
	f := newFixture(t)
	f.store.Begin("s", "v1")
	f.engine.Rotator = talker{&f.rotator}
	var seen rotation.Outcome
	f.engine.Observe = func(o rotation.Outcome) { seen = o }
	if err := f.handle(t, rotation.CreateSecret); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.log.String(), "old is [secret]") || seen.Gauges["Days"] != 3 {
		t.Errorf("gauges %v, log %s", seen.Gauges, f.log.String())
	}
}

type talker struct{ rotation.Rotator }

func (talker) Next(_ context.Context, v rotation.Versions) (secret.Document, error) {
	v.Report.Notef("old is %s", v.Current.Text("n"))
	v.Report.Gauge("Days", 3)
	return v.Current, nil
}
