package mysqltest

import (
	"os"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// servers are those of this test binary.
var servers = servertest.NewPool[*Server]("mysqltest")

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { servers.Main(m) }

type source = servertest.Source[*Server]

// Each runs a subtest on each real server, MySQL's and MariaDB's (see [servertest.Installed]), or on the one that
// ROTOR_TEST_MYSQL names. What is missing is said; with ROTOR_REQUIRE_SERVERS=1 it is a failure.
//
// The servers are shared by all tests of the binary: use [Server.Fresh] for names of your own, and change nothing for
// all of them.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers.Each(t, wanted(), test)
}

// EachOf is Each for one product: what is asked of a dialect.
func EachOf(t *testing.T, product string, test func(t *testing.T, s *Server)) {
	t.Helper()
	if os.Getenv("ROTOR_TEST_MYSQL") == "" {
		servers.Each(t, servertest.Installed(product, shared), test)
		return
	}
	servers.Each(t, wanted(), func(t *testing.T, s *Server) {
		if s.Product() != product {
			t.Skipf("%s is another product", s.Name())
		}
		test(t, s)
	})
}

// Start starts the newest server of a product, for this test alone. Without any the test ends: see
// [servertest.Absent].
func Start(t testing.TB, product string, c Config) *Server {
	t.Helper()
	newest, ok := servertest.Newest(installed(product, c))
	if !ok {
		servertest.Absent(t, product)
	}
	s, err := newest.Start()
	return servertest.ForTest(t, s, err)
}

// StartNamed is Start for one server of package install's table, such as "mysql-8.0".
func StartNamed(t testing.TB, name string, c Config) *Server {
	t.Helper()
	found, ok := install.Find(name)
	if !ok {
		servertest.Absent(t, install.Title(name))
	}
	s, err := start(found, c)
	return servertest.ForTest(t, s, err)
}

// wanted are the servers to test.
func wanted() []source {
	if dsn := os.Getenv("ROTOR_TEST_MYSQL"); dsn != "" {
		return []source{{Name: "existing", Start: func() (*Server, error) { return Existing(dsn) }}}
	}
	return slices.Concat(servertest.Installed(MySQL, shared), servertest.Installed(MariaDB, shared))
}

// ChangesAll is for tests that change a server for all who use it, which may be somebody else.
func ChangesAll(t testing.TB) {
	t.Helper()
	if os.Getenv("ROTOR_TEST_MYSQL") != "" && os.Getenv("ROTOR_TEST_MYSQL_ALL") != "1" {
		t.Skip("NOT COVERED: it changes the server's settings (ROTOR_TEST_MYSQL_ALL=1 allows that)")
	}
}
