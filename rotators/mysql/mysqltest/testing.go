package mysqltest

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared are the servers of this test binary. Only Main sets it, before the tests and after them.
var shared *pool

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else. Without it, [Each] starts
// servers for each test anew.
func Main(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	shared = &pool{}
	defer func() {
		if err := shared.close(); err != nil {
			fmt.Fprintln(os.Stderr, "mysqltest:", err)
			code = 1
		}
	}()
	return m.Run()
}

// Each runs a subtest against MariaDB, if it is installed, and against the wire-level server as MySQL 8; or against the
// one server that ROTOR_TEST_MYSQL names. That MariaDB is missing is said aloud; with ROTOR_REQUIRE_SERVERS=1 it is a
// failure.
//
// The servers are shared by all tests of the binary: make users of your own, and change nothing for all of them.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	if os.Getenv("ROTOR_TEST_MYSQL") == "" {
		t.Run("wire", func(t *testing.T) { test(t, poolOf(t).get(t, "wire")) })
	}
	Real(t, test)
}

// Real is Each without the wire-level server: what needs more than it knows. Where there is no real server, the test
// does nothing but say so.
func Real(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	p := poolOf(t)
	if os.Getenv("ROTOR_TEST_MYSQL") != "" {
		t.Run("existing", func(t *testing.T) { test(t, p.get(t, "existing")) })
		return
	}
	if _, ok := Find(); !ok {
		p.report(t)
		return
	}
	t.Run("MariaDB", func(t *testing.T) { test(t, p.get(t, "MariaDB")) })
}

// poolOf is the binary's pool or, without Main, one of the test's own.
func poolOf(t *testing.T) *pool {
	if shared != nil {
		return shared
	}
	p := &pool{}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// A pool holds the servers of one test binary.
type pool struct {
	warn sync.Once

	mu      sync.Mutex
	running map[string]*Server
}

// get starts a server when it is first asked for.
func (p *pool) get(t *testing.T, name string) *Server {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.running[name]; s != nil {
		return s
	}
	s, err := start(name)
	if err != nil {
		t.Fatal(err)
	}
	if p.running == nil {
		p.running = map[string]*Server{}
	}
	p.running[name] = s
	return s
}

func start(name string) (*Server, error) {
	switch name {
	case "wire":
		return StartWire(Config{})
	case "existing":
		return Existing(os.Getenv("ROTOR_TEST_MYSQL"))
	}
	i, ok := Find()
	if !ok {
		return nil, errors.New("MariaDB is gone")
	}
	return i.Start(Config{})
}

// report says what was not tested: in every test's output, and once on standard error, where it is seen without -v.
func (p *pool) report(t *testing.T) {
	t.Helper()
	const text = "no MariaDB here: not covered (scripts/servers.sh mariadb installs it)"
	if os.Getenv("ROTOR_REQUIRE_SERVERS") == "1" {
		t.Error(text)
		return
	}
	t.Log(text)
	p.warn.Do(func() { fmt.Fprintln(os.Stderr, "mysqltest:", text) })
}

// close ends the servers that were started.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, s := range p.running {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
