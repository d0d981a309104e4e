package rotationtest

import (
	"cmp"
	"crypto/sha256"
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
	// than 0 is no bound. Most mistakes show with two. Without a bound, a schedule
	// ends where another one has been: where the world, and what each actor knows,
	// is the same. What follows is the same then too.
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
	// State tells all that actors can see or change. A search without a bound
	// needs it.
	State func() string
}

// A Gate lets the calls of one actor through, one after the other.
type Gate struct {
	actor int
	mu    *sync.Mutex
	queue *[]*waiting
	dead  bool   // guarded by mu
	knows string // a digest of its calls and of what it could see at each
}

// Forgets says that all that the actor knows of its calls so far is what. The
// fewer things actors know, the fewer are the states of the world.
func (g *Gate) Forgets(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.knows = what
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
		r := run{Exploration: e, reverse: reverse, seen: map[[sha256.Size]byte]bool{}}
		for path := []choice(nil); ; {
			synctest.Test(t, func(*testing.T) { path, err = r.schedule(path) })
			schedules++
			if err != nil {
				return schedules, fmt.Errorf("%w, after\n%s", err, strings.Join(r.story, "\n"))
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

// A run is a search with calls made at once in one order.
type run struct {
	Exploration
	reverse bool
	seen    map[[sha256.Size]byte]bool // where a search without a bound has been

	// Of one schedule:
	world    World
	gates    []*Gate
	mu       sync.Mutex
	queue    []*waiting
	last     int // the actor that made the last call
	switches int
	deaths   int
	story    []string
}

// schedule runs the actors in one order: the choices of path first, and then the
// first of those that there are.
func (r *run) schedule(path []choice) (whole []choice, err error) {
	r.begin()
	for {
		synctest.Wait() // each actor waits at its gate, or has ended
		if len(r.queue) == 0 {
			break
		}
		if len(whole) >= len(path) && r.known() {
			r.abandon()
			return whole, err
		}
		options := r.options()
		c := choice{of: len(options)}
		if len(whole) < len(path) {
			c.taken = path[len(whole)].taken
		}
		whole = append(whole, c)
		r.take(options[c.taken])
		synctest.Wait()
		if aerr := r.world.Always(); err == nil && aerr != nil {
			err = aerr // the actors go on: a bubble must end
		}
	}
	if err == nil {
		err = r.world.Finally()
	}
	return whole, err
}

func (r *run) begin() {
	r.world, r.gates, r.queue, r.story = r.New(), nil, nil, nil
	r.last, r.switches, r.deaths = 0, 0, 0
	for i, actor := range r.world.Actors {
		g := &Gate{actor: i, mu: &r.mu, queue: &r.queue}
		r.gates = append(r.gates, g)
		go actor(g)
	}
}

// known reports whether another schedule was here. A search with a bound does not
// ask: how much of the bound is left would count too.
func (r *run) known() bool {
	if r.Switches >= 0 {
		return false
	}
	h := sha256.New()
	fmt.Fprintln(h, r.deaths, r.world.State())
	for _, g := range r.gates {
		fmt.Fprintf(h, "%d %v %q\n", g.actor, g.dead, g.knows)
	}
	var calls []string
	for _, w := range r.queue {
		calls = append(calls, fmt.Sprintf("%d %q", w.gate.actor, w.call))
	}
	slices.Sort(calls)
	fmt.Fprintln(h, calls)
	here := [sha256.Size]byte(h.Sum(nil))
	was := r.seen[here]
	r.seen[here] = true
	return was
}

// abandon ends all actors where they are.
func (r *run) abandon() {
	r.mu.Lock()
	for _, g := range r.gates {
		g.dead = true
	}
	r.mu.Unlock()
	for _, w := range r.queue {
		w.pass <- verdict{dead: true}
	}
	synctest.Wait()
}

// take lets one call through.
func (r *run) take(o option) {
	if o.gate.actor != r.last && slices.ContainsFunc(r.queue, func(q *waiting) bool { return q.gate.actor == r.last }) {
		r.switches++
	}
	r.last = o.gate.actor
	r.story = append(r.story, o.String())
	r.queue = slices.DeleteFunc(r.queue, func(q *waiting) bool { return q == o.waiting })
	if o.dies {
		r.deaths++
		o.gate.dead = true
		for _, q := range r.queue {
			if q.gate == o.gate {
				q.pass <- verdict{dead: true}
			}
		}
		r.queue = slices.DeleteFunc(r.queue, func(q *waiting) bool { return q.gate == o.gate })
	}
	if r.Switches < 0 {
		sum := sha256.Sum256([]byte(o.gate.knows + "\n" + o.call + "\n" + r.world.State()))
		o.gate.knows = string(sum[:])
	}
	o.pass <- verdict{dies: o.dies}
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
func (r *run) options() (all []option) {
	sorted := slices.Clone(r.queue)
	rank := func(w *waiting) int {
		if w.gate.actor == r.last {
			return -1
		}
		return w.gate.actor
	}
	slices.SortFunc(sorted, func(a, b *waiting) int {
		calls := cmp.Compare(a.call, b.call)
		if r.reverse {
			calls = -calls
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), calls)
	})
	mayLeave := r.Switches < 0 || r.switches < r.Switches || sorted[0].gate.actor != r.last
	mortal := len(r.gates) - r.world.Safe
	for i, w := range sorted {
		if i > 0 && sorted[i-1].gate == w.gate || w.gate.actor != r.last && !mayLeave {
			continue
		}
		all = append(all, option{w, false})
		if r.deaths < r.Deaths && w.gate.actor < mortal {
			all = append(all, option{w, true})
		}
	}
	return all
}
