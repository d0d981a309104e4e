package rotationtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// healthy rotates each secret three times.
func (s suite) healthy(t testing.TB) error {
	st := s.stage(t)
	for range 3 {
		for _, id := range ids {
			refused := st.refused()
			if err := st.rotate(t.Context(), id); err != nil {
				return err
			}
			if n := st.refused() - refused; n != 0 {
				return fmt.Errorf("the target refused %d credentials in a healthy rotation", n)
			}
			if err := errors.Join(st.ages(t.Context()), st.moved(id)); err != nil {
				return err
			}
		}
	}
	if n := st.visits.calls("Next"); n != 0 && !s.Creates {
		return fmt.Errorf("createSecret made %d calls to the target: Next must not touch it", n)
	}
	for _, method := range []string{"Set", "Test"} {
		if st.visits.calls(method) == 0 {
			return fmt.Errorf("%s made no call to the target, or the harness did not pass it through the Faults", method)
		}
	}
	return st.verdict()
}

func (st *stage) refused() int {
	if st.Refused == nil {
		return 0
	}
	return st.Refused()
}

// moved checks that the last rotation of a secret led to a credential that there
// never was, and kept what the rotator does not know.
func (st *stage) moved(id string) error {
	now := st.store.Value(id, rotation.Current)
	if now.Text(unknown) != kept {
		return errors.New("a field that the rotator does not know was lost")
	}
	for _, other := range ids {
		for i, doc := range st.history[other] {
			last := other == id && i == len(st.history[id])-1
			if !last && doc.Text(st.Credential) == now.Text(st.Credential) {
				return errors.New("a rotation led to a credential that there was before")
			}
		}
	}
	return nil
}

// proves runs testSecret where setSecret never was.
func (s suite) proves(t testing.TB) error {
	if s.Creates {
		t.Log("NOT COVERED: the target accepts what createSecret made.")
		return nil
	}
	st := s.stage(t)
	for _, id := range ids {
		st.begin(id)
		if err := st.step(t.Context(), id, rotation.CreateSecret); err != nil {
			return err
		}
		before := st.state()
		if st.step(t.Context(), id, rotation.TestSecret) == nil {
			return errors.New("testSecret passed a value that the target does not accept")
		}
		if err := st.untouched(t.Context(), id, before); err != nil {
			return fmt.Errorf("testSecret changed the target: %w", err)
		}
		if err := errors.Join(st.rotate(t.Context(), id), st.ages(t.Context())); err != nil {
			return fmt.Errorf("after a testSecret that failed: %w", err)
		}
	}
	return st.verdict()
}

// stepping rotates both secrets twice, step by step and in turn, where do runs
// one step.
func (s suite) stepping(t testing.TB, do func(st *stage, id string, step rotation.Step) error) error {
	st := s.stage(t)
	for range 2 {
		for _, id := range ids {
			st.begin(id)
		}
		for _, step := range rotation.Steps() {
			for _, id := range ids {
				if err := errors.Join(do(st, id, step), st.alive(t.Context())); err != nil {
					return fmt.Errorf("%s: %w", step, err)
				}
			}
		}
		for _, id := range ids {
			st.end(id)
		}
		if err := st.ages(t.Context()); err != nil {
			return err
		}
	}
	return st.verdict()
}

// twice runs each step twice before the next.
func (s suite) twice(t testing.TB) error {
	return s.stepping(t, func(st *stage, id string, step rotation.Step) error {
		if err := st.step(t.Context(), id, step); err != nil {
			return err
		}
		before := st.state()
		if err := st.step(t.Context(), id, step); err != nil {
			return fmt.Errorf("the second time: %w", err)
		}
		if st.state() != before {
			return errors.New("the second run changed the target")
		}
		return nil
	})
}

// atOnce runs each step three times at the same moment.
func (s suite) atOnce(t testing.TB) error {
	return s.stepping(t, func(st *stage, id string, step rotation.Step) error {
		var errs [3]error
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = st.step(t.Context(), id, step) })
		}
		wg.Wait()
		return errors.Join(errs[:]...)
	})
}
