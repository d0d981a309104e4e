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
	name := "wire"
	if dsn() != "" {
		name = "existing"
	}
	servers.Each(t, []servertest.Source[*Server]{{Name: name, Start: Best}}, test)
}

// dsn is the URL of a real server, if there is one.
func dsn() string { return os.Getenv("ROTOR_TEST_SQLSERVER") }

// Best starts the wire-level server, or takes the one that ROTOR_TEST_SQLSERVER
// names.
func Best() (*Server, error) {
	if dsn() != "" {
		return Existing(dsn())
	}
	return StartWire(Config{})
}
