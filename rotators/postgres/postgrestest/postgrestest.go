// Package postgrestest provides PostgreSQL servers to test against, and to demonstrate with.
//
// [Best] takes the best one that can be had: the server that ROTOR_TEST_POSTGRES names, else the newest real
// PostgreSQL installed on this machine (scripts/servers.sh installs all that are tested), else a wire-level server of
// this package's own, which speaks the real protocol to the real driver but knows roles and their passwords only.
// Whatever it is, [Server.Name] says so.
//
// Tests use [Each], which runs a subtest against every supported major version, with servers shared by the test binary:
//
//	func TestMain(m *testing.M) { postgrestest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		postgrestest.Each(t, func(t *testing.T, s *postgrestest.Server) {
//			box := s.Fresh(t)
//			app := box.Role("app")
//			box.Exec(t, `CREATE ROLE "`+app+`" LOGIN PASSWORD 'secret'`)
//			conn := box.Connect(t, app, "secret")
//			...
//		})
//	}
//
// The servers listen on the loopback interface, with TLS that a client can verify, and log every statement and every
// login, so that a test can search [Server.Log] for a password that should not be there. They end with the process
// that started them, whichever way that ends, and leave no files behind.
//
// Environment:
//
//	ROTOR_TEST_POSTGRES    connection string of a server to test instead, with a role that may create roles and databases
//	ROTOR_TEST_MAJORS      the major versions that Each runs, such as "15,18"; all of [Majors] when unset
//	ROTOR_REQUIRE_SERVERS  "1" makes a missing real server a failure
//	ROTOR_SERVERS          where scripts/servers.sh put the servers, if not its usual place
package postgrestest

import (
	"maps"
	"os"
	"slices"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// Majors are the major versions that Rotor is tested with.
func Majors() []int { return []int{15, 16, 17, 18} }

// Host is where the servers listen.
const Host = "127.0.0.1"

// A TLSMode says how a server treats connections with and without TLS.
type TLSMode int

// TLS modes. The zero value refuses plain text.
const (
	TLSRequired TLSMode = iota
	TLSOptional
	TLSOff
)

// Config is what a server is started with. The zero value is what most tests want.
type Config struct {
	// Settings are server parameters, as in postgresql.conf. The wire-level server knows max_connections,
	// default_transaction_read_only and createrole_self_grant, and ignores the others.
	Settings map[string]string
	// MD5 makes the server store passwords as MD5 hashes and ask for them so.
	MD5 bool
	TLS TLSMode
	// Certificate is what is wrong with the server's certificate.
	Certificate localtls.Fault
	// HBA are lines that come first in pg_hba.conf. The wire-level server ignores them.
	HBA []string
	// Wire is for the wire-level server alone.
	Wire WireConfig
}

// isZero says whether any server at all would do.
func (c Config) isZero() bool {
	return len(c.Settings) == 0 && !c.MD5 && c.TLS == TLSRequired && c.Certificate == localtls.NoFault &&
		len(c.HBA) == 0 && c.Wire.isZero()
}

// encryption is the server's password_encryption, which is also the authentication method that it asks for.
func (c Config) encryption() string {
	if c.MD5 {
		return "md5"
	}
	return "scram-sha-256"
}

// Best starts the best server that can be had: see the package comment. ROTOR_TEST_POSTGRES counts only for the zero
// Config, because somebody else's server cannot be configured.
func Best(config Config) (*Server, error) {
	if dsn := os.Getenv("ROTOR_TEST_POSTGRES"); dsn != "" && config.isZero() {
		return Existing(dsn)
	}
	if installed := Installations(); len(installed) > 0 {
		return installed[len(installed)-1].Start(config)
	}
	s, err := StartWire(config)
	if err == nil {
		s.origin = "wire-level PostgreSQL server (no real server found)"
	}
	return s, err
}

// sortedKeys makes command lines and logs the same in every run.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
