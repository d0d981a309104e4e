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
	d := s.Driver()
	connect := d.Connect
	d.Connect = func(ctx context.Context, l database.Login) (conn database.Conn, err error) {
		i := invoked(ctx)
		if s.loop.now >= s.from && s.loop.now < s.to {
			wait := time.Millisecond
			if s.hung {
				wait = connectTimeout
			}
			if err := i.call(ctx, wait, func() error { return nil }); err != nil {
				return nil, err
			}
			return nil, rotation.Fail(rotation.Unreachable, "connecting: no server").Again()
		}
		err = i.call(ctx, 3*s.takes(i), func() error { conn, err = connect(ctx, l); return err })
		if err != nil {
			return nil, err
		}
		return session{conn, s}, nil
	}
	return d
}

// takes is how long a call takes this time: a log-normal distribution.
func (s *server) takes(i *invocation) time.Duration {
	return time.Duration(float64(s.scale) * math.Exp(i.chance.NormFloat64()))
}

// A session is a connection whose calls take time.
type session struct {
	database.Conn
	s *server
}

func (c session) call(ctx context.Context, effect func() error) error {
	i := invoked(ctx)
	return i.call(ctx, c.s.takes(i), effect)
}

func (c session) Check(ctx context.Context) error {
	return c.call(ctx, func() error { return c.Conn.Check(ctx) })
}

func (c session) SetPassword(ctx context.Context, user, password string) error {
	return c.call(ctx, func() error { return c.Conn.SetPassword(ctx, user, password) })
}

func (c session) CloneUser(ctx context.Context, original, clone, password string) error {
	return c.call(ctx, func() error { return c.Conn.(database.Cloner).CloneUser(ctx, original, clone, password) })
}

func (c session) Rights(ctx context.Context, twin string) (rights []string, err error) {
	err = c.call(ctx, func() error { rights, err = c.Conn.(database.Auditor).Rights(ctx, twin); return err })
	return rights, err
}
