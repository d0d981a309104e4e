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

	"github.com/seed492efc12/rotor/internal/servertest"
)

// servers are those of this test binary.
var servers = servertest.NewPool[*Server]("postgrestest")

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { servers.Main(m) }

// Each runs a subtest on a real server of every major version (see ROTOR_TEST_MAJORS), or on the one server that
// ROTOR_TEST_POSTGRES names. What is missing is said; with ROTOR_REQUIRE_SERVERS=1 it is a failure.
//
// The servers are shared by all tests of the binary: use [Server.Fresh] for a part of your own, and only settings and
// log marks of your own roles if tests run in parallel.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers.Each(t, wanted(t), test)
}

// Newest is the shared server of the newest version that is there, or the one that ROTOR_TEST_POSTGRES names. Without
// any the test ends: see [servertest.Absent].
func Newest(t testing.TB) *Server {
	t.Helper()
	sources := wanted(t)
	slices.Reverse(sources)
	at := slices.IndexFunc(sources, func(s source) bool { return s.Start != nil })
	if at < 0 {
		servertest.Absent(t, "PostgreSQL")
	}
	return servers.Get(t, sources[at])
}

// Start starts the newest version that is there, for this test alone. Without any the test ends.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	found := installed()
	if len(found) == 0 {
		servertest.Absent(t, "PostgreSQL")
	}
	s, err := found[len(found)-1].Start(c)
	return servertest.ForTest(t, s, err)
}

// IsNewest says whether no newer version is wanted: what is asked of one version alone is asked of this.
func (s *Server) IsNewest() bool { return !s.Ours || s.Major == slices.Max(Majors()) }

var installed = sync.OnceValue(Installations)

type source = servertest.Source[*Server]

// wanted are the servers to test.
func wanted(t testing.TB) []source {
	t.Helper()
	if dsn := os.Getenv("ROTOR_TEST_POSTGRES"); dsn != "" {
		return []source{{Name: "existing", Start: func() (*Server, error) { return Existing(dsn) }}}
	}
	majors, err := wantedMajors(os.Getenv("ROTOR_TEST_MAJORS"))
	if err != nil {
		t.Fatal(err)
	}
	var sources []source
	for _, major := range majors {
		s := source{Name: "PostgreSQL" + strconv.Itoa(major), Missing: "PostgreSQL " + strconv.Itoa(major)}
		if at := slices.IndexFunc(installed(), func(i Installation) bool { return i.Major == major }); at >= 0 {
			s.Start = installed()[at].startShared
		}
		sources = append(sources, s)
	}
	return sources
}

// startShared starts a server whose logins are cheap: 4096 rounds are most of what one costs, under the race detector
// above all.
func (i Installation) startShared() (*Server, error) {
	config := Config{}
	if i.Major >= 16 {
		config.Settings = map[string]string{"scram_iterations": "64"}
	}
	return i.Start(config)
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
	if len(majors) == 0 {
		return nil, errors.New("ROTOR_TEST_MAJORS names no version")
	}
	return majors, nil
}
