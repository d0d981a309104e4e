package functiontest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/local/rig"
)

// atOnce has two processes run each step at the same moment. Both succeed, and agree.
func (h Harness) atOnce(t *testing.T, by string) {
	s := h.stage(t, by)
	other, u := s.second(t), s.user(t)
	const rotations = 6
	for range rotations {
		old, token := u.value(t.Context(), "AWSCURRENT").Text("password"), u.begin(t)
		var pending string
		for _, step := range steps() {
			var both sync.WaitGroup
			for _, f := range []*rig.Function{s.function, other} {
				both.Go(func() {
					if err := u.step(t.Context(), f, step, token); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			if err := u.alive(t.Context()); err != nil {
				t.Fatalf("after %s twice at once, locked out: %v", step, err)
			}
			if step == "createSecret" {
				pending = u.value(t.Context(), "AWSPENDING").Text("password")
			}
		}
		u.wantRotated(t, token, pending, old)
	}
	h.log(t, "runs-at-once-agree/process", by, "steps", rotations*len(steps()))
}

// overlapping holds one process up at each point of a rotation in turn, while another runs the whole rotation to its
// end; then the slow one goes on.
func (h Harness) overlapping(t *testing.T, by string) {
	// Between an answer and the next question it makes no difference where a run stands still.
	points := sweep(t, h.stages(t, by), newQueue(newTurns("store", "asked"), newTurns("database", "asked")), func(t *testing.T, s *stage, point string) (reached int) {
		u := s.user(t)
		for range turnsOf(by) {
			if u.rotateSlowly(t, point, s.second(t)) {
				reached++
			}
		}
		return reached
	})
	h.log(t, "overlapping-runs-agree/process", by, "points", points)
}

// lockPatience is how long the retry may wait for the slow run. It has to where the database makes it: the slow run may
// hold a lock. Then that one goes on first.
const lockPatience = 200 * time.Millisecond

// rotateSlowly holds the stage's function up at the point, until retry is through.
func (u *user) rotateSlowly(t *testing.T, point string, retry *rig.Function) (reached bool) {
	t.Helper()
	old, token := u.value(t.Context(), "AWSCURRENT").Text("password"), u.begin(t)
	held, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	defer release()
	u.arm(t, point, func() bool { close(held); <-released; return true })
	slow, retried := make(chan error, 1), make(chan error, 1)
	go func() { slow <- u.untilHeld(t.Context(), token, held) }()
	select {
	case err := <-slow: // it ended without coming to the point, or it ends with it
		if err != nil {
			t.Fatalf("a healthy rotation: %v", err)
		}
		release()
		u.wantRotated(t, token, "", old)
		return u.reached(t)
	case <-held:
	}
	go func() { retried <- u.all(t.Context(), retry, token) }()
	var err error
	select {
	case err = <-retried:
		release()
	case <-time.After(lockPatience):
		release()
		err = <-retried
	}
	if err != nil {
		t.Errorf("held up at %s, the retry: %v", point, err)
	}
	if err := <-slow; err != nil {
		t.Errorf("held up at %s, the slow run: %v", point, err)
	}
	u.wantRotated(t, token, "", old)
	if t.Failed() {
		t.Fatalf("it was held up at %s", point)
	}
	return u.reached(t)
}

// untilHeld runs the steps up to the one that is held up, and that one to its end.
func (u *user) untilHeld(ctx context.Context, token string, held <-chan struct{}) error {
	for _, step := range steps() {
		if err := u.step(ctx, u.function, step, token); err != nil {
			return err
		}
		select {
		case <-held:
			return nil
		default:
		}
	}
	return nil
}

// all runs the steps in their order.
func (u *user) all(ctx context.Context, f *rig.Function, token string) error {
	for _, step := range steps() {
		if err := u.step(ctx, f, step, token); err != nil {
			return err
		}
	}
	return nil
}
