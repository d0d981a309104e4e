package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// An invocation is one call of the function. Its context leads to it.
type invocation struct {
	*task
	chance *rand.Rand
	perils perils
	owes   time.Duration // what the reads took that were made at once
}

type key struct{}

func invoked(ctx context.Context) *invocation { return ctx.Value(key{}).(*invocation) }

// call lets a call with an effect take its time. The process may die before the effect, or after it.
func (i *invocation) call(ctx context.Context, takes time.Duration, effect func() error) error {
	takes, i.owes = takes+i.owes, 0
	if err := i.sleep(ctx, takes/2); err != nil {
		return err
	}
	i.mayCrash()
	err := effect()
	i.mayCrash()
	if slept := i.sleep(ctx, takes-takes/2); slept != nil {
		return slept // the effect is there, and nobody was told
	}
	return err
}

func (i *invocation) mayCrash() {
	if i.chance.Float64() < i.perils.crash {
		i.crash()
	}
}

// A virtual clock is the engine's.
type virtual struct{ loop *loop }

// Now implements rotation.Clock.
func (v virtual) Now() time.Time { return time.Unix(0, 0).Add(v.loop.now) }

// Sleep implements rotation.Clock.
func (v virtual) Sleep(ctx context.Context, d time.Duration) error {
	i := invoked(ctx)
	d, i.owes = d+i.owes, 0
	return i.sleep(ctx, d)
}

var _ rotation.Clock = virtual{}
