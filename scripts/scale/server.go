package main

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Perils are what goes wrong, as shares of one.
type perils struct {
	crash float64 // of calls with an effect, that the process dies before, and that it dies after
	slow  float64 // of servers, that are a hundred times slower than others
	down  float64 // of servers, that refuse connections for two minutes
	hung  float64 // of servers, that accept none and refuse none for two minutes
}

var usual = perils{crash: 0.002, slow: 0.05, down: 0.02, hung: 0.02}

// A server is a database server with users of its own.
type server struct {
	databasetest.Memory
	loop     *loop
	scale    time.Duration // the median of what a call takes
	from, to time.Duration // when it is out of order
	hung     bool
}

const outage = 2 * time.Minute

func newServer(l *loop, p perils, chance *rand.Rand) *server {
	s := &server{loop: l, scale: 5 * time.Millisecond}
	if chance.Float64() < p.slow {
		s.scale *= 100
	}
	begin := time.Duration(chance.Int64N(int64(3 * outage)))
	switch lot := chance.Float64(); {
	case lot < p.down:
		s.from, s.to = begin, begin+outage
	case lot < p.down+p.hung:
		s.from, s.to, s.hung = begin, begin+outage, true
	}
	return s
}

// connectTimeout is the functions' default.
const connectTimeout = 10 * time.Second

// driver is the server's as seen over its network.
func (s *server) driver() database.Driver {
	return databasetest.Intercept(s.Driver(), func(ctx context.Context, call string, effect func() error) error {
		i := invoked(ctx)
		if call != "Connect" {
			return i.call(ctx, s.takes(i), effect)
		}
		if s.loop.now >= s.from && s.loop.now < s.to {
			wait := time.Millisecond
			if s.hung {
				wait = connectTimeout
			}
			if err := i.call(ctx, wait, func() error { return nil }); err != nil {
				return err
			}
			return rotation.Fail(rotation.Unreachable, "connecting: no server").Again()
		}
		return i.call(ctx, 3*s.takes(i), effect)
	})
}

// takes is how long a call takes this time: a log-normal distribution.
func (s *server) takes(i *invocation) time.Duration {
	return time.Duration(float64(s.scale) * math.Exp(i.chance.NormFloat64()))
}
