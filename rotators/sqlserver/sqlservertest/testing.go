package sqlservertest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the server of this test binary. Only Main sets it, before the tests
// and after them.
var shared *pool

// Main runs a package's tests and ends their server; TestMain calls it and
// nothing else.
func Main(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) (code int) {
	shared = &pool{}
	defer func() {
		if err := shared.close(); err != nil {
			fmt.Fprintln(os.Stderr, "sqlservertest:", err)
			code = 1
		}
	}()
	return m.Run()
}

// Each runs a subtest against the wire-level server, or against the one server
// that ROTOR_TEST_SQLSERVER names. It is shared by all tests of the binary: use
// [Server.Fresh] for a part of your own.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	name := "wire"
	if dsn() != "" {
		name = "existing"
	}
	t.Run(name, func(t *testing.T) {
		s, err := shared.get()
		if err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}

// dsn is the URL of a real server, if there is one.
func dsn() string { return os.Getenv("ROTOR_TEST_SQLSERVER") }

// A pool holds the server of one test binary.
type pool struct {
	once   sync.Once
	server *Server
	err    error
}

func (p *pool) get() (*Server, error) {
	p.once.Do(func() {
		if dsn() != "" {
			p.server, p.err = Existing(dsn())
			return
		}
		p.server, p.err = StartWire(Config{})
	})
	return p.server, p.err
}

func (p *pool) close() error {
	if p.server == nil {
		return nil
	}
	return p.server.Close()
}
