package functiontest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// lanes are what the points of a sweep are tried on at the same time: a rotation waits for processes and servers about as
// long as it computes.
func lanes[S any](t *testing.T, open func(t *testing.T) S) (all []S) {
	t.Helper()
	for range min(2*runtime.GOMAXPROCS(0), 8) {
		all = append(all, open(t))
	}
	return all
}

// sweep tries each point of a rotation in turn, one on each lane at the same time, and returns how often one was
// reached, which at tells. A point is a subtest, so that a failure names it. After the first failure no more are begun.
func sweep[S any](t *testing.T, lanes []S, q *queue, at func(t *testing.T, lane S, point string) (reached int)) (points int) {
	t.Helper()
	var running sync.WaitGroup
	for _, lane := range lanes {
		running.Go(func() {
			for !t.Failed() {
				p, ok := q.take()
				if !ok {
					return
				}
				t.Run(p.String(), func(t *testing.T) { q.done(p, at(t, lane, p.String())) })
			}
		})
	}
	running.Wait()
	return q.points()
}

// A point is a moment in a turn of a proxy's: see [rig.Points].
type point struct {
	*turns
	turn   int // from 1
	moment string
}

func (p point) String() string { return fmt.Sprintf("%s#%d %s", p.proxy, p.turn, p.moment) }

// turns are what is known of a proxy's. How many a conversation takes varies, as what a server sends may come together
// or apart: it is over with the first of which no point was reached. The last turn of a connection may have no answer, so
// that "asked" is among the moments.
type turns struct {
	proxy   string
	moments []string
	stride  int         // of the turns, whose first is the first
	taken   int         // points
	tried   map[int]int // points, by turn
	reached map[int]int // how often points were, by turn
	end     int         // the first turn that was not reached; 0 until it is known
}

func newTurns(proxy string, moments ...string) *turns {
	return &turns{proxy: proxy, moments: moments, stride: 1, tried: map[int]int{}, reached: map[int]int{}}
}

// points are how many were reached up to the end.
func (s *turns) points() (sum int) {
	for turn := 1; turn < s.end; turn++ {
		sum += s.reached[turn]
	}
	return sum
}

// A queue hands out the points of a sweep in their order: turn by turn, one proxy after the other. While the last turn
// of a proxy is under way, it hands out later ones, which are not reached.
type queue struct {
	all []*turns

	mu     sync.Mutex
	coming []*turns // those of all that are not over
}

func newQueue(all ...*turns) *queue { return &queue{all: all, coming: all} }

// points are how many were reached.
func (q *queue) points() (sum int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.all {
		sum += s.points()
	}
	return sum
}

// take is the next point, unless there is none.
func (q *queue) take() (p point, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.coming) > 0 && q.coming[0].end > 0 {
		q.coming = q.coming[1:]
	}
	if len(q.coming) == 0 {
		return p, false
	}
	s, n := q.coming[0], len(q.coming[0].moments)
	p = point{s, s.taken/n*s.stride + 1, s.moments[s.taken%n]}
	s.taken++
	return p, true
}

// done says how often a point was reached.
func (q *queue) done(p point, reached int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p.tried[p.turn]++
	p.reached[p.turn] += reached
	if p.tried[p.turn] == len(p.moments) && p.reached[p.turn] == 0 && (p.end == 0 || p.turn < p.end) {
		p.end = p.turn
	}
}
