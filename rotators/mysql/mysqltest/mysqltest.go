// Package mysqltest provides MySQL and MariaDB servers to test against, and to demonstrate with.
//
// Tests use [Each], which runs a subtest on every real server of both products, with servers shared by the test binary:
//
//	func TestMain(m *testing.M) { mysqltest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) { ... })
//	}
//
// What needs a server of its own, which it may configure, takes [Start].
//
// There is an imitation too ([StartWire]), for the one thing that no real server can be had for: MySQL 5.7, of which the
// driver sees accounts alone. It speaks MySQL's protocol to the real client. What it knows is our reading of MySQL's
// manual; the driver's agreement test holds it to a real MySQL 8.0. Faults are made between the driver and real servers.
//
// The servers listen on the loopback interface, with TLS that a client can verify, and log every statement and every
// login, so that a test can search the log for a password that should not be there. They end with the process
// that started them, whichever way that ends, and leave no files behind.
//
// Environment:
//
//	ROTOR_TEST_MYSQL       data source name, as go-sql-driver/mysql reads it, of a server to test instead of all others;
//	                       its user must be able to do everything
//	ROTOR_TEST_MYSQL_CA    PEM file with the authority that signed that server's certificate
//	ROTOR_TEST_SERVERS     the servers that Each runs, such as "mysql-8.0,mariadb"; all when unset
//	ROTOR_REQUIRE_SERVERS  "1" makes a missing server a failure
package mysqltest

import (
	"errors"
	"fmt"
	"os"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// The products, as package install names them.
const (
	MySQL   = "mysql"
	MariaDB = "mariadb"
)

// Config is what a server is started with. The zero value is what most tests want.
type Config struct {
	// Options.Settings are server options without their dashes, as in my.cnf.
	servertest.Options
}

// Best starts the newest server of a product, or takes the one that ROTOR_TEST_MYSQL names, whatever it is. The error is
// [ErrNone] where there is none.
func Best(product string) (*Server, error) {
	if dsn := os.Getenv("ROTOR_TEST_MYSQL"); dsn != "" {
		return Existing(dsn)
	}
	newest, ok := servertest.Newest(installed(product, Config{}))
	if !ok {
		return nil, fmt.Errorf("%s: %w", product, ErrNone)
	}
	return newest.Start()
}

// installed are the real servers of a product, each to be started with a configuration.
func installed(product string, c Config) []source {
	return servertest.Installed(product, func(i install.Server) (*Server, error) { return start(i, c) })
}

// ErrNone says that there is no server of a product on this machine.
var ErrNone = errors.New("there is none on this machine (make servers brings it)")
