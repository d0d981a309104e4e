package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

const (
	between = 50 * time.Millisecond // from a step to the next
	retry   = time.Minute           // from a failed rotation to its next attempt: the service does not say (?)
	timeout = 30 * time.Second      // the function's
	margin  = time.Second           // what the engine keeps back of it
)

// A rotated is a secret on its way.
type rotated struct {
	id       string
	server   *server
	engine   *rotation.Engine
	keeps    bool // AWSCURRENT has to work at every moment
	chance   *rand.Rand
	attempts int
	done     time.Duration
}

const version = "next"

// start begins the rotation of a secret, or an attempt to end it.
func (s *simulation) start(r *rotated) {
	r.attempts++
	if r.attempts == 1 {
		s.store.Begin(r.id, version)
	}
	s.step(r, rotation.Steps())
}

// step invokes the function for the first of some steps.
func (s *simulation) step(r *rotated, steps []rotation.Step) {
	if len(steps) == 0 {
		s.store.End(r.id)
		r.done = s.loop.now
		s.rotated++
		return
	}
	if s.running == concurrency {
		s.refused++ // TooManyRequestsException
		s.failed(r)
		return
	}
	s.running++
	s.busiest = max(s.busiest, s.running)
	s.loop.spawn(func(t *task) {
		i := &invocation{task: t, chance: r.chance, perils: s.perils}
		err := errors.New("the process died")
		defer func() {
			s.running--
			if i.crashed {
				s.crashes++
			}
			s.loop.after(between, func() { s.ended(r, steps, err) })
		}()
		err = s.invoke(i, r, steps[0])
	})
}

// ended goes on to the next step, or tries again later.
func (s *simulation) ended(r *rotated, steps []rotation.Step, err error) {
	if err == nil {
		s.step(r, steps[1:])
		return
	}
	s.failed(r)
}

func (s *simulation) failed(r *rotated) {
	s.failures++
	s.check(r, "after a failure")
	s.loop.after(retry/2+time.Duration(r.chance.Int64N(int64(retry))), func() { s.start(r) })
}

// invoke is the function. Its time is up when the engine would say so.
func (s *simulation) invoke(i *invocation, r *rotated, step rotation.Step) error {
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, i))
	defer cancel()
	s.loop.after(timeout-margin, func() {
		cancel()
		i.wake(i.sleeps)
	})
	i.mayCrash()
	err := r.engine.Handle(ctx, rotation.Event{Step: step, SecretID: r.id, Token: version})
	if i.owes > 0 { // nothing but reads
		if slept := i.sleep(ctx, i.owes); slept != nil && err == nil {
			err = slept
		}
	}
	i.mayCrash()
	return err
}

// check notes a secret that nobody can log in with.
func (s *simulation) check(r *rotated, when string) {
	err := s.works(r, rotation.Current)
	if err != nil && !r.keeps {
		err = s.works(r, rotation.Pending)
	}
	if err != nil && s.lost == nil {
		s.lost = fmt.Errorf("%s, at %v, %s: %w", r.id, s.loop.now, when, err)
	}
}
