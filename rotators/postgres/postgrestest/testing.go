package postgrestest

import (
	"os"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// servers are those of this test binary.
var servers = servertest.NewPool[*Server]("postgrestest")

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { servers.Main(m) }

// Each runs a subtest on a real server of every major version (see [servertest.Installed]), or on the one server that
// ROTOR_TEST_POSTGRES names. What is missing is said; with ROTOR_REQUIRE_SERVERS=1 it is a failure.
//
// The servers are shared by all tests of the binary: use [Server.Fresh] for a part of your own, and only settings and
// log marks of your own roles if tests run in parallel.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers.Each(t, wanted(), test)
}

// Newest is the shared server of the newest version that is there, or the one that ROTOR_TEST_POSTGRES names. Without
// any the test ends: see [servertest.Absent].
func Newest(t testing.TB) *Server {
	t.Helper()
	newest, ok := servertest.Newest(wanted())
	if !ok {
		servertest.Absent(t, "PostgreSQL")
	}
	return servers.Get(t, newest)
}

// Start starts the newest version that is there, for this test alone. Without any the test ends.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	newest, ok := servertest.Newest(installed(c))
	if !ok {
		servertest.Absent(t, "PostgreSQL")
	}
	s, err := newest.Start()
	return servertest.ForTest(t, s, err)
}

// IsNewest says whether no newer version is wanted: what is asked of one version alone is asked of this.
func (s *Server) IsNewest() bool { return !s.Ours || s.Major == slices.Max(Majors()) }

type source = servertest.Source[*Server]

// wanted are the servers to test.
func wanted() []source {
	if dsn := os.Getenv("ROTOR_TEST_POSTGRES"); dsn != "" {
		return []source{{Name: "existing", Start: func() (*Server, error) { return Existing(dsn) }}}
	}
	return servertest.Installed("postgres", startShared)
}

// startShared starts a server whose logins are cheap: 4096 rounds are most of what one costs, under the race detector
// above all.
func startShared(i install.Server) (*Server, error) {
	config := Config{}
	if major(i.Version) >= 16 {
		config.Settings = map[string]string{"scram_iterations": "64"}
	}
	return start(i, config)
}

// installed are the real servers, each to be started with a configuration.
func installed(c Config) []source {
	return servertest.Installed("postgres", func(i install.Server) (*Server, error) { return start(i, c) })
}
