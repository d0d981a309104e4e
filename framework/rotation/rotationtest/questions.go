package rotationtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// questions asks for plans, and for which credential works, before, amid and after
// rotations.
func (s suite) questions(t testing.TB) error {
	st := s.stage(t)
	for _, id := range ids {
		err := st.misled(t.Context(), id, func() error { return st.which(t.Context(), id, map[string]bool{rotation.Current: false}) })
		if err != nil {
			return fmt.Errorf("with a credential that nobody has: %w", err)
		}
		for range 2 {
			if err := errors.Join(st.planned(t.Context(), id), st.which(t.Context(), id, map[string]bool{rotation.Current: true})); err != nil {
				return err
			}
			st.begin(id)
			for _, step := range []rotation.Step{rotation.CreateSecret, rotation.SetSecret} {
				if err := st.step(t.Context(), id, step); err != nil {
					return err
				}
				if err := st.planned(t.Context(), id); err != nil {
					return fmt.Errorf("after %s: %w", step, err)
				}
			}
			works := map[string]bool{rotation.Current: s.Overlap, rotation.Pending: true}
			if err := errors.Join(st.which(t.Context(), id, works), st.rotate(t.Context(), id), st.ages(t.Context())); err != nil {
				return err
			}
		}
	}
	return st.verdict()
}

// ask puts a question, which is to change nothing and to tell no credential.
func (st *stage) ask(ctx context.Context, id string, ask rotation.Ask) (rotation.Answer, error) {
	before, secrets := st.state(), st.store.State()
	a := st.engine.Ask(ctx, rotation.Question{Ask: ask, SecretID: id, Function: Function})
	said, err := json.Marshal(a)
	switch {
	case err != nil:
		return a, err
	case st.seen.in(string(said)):
		return a, fmt.Errorf("a credential, or half of it, is in the answer to %s", ask)
	case st.state() != before:
		return a, fmt.Errorf("%s changed the target: its state became\n%s\nand was\n%s", ask, st.state(), before)
	case st.store.State() != secrets:
		return a, fmt.Errorf("%s changed a secret", ask)
	}
	return a, nil
}

func (st *stage) planned(ctx context.Context, id string) error {
	a, err := st.ask(ctx, id, rotation.AskPlan)
	if err == nil && (a.Failure != nil || a.Plan == nil) {
		err = fmt.Errorf("there is no plan: %+v", a)
	}
	return err
}

// which wants each label's credential to work or not.
func (st *stage) which(ctx context.Context, id string, works map[string]bool) error {
	a, err := st.ask(ctx, id, rotation.AskWhich)
	if err != nil {
		return err
	}
	for _, l := range a.Labels {
		if want, ok := works[l.Name]; ok && l.Works != want {
			return fmt.Errorf("%s works: %v, and Try said so of it: %v", l.Name, want, l.Works)
		}
		delete(works, l.Name)
	}
	if len(works) > 0 {
		return fmt.Errorf("nothing is said of %v: %+v", works, a)
	}
	return nil
}
