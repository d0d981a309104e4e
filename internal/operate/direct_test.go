package operate

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// direct is a Direct of a scene, and the store that its engine has got.
func (sc *scene) direct(p Place) (d *Direct, given rotation.Store) {
	sc.t.Helper()
	if p.Store == nil {
		p.Store = &sc.store
	}
	p.Within = time.Minute
	d, err := NewDirect(p, func(s rotation.Store) (*rotation.Engine, error) {
		given = s
		return &rotation.Engine{Store: s, Rotator: sc.rotator, Clock: sc.engine.Clock, Log: sc.engine.Log}, nil
	})
	if err != nil {
		sc.t.Fatal(err)
	}
	return d, given
}

// The secret has to name the function that is stood in for, unless that is to be
// attached to this very secret.
func TestADirectAnswerIsBoundToTheFunction(t *testing.T) {
	const other = "arn:aws:lambda:eu-west-1:111122223333:function:other"
	for name, c := range map[string]struct {
		place Place
		want  rotation.Class
	}{
		"the secret's own":        {Place{Function: rotationtest.Function}, ""},
		"another":                 {Place{Function: other}, rotation.NotReady},
		"another, to be attached": {Place{Function: other, Unattached: "user"}, ""},
		"to another secret":       {Place{Function: other, Unattached: "admin"}, rotation.NotReady},
	} {
		sc := newScene(t, database.SingleUser, false)
		d, _ := sc.direct(c.place)
		a, err := d.Ask(t.Context(), rotation.AskPlan, "user", "")
		if err != nil || (a.Failure == nil) != (c.want == "") || a.Failure != nil && a.Failure.Class != c.want {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestADirectAnswerWritesNothing(t *testing.T) {
	sc := newScene(t, database.SingleUser, false)
	_, s := sc.direct(Place{Function: rotationtest.Function})
	if s.Put(t.Context(), rotation.Event{SecretID: "user"}, secret.Document{}) == nil || s.Promote(t.Context(), "user", "v0", "v1") == nil {
		t.Error("the store of a question may be written to")
	}
}

// A failing store is one that this side may not read, or cannot.
type failing struct {
	rotation.Store
	err error
}

func (f *failing) Get(ctx context.Context, id, stage, version string) (secret.Document, error) {
	if f.err != nil {
		return secret.Document{}, f.err
	}
	return f.Store.Get(ctx, id, stage, version)
}

// What cannot be read from here is no failure of the rotation, and does not outlast the
// question.
func TestWhatCannotBeReadFromHereIsNoAnswer(t *testing.T) {
	for _, c := range []struct {
		err    *rotation.Fault
		action string // empty for a failure of the secret itself
		denied bool
	}{
		{rotation.Fail(rotation.AccessDenied, "no"), "secretsmanager:GetSecretValue", true},
		{rotation.Fail(rotation.AccessDenied, "DecryptionFailure: the key"), "kms:Decrypt", true},
		{rotation.Fail(rotation.StoreUnavailable, "no answer"), "secretsmanager:GetSecretValue", false},
		{rotation.Fail(rotation.Throttled, "slowly"), "secretsmanager:GetSecretValue", false},
		{rotation.Fail(rotation.BadSecret, "binary"), "", false},
	} {
		sc := newScene(t, database.SingleUser, false)
		f := &failing{&sc.store, c.err}
		d, _ := sc.direct(Place{Store: f, Function: rotationtest.Function})
		a, err := d.Ask(t.Context(), rotation.AskWhich, "user", "")
		var read *ReadError
		switch {
		case c.action == "":
			if err != nil || len(a.Labels) != 1 || a.Labels[0].Failure == nil || a.Labels[0].Failure.Class != c.err.Class {
				t.Errorf("%v: %+v, %v", c.err, a, err)
			}
		case !errors.As(err, &read) || read.Action != c.action || read.Denied != c.denied || !errors.Is(err, c.err):
			t.Errorf("%v: %+v, %v", c.err, a, err)
		}
		f.err = nil
		if a, err := d.Ask(t.Context(), rotation.AskWhich, "user", ""); err != nil || a.Failure != nil {
			t.Errorf("after %v: %+v, %v", c.err, a, err)
		}
	}
}
