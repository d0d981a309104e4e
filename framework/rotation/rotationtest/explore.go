package rotationtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// ErrDead is what the calls of an actor end with that has died.
var ErrDead = errors.New("the process has died")

// An Exploration runs a few actors under all orders in which their calls can
// happen, one call at a time, and with each actor dying after each of its calls.
// It is for worlds in memory: a schedule takes well under a millisecond.
type Exploration struct {
	// New makes the same world each time.
	New func() World
	// Deaths are how many actors may die in one schedule.
	Deaths int
	// Switches bounds how often a schedule leaves an actor that could go on; less
	// than 0 is no bound. Most mistakes show with two.
	Switches int
}

// A World is what actors work on.
type World struct {
	// Actors run at the same time. Each makes its calls through its gate. Calls of
	// one actor that are made at once are let through in the order of their names,
	// and in the opposite one.
	Actors []func(*Gate)
	// Safe are the last actors, which do not die.
	Safe int
	// Always is asked after each call.
	Always func() error
	// Finally is asked when all actors have ended.
	Finally func() error
}

// A Gate lets the calls of one actor through, one after the other.
type Gate struct {
	actor int
	mu    *sync.Mutex
	queue *[]*waiting
	dead  bool // guarded by mu
}

type waiting struct {
	gate *Gate
	call string
	pass chan verdict
}

type verdict struct{ dies, dead bool }

// Do waits for its turn and runs effect. Calls that wait at the same time need
// names of their own.
func (g *Gate) Do(call string, effect func() error) error {
	w := &waiting{gate: g, call: call, pass: make(chan verdict)}
	g.mu.Lock()
	if g.dead {
		g.mu.Unlock()
		return ErrDead
	}
	*g.queue = append(*g.queue, w)
	g.mu.Unlock()
	v := <-w.pass
	if v.dead {
		return ErrDead
	}
	err := effect()
	if v.dies {
		return ErrDead // its reply is lost
	}
	return err
}

// A choice is one of those that there are at a point of a schedule.
type choice struct{ taken, of int }

// Run explores, and returns how many schedules there were. It stops at the first
// that breaks a promise, and says which it was.
func (e Exploration) Run(t *testing.T) (schedules int) {
	t.Helper()
	schedules, err := e.search(t)
	if err != nil {
		t.Errorf("schedule %d: %v", schedules, err)
	}
	return schedules
}

func (e Exploration) search(t *testing.T) (schedules int, err error) {
	for _, reverse := range []bool{false, true} {
		for path := []choice(nil); ; {
			var story []string
			synctest.Test(t, func(*testing.T) { path, story, err = e.schedule(path, reverse) })
			schedules++
			if err != nil {
				return schedules, fmt.Errorf("%w, after\n%s", err, strings.Join(story, "\n"))
			}
			if path = next(path); path == nil {
				break
			}
		}
	}
	return schedules, nil
}

// next takes the last choice that can be another one, or is nil.
func next(path []choice) []choice {
	for n := len(path); n > 0; n-- {
		if last := &path[n-1]; last.taken+1 < last.of {
			last.taken++
			return path[:n]
		}
	}
	return nil
}

// schedule runs the actors in one order: the choices of path first, and then the
// first of those that there are.
func (e Exploration) schedule(path []choice, reverse bool) (whole []choice, story []string, err error) {
	w := e.New()
	var mu sync.Mutex
	var queue []*waiting
	for i, actor := range w.Actors {
		g := &Gate{actor: i, mu: &mu, queue: &queue}
		go actor(g)
	}
	last, switches, deaths := 0, 0, 0
	for step := 0; ; step++ {
		synctest.Wait() // each actor waits at its gate, or has ended
		if len(queue) == 0 {
			break
		}
		options := e.options(queue, reverse, last, switches, len(w.Actors)-w.Safe, deaths)
		c := choice{of: len(options)}
		if step < len(path) {
			c.taken = path[step].taken
		}
		whole = append(whole, c)
		o := options[c.taken]
		if o.gate.actor != last && slices.ContainsFunc(queue, func(q *waiting) bool { return q.gate.actor == last }) {
			switches++
		}
		last = o.gate.actor
		story = append(story, o.String())
		queue = slices.DeleteFunc(queue, func(q *waiting) bool { return q == o.waiting })
		if o.dies {
			deaths++
			o.gate.dead = true
			for _, q := range queue {
				if q.gate == o.gate {
					q.pass <- verdict{dead: true}
				}
			}
			queue = slices.DeleteFunc(queue, func(q *waiting) bool { return q.gate == o.gate })
		}
		o.pass <- verdict{dies: o.dies}
		synctest.Wait()
		if aerr := w.Always(); err == nil && aerr != nil {
			err = aerr // the actors go on: a bubble must end
		}
	}
	if err == nil {
		err = w.Finally()
	}
	return whole, story, err
}

// An option is a call that could be next, and whether its actor dies of it.
type option struct {
	*waiting
	dies bool
}

func (o option) String() string {
	s := fmt.Sprintf("  %d: %s", o.gate.actor, o.call)
	if o.dies {
		s += ", and dies"
	}
	return s
}

// options are in an order that is always the same: the actor that was last goes on
// first.
func (e Exploration) options(queue []*waiting, reverse bool, last, switches, mortal, deaths int) (all []option) {
	sorted := slices.Clone(queue)
	rank := func(w *waiting) int {
		if w.gate.actor == last {
			return -1
		}
		return w.gate.actor
	}
	slices.SortFunc(sorted, func(a, b *waiting) int {
		calls := cmp.Compare(a.call, b.call)
		if reverse {
			calls = -calls
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), calls)
	})
	mayLeave := e.Switches < 0 || switches < e.Switches || sorted[0].gate.actor != last
	for i, w := range sorted {
		if i > 0 && sorted[i-1].gate == w.gate || w.gate.actor != last && !mayLeave {
			continue
		}
		all = append(all, option{w, false})
		if deaths < e.Deaths && w.gate.actor < mortal {
			all = append(all, option{w, true})
		}
	}
	return all
}
