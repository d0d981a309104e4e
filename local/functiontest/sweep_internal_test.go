package functiontest

import (
	"slices"
	"testing"
)

// A conversation of so many turns: "asked" and "answered" are reached in each.
func reachedIn(turns map[string]int) func(point) int {
	return func(p point) int {
		if p.turn > turns[p.proxy] {
			return 0
		}
		return 1
	}
}

func TestASweepTriesEachPointInItsOrder(t *testing.T) {
	q := newQueue(newTurns("store", "asked", "answered"), newTurns("database", "asked", "answered"))
	reached := reachedIn(map[string]int{"store": 2, "database": 1})
	var names []string
	for p, ok := q.take(); ok; p, ok = q.take() {
		names = append(names, p.String())
		q.done(p, reached(p))
	}
	want := []string{"store#1 asked", "store#1 answered", "store#2 asked", "store#2 answered", "store#3 asked", "store#3 answered",
		"database#1 asked", "database#1 answered", "database#2 asked", "database#2 answered"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
	if q.all[0].points() != 4 || q.all[1].points() != 2 {
		t.Errorf("%d and %d points", q.all[0].points(), q.all[1].points())
	}
}

func TestASweepWithAStrideEndsWithTheConversation(t *testing.T) {
	all := newTurns("database", "asked")
	all.stride = 3
	q := newQueue(all)
	reached := reachedIn(map[string]int{"database": 5})
	var names []string
	for p, ok := q.take(); ok; p, ok = q.take() {
		names = append(names, p.String())
		q.done(p, reached(p))
	}
	if !slices.Equal(names, []string{"database#1 asked", "database#4 asked", "database#7 asked"}) || all.points() != 2 {
		t.Errorf("got %q, %d points", names, all.points())
	}
}

// Three lanes, of which one is slow: what is counted does not depend on it.
func TestASweepCountsTheSameInWhicheverOrderPointsAreDone(t *testing.T) {
	q := newQueue(newTurns("store", "asked", "answered"), newTurns("database", "asked", "answered"))
	reached := reachedIn(map[string]int{"store": 3, "database": 2})
	slow, _ := q.take()
	var late point
	for n := 0; ; n++ {
		p, ok := q.take()
		if !ok {
			break
		}
		if n == 3 {
			late = p
			continue
		}
		q.done(p, reached(p))
	}
	q.done(late, reached(late))
	q.done(slow, reached(slow))
	for p, ok := q.take(); ok; p, ok = q.take() {
		q.done(p, reached(p))
	}
	if q.all[0].points() != 6 || q.all[1].points() != 4 {
		t.Errorf("%d and %d points", q.all[0].points(), q.all[1].points())
	}
}
