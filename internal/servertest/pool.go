package servertest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
)

// A Source is a server that is started when it is first asked for, and then
// shared by the tests of the binary.
type Source[S Tested] struct {
	// Name is that of the subtest, without spaces: "MySQL8.0".
	Name string
	// Start starts it. If it is nil, there is no such server on this machine.
	Start func() (S, error)
	// Missing is what to say of a server that is not there: "MySQL 8.0".
	Missing string
}

// Tested is what a server that tests run on must be: it embeds [Server].
type Tested interface {
	io.Closer
	Announcement() string
}

// A Pool holds the servers of one test binary. Make it once for a package:
//
//	var servers = servertest.NewPool[*Server]("mysqltest")
type Pool[S Tested] struct {
	name string

	mu      sync.Mutex
	started map[string]func() (S, error)
	running []S
}

// NewPool makes an empty pool. Its name is the package's, for messages.
func NewPool[S Tested](name string) *Pool[S] {
	return &Pool[S]{name: name, started: map[string]func() (S, error){}}
}

// Main runs a package's tests and ends their servers. TestMain calls it and
// nothing else.
func (p *Pool[S]) Main(m *testing.M) { os.Exit(p.run(m)) }

func (p *Pool[S]) run(m *testing.M) (code int) {
	defer func() {
		if err := p.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", p.name, err)
			code = 1
		}
	}()
	return m.Run()
}

// Each runs a subtest on each source's server. What is missing is logged; with
// ROTOR_REQUIRE_SERVERS=1 it is a failure.
//
// The servers are shared: a test makes users of its own, and changes nothing for
// all.
func (p *Pool[S]) Each(t *testing.T, sources []Source[S], test func(t *testing.T, s S)) {
	t.Helper()
	for _, source := range sources {
		if source.Start == nil {
			Missing(t, source.Missing)
			continue
		}
		t.Run(source.Name, func(t *testing.T) { test(t, p.Get(t, source)) })
	}
}

// Get is the shared server of a source that is there. The test logs what it is.
func (p *Pool[S]) Get(t testing.TB, source Source[S]) S {
	t.Helper()
	s, err := p.once(source)()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s.Announcement())
	return s
}

// once remembers a server under its name.
func (p *Pool[S]) once(source Source[S]) func() (S, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	start, ok := p.started[source.Name]
	if !ok {
		start = sync.OnceValues(func() (S, error) {
			s, err := source.Start()
			if err == nil {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.running = append(p.running, s)
			}
			return s, err
		})
		p.started[source.Name] = start
	}
	return start
}

// Close ends the servers that were started.
func (p *Pool[S]) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, s := range p.running {
		errs = append(errs, s.Close())
	}
	p.running = nil
	return errors.Join(errs...)
}

// ForTest is a server that one test starts for itself: it ends with the test, which
// logs what it is.
func ForTest[S Tested](t testing.TB, s S, err error) S {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Log(s.Announcement())
	return s
}

// Missing says that a server is not there, such as "MySQL 8.0": in the test's
// output, where a summary finds it. With ROTOR_REQUIRE_SERVERS=1 it fails the
// test.
func Missing(t testing.TB, title string) {
	t.Helper()
	t.Logf("MISSING %q", title)
	if os.Getenv("ROTOR_REQUIRE_SERVERS") == "1" {
		t.Errorf("there is no %s here (make servers brings it)", title)
	}
}

// Absent is Missing for a test that can do nothing without the server: it ends
// here, skipped or, with ROTOR_REQUIRE_SERVERS=1, failed.
func Absent(t testing.TB, title string) {
	t.Helper()
	Missing(t, title)
	if t.Failed() {
		t.FailNow()
	}
	t.SkipNow()
}
