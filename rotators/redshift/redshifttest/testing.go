package redshifttest

import (
	"testing"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

// servers are those of this test binary.
var servers = servertest.NewPool[*Server]("redshifttest")

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { servers.Main(m) }

type source = servertest.Source[*Server]

// Each runs a subtest against the wire-level server and the stand-in, or against the one cluster that
// ROTOR_TEST_REDSHIFT names. A stand-in that is missing is said; with ROTOR_REQUIRE_SERVERS=1 it is a failure. The
// servers are shared by all tests of the binary: use [Server.Fresh] for a part of your own.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	sources := first()
	if dsn() == "" {
		standIn := source{Name: "standin", Missing: "PostgreSQL, to stand in for Redshift"}
		if postgrestest.Installed() {
			standIn.Start = StartStandIn
		}
		sources = append(sources, standIn)
	}
	servers.Each(t, sources, test)
}

// EachWire is Each without the stand-in: for what PostgreSQL does not have.
func EachWire(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers.Each(t, first(), test)
}

// first is the server that knows all of Redshift that the rotator needs.
func first() []source {
	if dsn() != "" {
		return []source{{Name: "cluster", Start: func() (*Server, error) { return Existing(dsn()) }}}
	}
	return []source{{Name: "wire", Start: func() (*Server, error) { return StartWire(Config{}) }}}
}
