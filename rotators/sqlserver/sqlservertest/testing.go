package sqlservertest

import (
	"os"
	"testing"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// servers are those of this test binary.
var servers = servertest.NewPool[*Server]("sqlservertest")

// Main runs a package's tests and ends their server; TestMain calls it and
// nothing else.
func Main(m *testing.M) { servers.Main(m) }

// Each runs a subtest against the wire-level server, or against the one server
// that ROTOR_TEST_SQLSERVER names. It is shared by all tests of the binary: use
// [Server.Fresh] for a part of your own.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	source := servertest.Source[*Server]{Name: "wire", Start: func() (*Server, error) { return StartWire(Config{}) }}
	if dsn() != "" {
		source = servertest.Source[*Server]{Name: "existing", Start: func() (*Server, error) { return Existing(dsn()) }}
	}
	servers.Each(t, []servertest.Source[*Server]{source}, test)
}

// dsn is the URL of a real server, if there is one.
func dsn() string { return os.Getenv("ROTOR_TEST_SQLSERVER") }
