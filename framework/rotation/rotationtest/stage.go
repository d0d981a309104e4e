package rotationtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// ids are the names of a target's two secrets.
var ids = [2]string{"one", "two"}

// unknown is a field that no rotator knows, and that each has to keep.
const unknown, kept = "added by somebody", "a value that stays"

// A stage is a target with an engine and a store: what one test has for itself.
type stage struct {
	suite
	Target
	store   Store
	faults  Faults
	visits  visits
	engine  *rotation.Engine
	log     bytes.Buffer
	seen    sightings
	history map[string][]secret.Document // the values that were current, the last one included
}

func (s suite) stage(t testing.TB) *stage {
	t.Helper()
	st := &stage{suite: s, history: map[string][]secret.Document{}}
	st.Target = s.New(t, &st.faults)
	for i, id := range ids {
		st.Secrets[i] = st.Secrets[i].With(unknown, kept)
		st.store.Add(id, st.Secrets[i])
		st.history[id] = []secret.Document{st.Secrets[i]}
		st.saw(st.Secrets[i])
	}
	for id, doc := range st.Others {
		st.store.Add(id, doc)
		st.saw(doc)
	}
	st.engine = &rotation.Engine{
		Store:   st.faults.Store(&st.store),
		Rotator: watching(st.Rotator, &st.visits, &st.faults),
		Clock:   &Clock{},
		Log:     slog.New(slog.NewTextHandler(&st.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return st
}

// saw notes a credential, for this stage and for what is written meanwhile.
func (st *stage) saw(doc secret.Document) {
	if credential := doc.Text(st.Credential); credential != "" {
		st.seen.add(credential)
		st.suite.seen.add(credential)
	}
}

// token is the version that is being made. It stays the same until the rotation
// has ended well.
func (st *stage) token(id string) string { return fmt.Sprint("v", len(st.history[id])) }

func (st *stage) begin(id string) { st.store.Begin(id, st.token(id)) }

func (st *stage) step(ctx context.Context, id string, step rotation.Step) error {
	err := st.engine.Handle(ctx, rotation.Event{Step: step, SecretID: id, Token: st.token(id)})
	st.saw(st.store.Value(id, rotation.Pending))
	return err
}

// end ends a rotation that went well.
func (st *stage) end(id string) {
	st.store.End(id)
	st.history[id] = append(st.history[id], st.store.Value(id, rotation.Current))
}

// rotate runs one whole rotation, or what is left of the one under way.
func (st *stage) rotate(ctx context.Context, id string) error {
	st.begin(id)
	for _, step := range rotation.Steps() {
		if err := st.step(ctx, id, step); err != nil {
			return err
		}
	}
	st.end(id)
	return nil
}

// accepted reports whether the target accepts the version with a label.
func (st *stage) accepted(ctx context.Context, id, label string) (bool, error) {
	doc := st.store.Value(id, label)
	if doc.IsZero() {
		return false, nil
	}
	return st.Works(ctx, doc)
}

// alive checks that nobody is locked out.
func (st *stage) alive(ctx context.Context) error {
	labels := []string{rotation.Current, rotation.Pending}
	if st.Overlap {
		labels = labels[:1]
	}
	for _, id := range ids {
		works := false
		for _, label := range labels {
			ok, err := st.accepted(ctx, id, label)
			if err != nil {
				return fmt.Errorf("asking whether %s of secret %q works: %w", label, id, err)
			}
			works = works || ok
		}
		if !works {
			return fmt.Errorf("locked out: of secret %q, the target refuses %s", id, strings.Join(labels, " and "))
		}
	}
	return nil
}

// ages checks which of the values that were current still work, as the promise
// says for a moment when no rotation is under way.
func (st *stage) ages(ctx context.Context) error {
	for _, id := range ids {
		for i, doc := range st.history[id] {
			age := len(st.history[id]) - 1 - i
			ok, err := st.Works(ctx, doc)
			if err != nil {
				return fmt.Errorf("asking whether an old credential works: %w", err)
			}
			if want := age == 0 || age == 1 && st.Overlap; ok != want {
				return fmt.Errorf("the credential of %d rotations ago works: %v, want %v", age, ok, want)
			}
		}
	}
	return nil
}

// state is what the target tells of itself, or nothing.
func (st *stage) state() string {
	if st.State == nil {
		return ""
	}
	return st.State()
}

// verdict says what the rotator did that is wrong whatever it was asked.
func (st *stage) verdict() error {
	if err := st.visits.wrong(&st.seen); err != nil {
		return err
	}
	if st.seen.in(st.log.String()) {
		return errors.New("a credential, or half of it, is in the log")
	}
	return nil
}
