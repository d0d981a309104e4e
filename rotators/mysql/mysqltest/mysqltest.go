// Package mysqltest provides MariaDB and MySQL servers to test against, and to demonstrate with.
//
// There are two kinds. A real MariaDB, where one is installed (scripts/servers.sh installs it), runs on files of its
// own. A wire-level server of this package speaks MySQL's protocol to the real driver, over TLS and with MySQL 8's
// authentication, and keeps accounts, passwords, roles and grants as MySQL does; it stands in for MySQL 5.7, 8 and 9,
// of which none can be had here. It understands what Rotor sends, and answers all else with a syntax error. What it
// knows is our reading of MySQL's manual and source, and proves nothing about a real MySQL.
//
// [Best] takes the best one that can be had: the server that ROTOR_TEST_MYSQL names, else MariaDB, else the wire-level
// server. Whatever it is, [Server.Name] says so. Tests use [Each], which runs a subtest against both kinds, with
// servers shared by the test binary:
//
//	func TestMain(m *testing.M) { mysqltest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) { ... })
//	}
//
// The servers listen on the loopback interface, with TLS that a client can verify, and log every statement and every
// login, so that a test can search [Server.Log] for a password that should not be there. They end with the process
// that started them, whichever way that ends, and leave no files behind.
//
// Environment:
//
//	ROTOR_TEST_MYSQL       data source name, as go-sql-driver/mysql reads it, of a server to test instead of all others;
//	                       its user must be able to do everything
//	ROTOR_TEST_MYSQL_CA    PEM file with the authority that signed that server's certificate
//	ROTOR_REQUIRE_SERVERS  "1" makes a missing MariaDB a failure
//	ROTOR_SERVERS          where scripts/servers.sh put the servers' plug-ins, if not its usual place
package mysqltest

import (
	"maps"
	"os"
	"slices"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

// Host is where the servers listen.
const Host = "127.0.0.1"

// Config is what a server is started with. The zero value is what most tests want.
type Config struct {
	// Settings are server options without their dashes, as in my.cnf. The wire-level server ignores them.
	Settings map[string]string
	// NoTLS makes a server that offers none.
	NoTLS bool
	// Certificate is what is wrong with the server's certificate.
	Certificate localtls.Fault
	// Wire is for the wire-level server alone.
	Wire WireConfig
}

func (c Config) isZero() bool {
	return len(c.Settings) == 0 && !c.NoTLS && c.Certificate == localtls.NoFault && c.Wire.isZero()
}

// Best starts the best server that can be had: see the package comment. ROTOR_TEST_MYSQL counts only for the zero
// Config, because somebody else's server cannot be configured.
func Best(config Config) (*Server, error) {
	if dsn := os.Getenv("ROTOR_TEST_MYSQL"); dsn != "" && config.isZero() {
		return Existing(dsn)
	}
	if i, ok := Find(); ok {
		return i.Start(config)
	}
	return StartWire(config)
}

// sortedKeys makes command lines and logs the same in every run.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
