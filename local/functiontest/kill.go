package functiontest

import (
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// killed kills the function at each point of a rotation in turn, and has Secrets Manager run the rotation again. With
// alternating users both turns of the pair are swept, as the clone is made in one and not in the other.
//
// A process that dies before its next question leaves the world as one that dies before the answer to its last: one of the
// two is left to a full sweep.
func (h Harness) killed(t *testing.T, by string) {
	rotations := turnsOf(by)
	moments := []string{"asked"}
	if rotationtest.WantedSweep() == rotationtest.FullSweep {
		moments = append(moments, "answered")
	}
	store, db := newTurns("store", moments...), newTurns("database", moments...)
	db.stride = rotationtest.WantedSweep().Stride()
	stages := h.stages(t, by)
	points := sweep(t, stages, newQueue(store, db), func(t *testing.T, s *stage, point string) (reached int) {
		u := s.user(t)
		for range rotations {
			if u.rotateKilled(t, point) {
				reached++
			}
			s.passwords = append(s.passwords, u.value(t.Context(), "AWSCURRENT").Text("password"))
		}
		return reached
	})
	for _, s := range stages {
		for _, line := range Find(s.function.Log(), append(s.passwords, s.rig.RotationTokens()...)...) {
			t.Errorf("a password or RotationToken is in the function's output: %s", line)
		}
	}
	if fewest := rotations * (len(store.moments)*11 + len(db.moments)*6/db.stride); points < fewest { // calls of Secrets Manager, and two logins of three turns
		t.Errorf("%d points: at least %d were to be reached", points, fewest)
	}
	h.log(t, "never-locked-out/process", by, "points", points)
}

// rotateKilled rotates once, with the process killed at the point.
func (u *user) rotateKilled(t *testing.T, point string) (reached bool) {
	t.Helper()
	old, pending := u.value(t.Context(), "AWSCURRENT").Text("password"), ""
	u.whenFailed(func() {
		if err := u.alive(t.Context()); err != nil {
			t.Errorf("killed at %s, locked out: %v", point, err)
		}
		pending = u.value(t.Context(), "AWSPENDING").Text("password")
	})
	u.arm(t, point, func() bool {
		if err := u.function.Restart(); err != nil {
			t.Errorf("killed at %s: %v", point, err)
		}
		return false
	})
	n, err := u.rig.Rotate(t.Context(), u.arn, u.function)
	u.whenFailed(nil)
	if err != nil {
		t.Fatalf("killed at %s, not rotated by the next attempt: %v", point, err)
	}
	reached = u.reached(t)
	u.wantRotated(t, n.Token, pending, old)
	if t.Failed() {
		t.Fatalf("it was killed at %s", point)
	}
	return reached
}
