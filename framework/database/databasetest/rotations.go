package databasetest

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// Rotations are those of one user of a server, for a driver's own tests: what [Run] is
// too general for. Their store has the secrets "user" and "admin".
type Rotations struct {
	Store  rotationtest.Store
	Config database.Config // which a test may change
	Log    bytes.Buffer
	// Gauges are those of the last step that had any.
	Gauges  map[string]float64
	version int
	Sent    rotation.Plan // what the last setSecret sent
}

// NewRotations begins with the secrets of f.
func NewRotations(t *testing.T, d database.Driver, s database.Strategy, f Fixture) *Rotations {
	t.Helper()
	g, err := password.New(password.Default(), d.Password)
	if err != nil {
		t.Fatal(err)
	}
	r := &Rotations{Config: database.Config{Driver: d, Strategy: s, Password: g.Generate,
		Roots: func() (*x509.CertPool, error) { return f.Roots, nil }}}
	r.Store.Add("user", f.User)
	r.Store.Add("admin", f.Admin)
	return r
}

// Engine is one for the configuration as it is now.
func (r *Rotations) Engine(t *testing.T) *rotation.Engine {
	t.Helper()
	d, err := database.New(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	return &rotation.Engine{Store: &r.Store, Rotator: d, Clock: &rotationtest.Clock{}, Log: slog.New(slog.NewTextHandler(&r.Log, nil)), Observe: r.observe, Public: d.Driver.Fields}
}

func (r *Rotations) observe(o rotation.Outcome) {
	if len(o.Gauges) > 0 {
		r.Gauges = o.Gauges
	}
	if o.Event.Step == rotation.SetSecret {
		r.Sent = o.Plan
	}
}

// Rotate runs one whole rotation, or what is left of the one under way.
func (r *Rotations) Rotate(t *testing.T) error {
	t.Helper()
	if r.Store.Value("user", rotation.Pending).IsZero() {
		r.version++
	}
	return rotationtest.Rotate(t.Context(), r.Engine(t), &r.Store, "user", fmt.Sprint("v", r.version))
}

// Must is Rotate for a rotation that has to succeed.
func (r *Rotations) Must(t *testing.T) {
	t.Helper()
	if err := r.Rotate(t); err != nil {
		t.Fatalf("%v\n%s", err, r.Log.String())
	}
}

// Plan asks what the next rotation would send.
func (r *Rotations) Plan(t *testing.T) (rotation.Plan, error) {
	t.Helper()
	return Plan(t.Context(), r.Engine(t))
}

// Plan asks an engine what the next rotation of the secret "user" would send.
func Plan(ctx context.Context, e *rotation.Engine) (rotation.Plan, error) {
	a := e.Ask(ctx, rotation.Question{Ask: rotation.AskPlan, SecretID: "user", Function: rotationtest.Function})
	if f := a.Failure; f != nil {
		return rotation.Plan{}, fmt.Errorf("there is no plan: %v: %s. %s", f.Class, f.Cause, f.Remedy)
	}
	return *a.Plan, nil
}

// Planned is Rotate for a rotation to which a trial has said yes. It asks for the
// plan first: that there is none, or that the rotation sends something else, is an
// error too.
func (r *Rotations) Planned(t *testing.T) error {
	t.Helper()
	plan, err := r.Plan(t)
	if err != nil {
		return err
	}
	if err := r.Rotate(t); err != nil {
		return err
	}
	return AsPlanned(plan, r.Sent)
}

// AsPlanned is an error if what was sent is not what a plan said.
func AsPlanned(plan, sent rotation.Plan) error {
	if slices.Equal(sent.Statements, plan.Statements) {
		return nil
	}
	return fmt.Errorf("the rotation sent\n\t%s\nand its plan was\n\t%s", strings.Join(sent.Statements, "\n\t"), strings.Join(plan.Statements, "\n\t"))
}

// Preflight runs testSecret on a version without a value, as RotateSecret with
// RotateImmediately=false does.
func (r *Rotations) Preflight(t *testing.T) error {
	t.Helper()
	r.Store.Begin("user", "trial")
	defer r.Store.End("user")
	return r.Engine(t).Handle(t.Context(), rotation.Event{Step: rotation.TestSecret, SecretID: "user", Token: "trial"})
}

// Current is the secret's AWSCURRENT value.
func (r *Rotations) Current() secret.Document { return r.Store.Value("user", rotation.Current) }

// Wants fails the test unless err ended a step with that class, and says all of
// says.
func Wants(t *testing.T, err error, c rotation.Class, says ...string) {
	t.Helper()
	var e *rotation.Error
	if !errors.As(err, &e) || e.Class != c {
		t.Errorf("got %v, want %s", err, c)
		return
	}
	if strings.Contains(err.Error(), database.UserHere) {
		t.Errorf("%v\nnames no user", err)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%v\ndoes not say %q", err, s)
		}
	}
}

// Remedy is the part of a step's remedy between two texts: what the reader is to
// run.
func Remedy(t *testing.T, err error, after, upTo string) string {
	t.Helper()
	var e *rotation.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, and no remedy", err)
	}
	_, rest, ok := strings.Cut(e.Remedy, after)
	part, _, ends := strings.Cut(rest, upTo)
	if !ok || !ends {
		t.Fatalf("there is nothing between %q and %q in the remedy %q", after, upTo, e.Remedy)
	}
	return part
}

// Pair is two alternating users of a session's own server, for tests that call
// a driver by itself. A new clone has a password that any server's rules take.
func Pair(original, clone string) database.Pair {
	return database.Pair{Original: database.Login{User: original}, Clone: database.Login{User: clone, Password: "Of-its_birth-1"}}
}

// Change is a new password for a user of a session's own server; no old one is
// kept.
func Change(user, password string) database.Change {
	return database.Change{Target: database.Login{User: user, Password: password}}
}

// Clone makes a clone and gives it a password, as setSecret does. Admin's driver
// must have Cloning.
func Clone(ctx context.Context, admin database.Conn, original, clone, password string) error {
	p := Pair(original, clone)
	p.Clone.Password = password
	if err := admin.(database.Administrator).Clone(ctx, p); err != nil {
		return err
	}
	return admin.SetPassword(ctx, Change(clone, password))
}

// Ways are the strategies by which a test rotates that tries many things:
// alternating users, who take most statements, and the others too where a sweep of
// all servers is wanted.
func Ways() map[string]database.Strategy {
	ways := map[string]database.Strategy{"alternating": database.AlternatingUsers}
	if w := rotationtest.WantedSweep(); w != rotationtest.NoSweep && w != rotationtest.DyingSweep {
		ways["single user"], ways["by administrator"] = database.SingleUser, database.SingleUserByAdministrator
	}
	return ways
}
