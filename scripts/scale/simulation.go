package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// A config says what to simulate.
type config struct {
	seed    uint64
	secrets int
	// perSecond is how many rotations begin each second; 0 begins all at once.
	perSecond int
}

// perServer is how many secrets share a database server.
const perServer = 100

// A simulation is one window.
type simulation struct {
	config
	perils perils
	loop   *loop
	store  *store
	all    []*rotated

	running, busiest                    int // invocations
	rotated, failures, refused, crashes int
	retriedSteps                        int
	lost                                error
	before, after                       uint64 // bytes in memory
	samples                             []sample
}

// A sample is how much memory is in use when so many secrets are rotated.
type sample struct {
	rotated int
	bytes   uint64
}

// simulate rotates all secrets once.
func simulate(c config) (*result, error) {
	s := &simulation{config: c, perils: usual, loop: &loop{}}
	s.store = newStore(s.loop)
	if err := s.prepare(); err != nil {
		return nil, err
	}
	s.before = inUse()
	worked := processorTime()
	for n, r := range s.all {
		var begins time.Duration
		if c.perSecond > 0 {
			begins = time.Duration(n) * time.Second / time.Duration(c.perSecond)
		}
		s.loop.after(begins, func() { s.start(r) })
	}
	s.loop.after(sampling, s.sample)
	s.loop.run()
	s.after = inUse()
	return s.result(processorTime() - worked), s.verify()
}

// prepare makes the servers, the users and their secrets, one strategy after the other.
func (s *simulation) prepare() error {
	strategies := []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers}
	chance := rand.New(rand.NewPCG(s.seed, 0))
	var server *server
	var engines []*rotation.Engine
	for n := range s.secrets {
		if n%perServer == 0 {
			server, engines = newServer(s.loop, s.perils, chance), nil
			for _, by := range strategies {
				e, err := s.engine(server, by)
				if err != nil {
					return err
				}
				engines = append(engines, e)
			}
		}
		r := &rotated{
			id: fmt.Sprint("secret", n), server: server, engine: engines[n%len(engines)],
			keeps: strategies[n%len(strategies)] == database.AlternatingUsers, chance: rand.New(rand.NewPCG(s.seed, uint64(n)+1)),
		}
		f := server.Fixture(fmt.Sprint("user", n))
		s.store.Add(r.id, f.User)
		s.store.Add("admin", f.Admin)
		s.all = append(s.all, r)
	}
	return nil
}

func (s *simulation) engine(server *server, by database.Strategy) (*rotation.Engine, error) {
	generator, err := password.New(password.Default(), database.PasswordRules{})
	if err != nil {
		return nil, err
	}
	rotator, err := database.New(database.Config{
		Driver: server.driver(), Strategy: by, Password: generator.Generate,
		Roots:          func() (*x509.CertPool, error) { return x509.NewCertPool(), nil },
		ConnectTimeout: time.Hour, // of real time: the virtual one is the server's
	})
	if err != nil {
		return nil, err
	}
	return &rotation.Engine{Store: s.store, Rotator: rotator, Clock: virtual{s.loop}, Log: slog.New(slog.DiscardHandler),
		Observe: func(o rotation.Outcome) { s.retriedSteps += o.Attempts - 1 }}, nil
}

// works logs in as the version of a secret that has a label, without taking time.
func (s *simulation) works(r *rotated, label string) error {
	d := s.store.Value(r.id, label)
	if d.IsZero() {
		return fmt.Errorf("%s has no value", label)
	}
	conn, err := r.server.Driver().Connect(context.Background(), database.Login{User: d.Text("username"), Password: d.Text("password")})
	if err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return conn.Close()
}

// verify is nil if every secret was rotated and works, and was never without a password that works.
func (s *simulation) verify() error {
	errs := []error{s.lost}
	for _, r := range s.all {
		status, err := s.store.Store.Status(context.Background(), r.id)
		if err == nil {
			err = s.works(r, rotation.Current)
		}
		if err == nil && (r.done == 0 || len(status.Stages[version]) != 1 || status.Stages[version][0] != rotation.Current) {
			err = errors.New("it was not rotated")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.id, err))
		}
	}
	return errors.Join(errs...)
}

// sampling is how often memory is looked at.
const sampling = 20 * time.Second

func (s *simulation) sample() {
	s.samples = append(s.samples, sample{s.rotated, inUse()})
	if s.rotated < s.secrets {
		s.loop.after(sampling, s.sample)
	}
}

// inUse is what the heap holds that is not garbage, and the stacks.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// processorTime is what all processors have worked for this process, up to its last collection of garbage.
func processorTime() time.Duration {
	values := []metrics.Sample{{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"}}
	metrics.Read(values)
	return time.Duration((values[0].Value.Float64() - values[1].Value.Float64()) * float64(time.Second))
}
