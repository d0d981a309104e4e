package documentdbtest

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// shared are the servers of this test binary. Only Main sets it, before the tests and after them.
var shared *pool

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	shared = &pool{servers: map[string]func() (*Server, error){}}
	defer shared.close()
	return m.Run()
}

// Each runs a subtest against each flavour, alone and as a replica set, or against the one server that
// ROTOR_TEST_DOCUMENTDB names. The servers are shared by all tests of the binary.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	if text := os.Getenv("ROTOR_TEST_DOCUMENTDB"); text != "" {
		t.Run("existing", func(t *testing.T) {
			shared.with(t, "existing", func() (*Server, error) { return Existing(text) }, test)
		})
		return
	}
	for _, c := range []Config{{}, {ReplicaSet: true}, {Flavour: DocumentDB}, {Flavour: DocumentDB, ReplicaSet: true}} {
		name := strings.Fields(c.Flavour.String())[0]
		if c.ReplicaSet {
			name += "ReplicaSet"
		}
		t.Run(name, func(t *testing.T) { shared.with(t, name, func() (*Server, error) { return StartWire(c) }, test) })
	}
	shared.warn.Do(func() {
		fmt.Fprintln(os.Stderr, "documentdbtest: no real MongoDB or DocumentDB here: wire-level servers only (ROTOR_TEST_DOCUMENTDB names one)")
	})
}

// A pool holds the servers of one test binary.
type pool struct {
	warn sync.Once

	mu      sync.Mutex
	servers map[string]func() (*Server, error)
	running []*Server
}

func (p *pool) with(t *testing.T, name string, start func() (*Server, error), test func(t *testing.T, s *Server)) {
	t.Helper()
	p.mu.Lock()
	once, ok := p.servers[name]
	if !ok {
		once = sync.OnceValues(func() (*Server, error) {
			s, err := start()
			if err == nil {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.running = append(p.running, s)
			}
			return s, err
		})
		p.servers[name] = once
	}
	p.mu.Unlock()
	s, err := once()
	if err != nil {
		t.Fatal(err)
	}
	test(t, s)
}

func (p *pool) close() {
	for _, s := range p.running {
		_ = s.Close()
	}
}
