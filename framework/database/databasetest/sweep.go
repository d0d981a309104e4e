package databasetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// A mode is what kind of fault happens at a point: before the call has its
// effect or after it (late), and one that passes or one that lasts until the
// function is run again.
type mode struct{ late, lasting bool }

func (m mode) String() string { return fmt.Sprintf("late=%v,lasting=%v", m.late, m.lasting) }

// modes are those of the sweep that is wanted: of which the function dies, and
// in a full sweep of one server of a kind also those that pass. A run that dies before a call
// leaves the world as one that dies after the call before it, and tells the next
// run no more: one of the two is enough.
func (s suite) modes() []mode {
	late := []mode{{late: true, lasting: true}}
	if rotationtest.WantedSweep() != rotationtest.FullSweep || s.NoSweep {
		return late
	}
	return append(late, mode{late: true})
}

// sweep rotates twice with a fault at every point in turn, and after each fault
// runs the rotation again to its end. Points are the calls to Secrets Manager
// and each write of the driver to its server; or each call of a driver that has
// no connection.
func (s suite) sweep(t *testing.T) {
	healthy := s.stage(t, "")
	for range 2 {
		if err := healthy.rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.calls(t, "store", healthy.calls.Names(), func(st *stage) *rotationtest.Faults { return &st.calls })
	if healthy.wire.writes == 0 {
		s.calls(t, "driver", healthy.driver.Names(), func(st *stage) *rotationtest.Faults { return &st.driver })
		return
	}
	writes, step := 0, rotationtest.WantedSweep().Stride()
	for s.cut(t, writes*step+1) {
		writes++
	}
	s.guarantee(t, "connection", writes)
}

// guarantee says how many points were covered, for docs/guarantees.md.
func (s suite) guarantee(t *testing.T, kind string, points int) {
	if !t.Failed() {
		t.Logf("GUARANTEE never-locked-out/%s engine=%s strategy=%s server=%q real=%v points=%d modes=%d", kind, s.Driver.Name(), s.name, s.Server, s.Real, points, len(s.modes()))
	}
}

// calls fails each call of those names in turn.
func (s suite) calls(t *testing.T, kind string, names []string, faults func(*stage) *rotationtest.Faults) {
	for _, at := range names {
		for _, m := range s.modes() {
			t.Run(fmt.Sprintf("%s,%v", at, m), func(t *testing.T) {
				st := s.stage(t, "")
				f := faults(st)
				f.At, f.Late, f.Transient = at, m.late, !m.lasting
				s.crash(t, st)
				if !f.Fired() {
					t.Fatal("the fault was never reached")
				}
			})
			if t.Failed() {
				return
			}
		}
	}
	s.guarantee(t, kind, len(names))
}

// cut cuts the connection at one write in all modes, and reports whether there
// are more. How many there are need not be the same each time: a driver may
// have connections that only watch the server.
func (s suite) cut(t *testing.T, at int) (more bool) {
	for _, m := range s.modes() {
		t.Run(fmt.Sprintf("Write#%d,%v", at, m), func(t *testing.T) {
			st := s.stage(t, "")
			st.wire.at, st.wire.late, st.wire.lasting = at, m.late, m.lasting
			s.crash(t, st)
			more = more || st.wire.fired()
		})
	}
	return more && !t.Failed()
}

// crash rotates twice under a fault, as often as it takes: once more.
func (s suite) crash(t *testing.T, st *stage) {
	rights := st.rights(t)
	for range 2 {
		var pending string
		for attempt := 0; ; attempt++ {
			err := st.rotate(st.wire.revive(t.Context()))
			s.alive(t, st, rights)
			if err == nil {
				break
			}
			if attempt == 1 {
				t.Fatalf("does not converge: %v", err)
			}
			pending = st.store.Value("user", rotation.Pending).Text("password")
		}
		if now := st.store.Value("user", rotation.Current).Text("password"); pending != "" && now != pending {
			t.Fatal("a pending value was overwritten")
		}
	}
	if err := st.works(t.Context(), rotation.Current); err != nil {
		t.Fatal(err)
	}
}

// alive checks the promise of the strategy: at no moment is everyone locked
// out, or has whoever is not fewer rights than before, or more.
func (s suite) alive(t *testing.T, st *stage, rights []string) {
	t.Helper()
	now, err := st.look(t.Context(), rotation.Current)
	if err != nil && s.strategy != database.AlternatingUsers && !s.Overlap {
		now, err = st.look(t.Context(), rotation.Pending)
	}
	if err != nil {
		t.Fatalf("locked out: %v", err)
	}
	if !slices.Equal(now, rights) {
		t.Fatalf("the rights became\n%q, and were\n%q", now, rights)
	}
}
