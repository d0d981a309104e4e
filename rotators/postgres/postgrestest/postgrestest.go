// Package postgrestest provides real PostgreSQL servers to test against, and to demonstrate with.
//
// Tests use [Each], which runs a subtest on every supported major version, with servers shared by the test binary:
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
// What needs one server takes [Newest], and what needs one of its own, which it may configure, [Start]. Where there is no
// PostgreSQL, such a test says so and ends; see [servertest.Absent].
//
// The servers listen on the loopback interface, with TLS that a client can verify, and log every statement and every
// login, so that a test can search the log for a password that should not be there. They end with the process
// that started them, whichever way that ends, and leave no files behind.
//
// Environment:
//
//	ROTOR_TEST_POSTGRES    connection string of a server to test instead, with a role that may create roles and databases
//	ROTOR_TEST_SERVERS     the servers that Each runs, such as "postgres-15,postgres-18"; all when unset
//	ROTOR_REQUIRE_SERVERS  "1" makes a missing server a failure
package postgrestest

import (
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// Majors are the major versions that Rotor is tested with.
func Majors() (all []int) {
	for _, name := range install.Wanted("postgres") {
		all = append(all, major(strings.TrimPrefix(name, "postgres-")))
	}
	return all
}

// major is the number that a version starts with.
func major(version string) int {
	digits := regexp.MustCompile(`^\d+`).FindString(version)
	n, _ := strconv.Atoi(digits) // no digits: 0, which no server is
	return n
}

// Config is what a server is started with. The zero value is what most tests want.
type Config struct {
	// Options.Settings are server parameters, as in postgresql.conf.
	servertest.Options
	// MD5 makes the server store passwords as MD5 hashes and ask for them so.
	MD5 bool
	// HBA are lines that come first in pg_hba.conf.
	HBA []string
}

// isZero says whether any server at all would do.
func (c Config) isZero() bool { return c.Options.IsZero() && !c.MD5 && len(c.HBA) == 0 }

// encryption is the server's password_encryption, which is also the authentication method that it asks for.
func (c Config) encryption() string {
	if c.MD5 {
		return "md5"
	}
	return "scram-sha-256"
}

// Best starts the newest PostgreSQL of this machine, or takes the server that ROTOR_TEST_POSTGRES names, if the config is
// zero: somebody else's server cannot be configured. The error is [ErrNone] where there is none.
func Best(config Config) (*Server, error) {
	if dsn := os.Getenv("ROTOR_TEST_POSTGRES"); dsn != "" && config.isZero() {
		return Existing(dsn)
	}
	newest, ok := servertest.Newest(installed(config))
	if !ok {
		return nil, ErrNone
	}
	return newest.Start()
}

// Installed says whether there is a PostgreSQL on this machine.
func Installed() bool {
	_, ok := servertest.Newest(installed(Config{}))
	return ok
}

// ErrNone says that there is no PostgreSQL on this machine.
var ErrNone = errors.New("there is no PostgreSQL on this machine (make servers brings it)")
