package redshifttest

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// shared are the servers of this test binary. Only Main sets it, before the tests and after them.
var shared *pool

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) (code int) {
	shared = newPool()
	defer func() {
		if err := shared.close(); err != nil {
			fmt.Fprintln(os.Stderr, "redshifttest:", err)
			code = 1
		}
	}()
	return m.Run()
}

// Each runs a subtest against the wire-level server and the stand-in, or against the one cluster that
// ROTOR_TEST_REDSHIFT names. A stand-in that is missing is said aloud; with ROTOR_REQUIRE_SERVERS=1 it is a failure. The
// servers are shared by all tests of the binary: use [Server.Fresh] for a part of your own.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	if dsn() != "" {
		t.Run("cluster", func(t *testing.T) { test(t, ready(t, shared.cluster)) })
		return
	}
	t.Run("wire", func(t *testing.T) { test(t, ready(t, shared.wire)) })
	t.Run("standin", func(t *testing.T) {
		if len(postgrestest.Installations()) == 0 {
			missingStandIn(t)
		}
		test(t, ready(t, shared.standIn))
	})
}

// EachWire is Each without the stand-in: for what PostgreSQL does not have.
func EachWire(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	if dsn() != "" {
		t.Run("cluster", func(t *testing.T) { test(t, ready(t, shared.cluster)) })
		return
	}
	t.Run("wire", func(t *testing.T) { test(t, ready(t, shared.wire)) })
}

func missingStandIn(t *testing.T) {
	t.Helper()
	const text = "no real PostgreSQL here to stand in for Redshift: not covered (scripts/servers.sh installs it)"
	if os.Getenv("ROTOR_REQUIRE_SERVERS") == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
}

func ready(t *testing.T, start func() (*Server, error)) *Server {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A pool holds the servers of one test binary.
type pool struct {
	wire, standIn, cluster func() (*Server, error)

	mu      sync.Mutex
	running []*Server
}

func newPool() *pool {
	p := &pool{}
	p.wire = p.once(func() (*Server, error) { return StartWire(Config{}) })
	p.standIn = p.once(StartStandIn)
	p.cluster = p.once(func() (*Server, error) { return Existing(dsn()) })
	return p
}

func (p *pool) once(start func() (*Server, error)) func() (*Server, error) {
	return sync.OnceValues(func() (*Server, error) {
		s, err := start()
		if err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.running = append(p.running, s)
		}
		return s, err
	})
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, s := range p.running {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
