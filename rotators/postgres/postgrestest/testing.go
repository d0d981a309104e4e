package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// shared are the servers of this test binary. Only Main sets it, before the tests and after them.
var shared *pool

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else. Without it, [Each] starts
// servers for each test anew.
func Main(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	shared = newPool()
	defer func() {
		if err := shared.close(); err != nil {
			fmt.Fprintln(os.Stderr, "postgrestest:", err)
			code = 1
		}
	}()
	return m.Run()
}

// Each runs a subtest against a real server of every major version (see ROTOR_TEST_MAJORS) that is installed, or
// against the wire-level server when none is, or against the one server that ROTOR_TEST_POSTGRES names. What is
// missing is said aloud; with ROTOR_REQUIRE_SERVERS=1 it is a failure.
//
// The servers are shared by all tests of the binary: use [Server.Fresh] for a part of your own, and only settings and
// log marks of your own roles if tests run in parallel.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers := shared
	if servers == nil {
		servers = newPool()
		t.Cleanup(func() {
			if err := servers.close(); err != nil {
				t.Error(err)
			}
		})
	}
	sources, missing, err := servers.plan()
	if err != nil {
		t.Fatal(err)
	}
	servers.report(t, missing)
	for _, source := range sources {
		t.Run(source.name, func(t *testing.T) {
			s, err := source.start()
			if err != nil {
				t.Fatal(err)
			}
			test(t, s)
		})
	}
}

// A source is a server that is started when it is first asked for, and then shared.
type source struct {
	name  string
	start func() (*Server, error)
}

// A pool holds the servers of one test binary.
type pool struct {
	installed func() []Installation
	warn      sync.Once

	mu      sync.Mutex
	sources map[string]source
	running []*Server
}

func newPool() *pool {
	return &pool{installed: sync.OnceValue(Installations), sources: map[string]source{}}
}

// plan decides which servers to test, and which of those asked for are missing.
func (p *pool) plan() (sources []source, missing []int, err error) {
	if dsn := os.Getenv("ROTOR_TEST_POSTGRES"); dsn != "" {
		return []source{p.source("existing", func() (*Server, error) { return Existing(dsn) })}, nil, nil
	}
	wanted, err := wantedMajors(os.Getenv("ROTOR_TEST_MAJORS"))
	if err != nil {
		return nil, nil, err
	}
	for _, major := range wanted {
		at := slices.IndexFunc(p.installed(), func(i Installation) bool { return i.Major == major })
		if at < 0 {
			missing = append(missing, major)
			continue
		}
		sources = append(sources, p.real(p.installed()[at]))
	}
	if len(sources) == 0 {
		sources = []source{p.source("wire", func() (*Server, error) { return StartWire(Config{}) })}
	}
	return sources, missing, nil
}

// real is the source of an installation's shared server.
func (p *pool) real(i Installation) source {
	config := Config{}
	if i.Major >= 16 {
		// The default of 4096 is most of what a login costs, under the race detector above all.
		config.Settings = map[string]string{"scram_iterations": "64"}
	}
	return p.source("PostgreSQL"+strconv.Itoa(i.Major), func() (*Server, error) { return i.Start(config) })
}

// wantedMajors reads ROTOR_TEST_MAJORS.
func wantedMajors(list string) ([]int, error) {
	if list == "" {
		return Majors(), nil
	}
	var majors []int
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil {
			return nil, fmt.Errorf("ROTOR_TEST_MAJORS: %q is not a major version", field)
		}
		majors = append(majors, n)
	}
	return majors, nil
}

// source remembers a server under its name.
func (p *pool) source(name string, start func() (*Server, error)) source {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.sources[name]; ok {
		return known
	}
	made := source{name: name, start: sync.OnceValues(func() (*Server, error) {
		s, err := start()
		if err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.running = append(p.running, s)
		}
		return s, err
	})}
	p.sources[name] = made
	return made
}

// report says which servers were not tested: in every test's output, and once on standard error, where it is seen
// without -v.
func (p *pool) report(t *testing.T, missing []int) {
	t.Helper()
	if len(missing) == 0 {
		return
	}
	text := fmt.Sprintf("no real PostgreSQL %s here: not covered (scripts/servers.sh installs them)", join(missing))
	if os.Getenv("ROTOR_REQUIRE_SERVERS") == "1" {
		t.Error(text)
		return
	}
	t.Log(text)
	p.warn.Do(func() { fmt.Fprintln(os.Stderr, "postgrestest:", text) })
}

func join(numbers []int) string {
	var fields []string
	for _, n := range numbers {
		fields = append(fields, strconv.Itoa(n))
	}
	return strings.Join(fields, ", ")
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
