// Package redistest provides Redis and Valkey servers to test against, and to
// demonstrate with: alone, as a primary with a replica, with a Sentinel, and as a
// cluster of three.
//
//	func TestMain(m *testing.M) { redistest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		redistest.Each(t, func(t *testing.T, s *redistest.Server) { ... })
//	}
//
// All are real servers. They listen on the loopback interface, with TLS that a
// client can verify, and end with the process that started them. Their log is
// what MONITOR shows, with the logins that INFO counts.
//
// Environment:
//
//	ROTOR_TEST_REDIS       JSON of a server to test instead of all others: engine, host, port, username, password, and
//	                       "ssl": false for one without TLS; its user must be able to do everything
//	ROTOR_TEST_REDIS_CA    PEM file with the authority that signed that server's certificate
//	ROTOR_TEST_SERVERS     the servers that Each runs, such as "redis-7.0,valkey"; all when unset
//	ROTOR_REQUIRE_SERVERS  "1" makes a missing server a failure
package redistest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// The products, as package install names them. They are the engines of secrets
// too.
const (
	Redis  = "redis"
	Valkey = "valkey"
)

// A Shape is how many nodes a server has, and what they are to each other.
type Shape int

// The shapes.
const (
	Alone      Shape = iota
	Replicated       // a primary with a replica
	Watched          // the same, with a Sentinel
	Cluster          // three primaries
)

var shapes = map[Shape]string{Replicated: "primary and replica", Watched: "Sentinel", Cluster: "cluster of three"}

// Config is what a server is started with. The zero value is what most tests want.
type Config struct {
	Shape Shape
	// NoFile has the server keep its users in no file.
	NoFile bool
	// Options.Settings are lines of the configuration file.
	servertest.Options
}

// ErrNone says that there is no server of a product on this machine.
var ErrNone = errors.New("there is none on this machine (make servers brings it)")

// servers are those of this test binary.
var servers = servertest.NewPool[*Server]("redistest")

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { servers.Main(m) }

type source = servertest.Source[*Server]

// Each runs a subtest on each server: every version alone, and the newest of each product in the other shapes, which the
// products share unless this is a sweep of all servers; or on the one that ROTOR_TEST_REDIS names. What is missing is said; with ROTOR_REQUIRE_SERVERS=1 it is a failure.
//
// The servers are shared by all tests of the binary: make users of your own, and change nothing for all of them.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers.Each(t, wanted(), test)
}

func wanted() (all []source) {
	if text := os.Getenv("ROTOR_TEST_REDIS"); text != "" {
		return []source{{Name: "existing", Start: func() (*Server, error) { return Existing(text) }}}
	}
	for _, product := range []string{Redis, Valkey} {
		all = append(all, installed(product, Config{})...)
		for _, shape := range shapesOf(product) {
			shaped := installed(product, Config{Shape: shape})
			if len(shaped) == 0 {
				continue
			}
			newest := shaped[len(shaped)-1]
			newest.Name += map[Shape]string{Replicated: "Replicated", Watched: "Watched", Cluster: "Cluster"}[shape]
			newest.Missing += ", " + shapes[shape]
			all = append(all, newest)
		}
	}
	return all
}

// shapesOf are those in which a product is tested beside alone.
func shapesOf(product string) []Shape {
	switch sweep := rotationtest.WantedSweep(); {
	case sweep == rotationtest.DyingEverywhere || sweep == rotationtest.FullSweep:
		return []Shape{Replicated, Watched, Cluster}
	case product == Redis:
		return []Shape{Watched, Cluster}
	}
	return []Shape{Replicated}
}

func installed(product string, c Config) []source {
	return servertest.Installed(product, func(i install.Server) (*Server, error) { return start(i, c) })
}

// Start starts the newest server of a product, for this test alone. Without any the test ends: see [servertest.Absent].
func Start(t testing.TB, product string, c Config) *Server {
	t.Helper()
	newest, ok := servertest.Newest(installed(product, c))
	if !ok {
		servertest.Absent(t, product)
	}
	s, err := newest.Start()
	return servertest.ForTest(t, s, err)
}

// Products runs a subtest for each product.
func Products(t *testing.T, test func(t *testing.T, product string)) {
	t.Helper()
	for _, product := range []string{Redis, Valkey} {
		t.Run(product, func(t *testing.T) { test(t, product) })
	}
}

// Best starts the newest server of a product, or takes the one that ROTOR_TEST_REDIS names. The error is [ErrNone] where
// there is none.
func Best(product string) (*Server, error) {
	if text := os.Getenv("ROTOR_TEST_REDIS"); text != "" {
		return Existing(text)
	}
	newest, ok := servertest.Newest(slices.Clone(installed(product, Config{})))
	if !ok {
		return nil, fmt.Errorf("%s: %w", product, ErrNone)
	}
	return newest.Start()
}
