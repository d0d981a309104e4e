package databasetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// expected is how many logins the nth healthy rotation takes: by the user in use,
// by the administrator, with the new password while it can still be put back, and
// by testSecret; and with AWSPREVIOUS's password where that alone proves whose the
// other user is. None is refused.
func (s suite) expected(n int) int32 {
	switch s.strategy {
	case database.AlternatingUsers:
		if s.Unmarked && n > 0 { // the first finds no clone
			return 6
		}
		return 5
	case database.SingleUserByAdministrator:
		return 4
	default:
		return 3
	}
}

// healthy rotates three times and counts logins.
func (s suite) healthy(t *testing.T) {
	st := s.stage(t, "")
	rights := st.rights(t)
	for n := range 3 {
		logins := s.expected(n)
		before := st.store.Value("user", rotation.Current)
		st.logins.Store(0)
		st.refusals.Store(0)
		if err := st.rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if st.logins.Load() != logins || st.refusals.Load() != 0 {
			t.Errorf("rotation %d: %d logins, %d refused; want %d, none of them refused", n, st.logins.Load(), st.refusals.Load(), logins)
		}
		if err := st.works(t.Context(), rotation.Current); err != nil {
			t.Errorf("rotation %d: the new password does not work: %v", n, err)
		}
		if got := st.rights(t); !slices.Equal(got, rights) {
			t.Errorf("rotation %d: the rights became\n%q, and were\n%q", n, got, rights)
		}
		if err := s.oldPassword(t, st, before); err != nil {
			t.Errorf("rotation %d: the old password: %v", n, err)
		}
	}
}

// oldPassword checks that a replaced password works or not, as the strategy
// promises.
func (s suite) oldPassword(t *testing.T, st *stage, doc secret.Document) error {
	conn, err := st.rotator.Connect(t.Context(), doc)
	if s.Overlap || s.strategy == database.AlternatingUsers {
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if err == nil {
		_ = conn.Close()
		return errors.New("it still works")
	}
	if !errors.Is(err, database.ErrLoginRefused) {
		return fmt.Errorf("it is not refused: %w", err)
	}
	return nil
}

// names rotates users with names that are hard to quote.
func (s suite) names(t *testing.T) {
	for i, name := range s.Names {
		if !s.sweeps(rotationtest.WantedSweep()) && !rotationtest.Some(i) {
			continue // another server of this kind takes them all, or another run
		}
		t.Run(name, func(t *testing.T) {
			st := s.stage(t, name)
			if got := st.User.Text("username"); got != name {
				t.Fatalf("the harness made the user %q", got)
			}
			for range 2 {
				if err := st.rotate(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := st.works(t.Context(), rotation.Current); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// strangers has two users whose names make them a pair, and who are none: by
// chance, or because somebody wants what the other may do. Whichever is in use, the
// other is left alone.
func (s suite) strangers(t *testing.T) {
	if s.strategy != database.AlternatingUsers {
		return
	}
	original := s.stage(t, "")
	clone := s.stage(t, original.rotator.Twin(original.User.Text("username")))
	rights := map[*stage][]string{original: original.rights(t), clone: clone.rights(t)}
	for _, st := range []*stage{original, clone} {
		st.store.Begin("user", "trial")
		s.refuses(t, st, st.engine.Handle(t.Context(), rotation.Event{Step: rotation.TestSecret, SecretID: "user", Token: "trial"}))
		st.store.End("user")
		s.refuses(t, st, st.rotate(t.Context()))
	}
	for st, before := range rights {
		if err := st.works(t.Context(), rotation.Current); err != nil {
			t.Errorf("%q was changed: %v", st.User.Text("username"), err)
		}
		if got := st.rights(t); !slices.Equal(got, before) {
			t.Errorf("%q has now the rights\n%q, and had\n%q", st.User.Text("username"), got, before)
		}
	}
}

// refuses wants the twin of a stage's user to have been refused, with a way out.
func (s suite) refuses(t *testing.T, st *stage, err error) {
	t.Helper()
	var e *rotation.Error
	twin := st.rotator.Twin(st.User.Text("username"))
	if !errors.As(err, &e) || e.Class != rotation.NotItsTwin || !strings.Contains(e.Remedy, "CLONE_ADOPT="+twin) {
		t.Errorf("beside %q: got %v", twin, err)
	}
}
