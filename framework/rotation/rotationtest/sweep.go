package rotationtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A mode is what kind of fault happens at a call.
type mode struct{ late, transient, lasting bool }

func (m mode) String() string {
	when, how := "before", "once"
	if m.late {
		when = "after"
	}
	switch {
	case m.transient:
		how = "transient"
	case m.lasting:
		how = "lasting"
	}
	return when + " its effect, " + how
}

func modes() (all []mode) {
	for _, late := range []bool{false, true} {
		all = append(all, mode{late: late}, mode{late: late, transient: true}, mode{late: late, lasting: true})
	}
	return all
}

// sweep rotates each secret twice with a fault at every call in turn, to Secrets
// Manager and to the target, and after each fault runs the rotation again to its
// end.
func (s suite) sweep(t testing.TB) error {
	healthy := s.stage(t)
	for range 2 {
		for _, id := range ids {
			if err := healthy.rotate(t.Context(), id); err != nil {
				return err
			}
		}
	}
	calls := healthy.faults.Names()
	for _, at := range calls {
		for _, m := range modes() {
			if err := s.fault(t, at, m); err != nil {
				return fmt.Errorf("a fault at %s, %v: %w", at, m, err)
			}
		}
	}
	t.Logf("GUARANTEE never-locked-out/calls rotator=%s overlap=%v calls=%d points=%d", s.Name, s.Overlap, len(calls), len(calls)*len(modes()))
	return nil
}

// fault rotates each secret twice under one fault.
func (s suite) fault(t testing.TB, at string, m mode) error {
	st := s.stage(t)
	st.faults.At, st.faults.Late, st.faults.Transient, st.faults.Lasting = at, m.late, m.transient, m.lasting
	for range 2 {
		for _, id := range ids {
			if err := errors.Join(st.converge(t.Context(), id), st.ages(t.Context())); err != nil {
				return err
			}
		}
	}
	if !st.faults.Fired() {
		return errors.New("it was never reached")
	}
	if st.visits.again(at) {
		return errors.New("the rotator tried again by itself, which can lock an account: only the engine may")
	}
	return st.verdict()
}

// converge runs a rotation, and if it fails, once more.
func (st *stage) converge(ctx context.Context, id string) error {
	err := st.rotate(ctx, id)
	st.faults.Revive()
	if alive := st.alive(ctx); alive != nil || err == nil {
		return alive
	}
	pending := st.store.Value(id, rotation.Pending).Text(st.Credential)
	if err := st.rotate(ctx, id); err != nil {
		return fmt.Errorf("the next run does not converge: %w", err)
	}
	if now := st.store.Value(id, rotation.Current).Text(st.Credential); pending != "" && now != pending {
		return errors.New("a pending value was overwritten")
	}
	return st.alive(ctx)
}
