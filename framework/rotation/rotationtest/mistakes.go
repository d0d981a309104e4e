package rotationtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// trial runs testSecret as RotateSecret with RotateImmediately=false does, with a
// credential that does not work and with one that does: on a version without a
// value, and on one that has AWSCURRENT's.
func (s suite) trial(t testing.TB) error {
	for form, begin := range map[string]func(st *stage, id string){
		"without a value": (*stage).begin,
		"with the current value": func(st *stage, id string) {
			st.begin(id)
			st.store.Write(id, st.token(id), st.store.Value(id, rotation.Current))
		},
	} {
		if err := s.trialOf(t, begin); err != nil {
			return fmt.Errorf("on a version %s: %w", form, err)
		}
	}
	return nil
}

func (s suite) trialOf(t testing.TB, begin func(*stage, string)) error {
	st := s.stage(t)
	for _, id := range ids {
		try := func() error {
			begin(st, id)
			defer st.store.Remove(id, st.token(id))
			return st.step(t.Context(), id, rotation.TestSecret)
		}
		if st.misled(t.Context(), id, try) == nil {
			return errors.New("a trial passed with a credential that the target refuses")
		}
		for range 2 { // at first, and when there is a value to lose that was replaced
			before := st.state()
			if err := try(); err != nil {
				return fmt.Errorf("the trial: %w", err)
			}
			if err := errors.Join(st.untouched(t.Context(), id, before), st.ages(t.Context())); err != nil {
				return fmt.Errorf("the trial changed something: %w", err)
			}
			if err := errors.Join(st.rotate(t.Context(), id), st.ages(t.Context())); err != nil {
				return fmt.Errorf("after the trial: %w", err)
			}
		}
	}
	return st.verdict()
}

// untouched checks that the target is as it was, and accepts no pending value.
func (st *stage) untouched(ctx context.Context, id, before string) error {
	if now := st.state(); now != before {
		return fmt.Errorf("the target's state became\n%s\nand was\n%s", now, before)
	}
	ok, err := st.accepted(ctx, id, rotation.Pending)
	if err == nil && ok {
		return errors.New("the target accepts the pending value")
	}
	return err
}

// misled runs f while the current version has a credential that nobody has.
func (st *stage) misled(ctx context.Context, id string, f func() error) error {
	status, err := st.store.Status(ctx, id)
	if err != nil {
		return err
	}
	for version, stages := range status.Stages {
		if slices.Contains(stages, rotation.Current) {
			good := st.store.Value(id, rotation.Current)
			st.store.Write(id, version, good.With(st.Credential, reversed(good.Text(st.Credential))))
			defer st.store.Write(id, version, good)
			st.saw(st.store.Value(id, rotation.Current))
		}
	}
	return f()
}

// reversed has the form of text.
func reversed(text string) string {
	r := []rune(text)
	slices.Reverse(r)
	return string(r)
}

// wrong rotates secrets whose credentials are wrong.
func (s suite) wrong(t testing.TB) error {
	st := s.stage(t)
	for _, id := range ids {
		before := st.state()
		err := st.misled(t.Context(), id, func() error { return st.rotate(t.Context(), id) })
		var e *rotation.Error
		if !errors.As(err, &e) || e.Class != rotation.LoginRefused {
			return fmt.Errorf("a rotation with a wrong credential ended with %v, want class %s", err, rotation.LoginRefused)
		}
		if err := errors.Join(st.untouched(t.Context(), id, before), st.ages(t.Context())); err != nil {
			return fmt.Errorf("a rotation with a wrong credential changed the target: %w", err)
		}
		if err := errors.Join(st.rotate(t.Context(), id), st.ages(t.Context())); err != nil {
			return fmt.Errorf("after the secret was mended: %w", err)
		}
	}
	return st.verdict()
}

// elsewhere is no host's name (RFC 6761).
const elsewhere = "elsewhere.invalid"

// place runs setSecret with pending values that somebody has changed.
func (s suite) place(t testing.TB) error {
	for _, field := range s.Place {
		st := s.stage(t)
		for _, id := range ids {
			st.begin(id)
			if err := st.step(t.Context(), id, rotation.CreateSecret); err != nil {
				return err
			}
			made := st.store.Value(id, rotation.Pending)
			st.store.Write(id, st.token(id), made.With(field, elsewhere))
			calls := st.visits.calls("Set")
			if st.step(t.Context(), id, rotation.SetSecret) == nil || st.visits.calls("Set") > calls {
				return fmt.Errorf("setSecret made a call, or passed, although %q of AWSPENDING is not that of AWSCURRENT", field)
			}
			st.store.Write(id, st.token(id), made)
			if err := errors.Join(st.rotate(t.Context(), id), st.ages(t.Context())); err != nil {
				return fmt.Errorf("after the secret was mended: %w", err)
			}
		}
	}
	return nil
}
