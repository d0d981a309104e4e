package rotationtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// counting is a world in which each of two actors adds one to a number, in two calls.
func counting(wants ...int) func() World {
	return func() World {
		n := 0
		add := func(g *Gate) {
			var read int
			if g.Do("read", func() error { read = n; return nil }) == nil {
				_ = g.Do("write", func() error { n = read + 1; return nil })
			}
		}
		return World{Actors: []func(*Gate){add, add}, State: func() string { return fmt.Sprint(n) }, Always: func() error { return nil }, Finally: func() error {
			for _, want := range wants {
				if n == want {
					return nil
				}
			}
			return errors.New("unexpected")
		}}
	}
}

func TestAnExplorationFindsWhatOneOrderBreaks(t *testing.T) {
	_, err := Exploration{New: counting(2), Switches: -1}.search(t)
	if err == nil || !strings.Contains(err.Error(), "0: read\n  1: read\n") && !strings.Contains(err.Error(), "1: read") {
		t.Errorf("a lost update was not found: %v", err)
	}
	if n, err := (Exploration{New: counting(2), Switches: 0}).search(t); err != nil || n != 2 {
		t.Errorf("one after the other, in two orders of calls made at once: %d, %v", n, err)
	}
}

func TestAnExplorationLetsActorsDie(t *testing.T) {
	if _, err := (Exploration{New: counting(2), Deaths: 1}).search(t); err == nil {
		t.Error("nobody has died")
	}
	n, err := Exploration{New: counting(0, 1, 2), Deaths: 1, Switches: -1}.search(t)
	if err != nil || n < 20 {
		t.Errorf("%d schedules, %v", n, err)
	}
	mortal := func() World { w := counting(2)(); w.Safe = 2; return w }
	if _, err := (Exploration{New: mortal, Deaths: 1}).search(t); err != nil {
		t.Errorf("who is safe has died: %v", err)
	}
}
