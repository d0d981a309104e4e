package functiontest

import (
	"fmt"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
)

// open rotates in one process, with success and without, and looks at what is open after that: to the database
// nothing, to Secrets Manager the connections of the first rotation and no others, and no other file.
func (h Harness) open(t *testing.T, by string) {
	s := h.stage(t, by)
	good := s.user(t)
	wrong := s.user(t, func(d secret.Document) secret.Document { return d.With("password", "not-the-password") })
	token := wrong.fails(t, "Rotation.LoginRefused")
	cut := 0
	again := func() { // each time a connection is cut at another point of setSecret
		cut++
		s.arm(t, fmt.Sprintf("database#%d asked", cut), func() bool { return false })
		if _, err := s.rig.Rotate(t.Context(), good.arn, s.function); err != nil {
			t.Fatal(err)
		}
		if !s.reached(t) {
			t.Error("no connection was cut")
		}
		if wrong.step(t.Context(), s.function, "setSecret", token) == nil {
			t.Fatal("a wrong password was good enough")
		}
	}
	again()
	again() // what stays open is open by now
	_, stores := s.store.Connections()
	files := openFiles(t, s.function)
	const rotations = 5
	for range rotations {
		again()
	}
	s.idle(t)
	if _, now := s.store.Connections(); now != stores {
		t.Errorf("%d new connections to Secrets Manager in a warm process", now-stores)
	}
	if now := openFiles(t, s.function); now > files {
		t.Errorf("the process had %d files open, and has %d after %d rotations", files, now, rotations)
	}
	if n := s.function.Facts().Starts; n != 1 {
		t.Errorf("the process was started %d times", n)
	}
	h.log(t, "nothing-stays-open/process", by, "rotations", 2*rotations)
}
