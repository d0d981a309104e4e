package documentdbtest

import (
	"os"
	"slices"
	"testing"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// servers are those of this test binary.
var servers = servertest.NewPool[*Server]("documentdbtest")

// Main runs a package's tests and ends their servers; TestMain calls it and nothing else.
func Main(m *testing.M) { servers.Main(m) }

type source = servertest.Source[*Server]

// Each runs a subtest on each real MongoDB (see [servertest.Installed]), on a replica set of the newest, and on the
// imitation of DocumentDB, alone and as a cluster; or on the one server that ROTOR_TEST_DOCUMENTDB names. What is missing
// is said; with ROTOR_REQUIRE_SERVERS=1 it is a failure.
//
// The servers are shared by all tests of the binary: make users of your own, and change nothing for all of them.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers.Each(t, wanted(), test)
}

// EachMongoDB is Each without the imitation: for what DocumentDB does not have.
func EachMongoDB(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	servers.Each(t, slices.DeleteFunc(wanted(), func(s source) bool { return s.Missing == "" }), test)
}

// EachDocumentDB is Each without MongoDB.
func EachDocumentDB(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	all := slices.DeleteFunc(wanted(), func(s source) bool { return s.Missing != "" && s.Name != existing })
	servers.Each(t, all, func(t *testing.T, s *Server) {
		if s.Engine != "documentdb" {
			t.Skip("not covered: it is about DocumentDB")
		}
		test(t, s)
	})
}

// existing is the name of the server that ROTOR_TEST_DOCUMENTDB names.
const existing = "existing"

// Start starts the newest MongoDB, for this test alone. Without any the test ends: see [servertest.Absent].
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	newest, ok := servertest.Newest(installed(c))
	if !ok {
		servertest.Absent(t, "MongoDB")
	}
	s, err := newest.Start()
	return servertest.ForTest(t, s, err)
}

// StartDocumentDB starts the imitation, for this test alone.
func StartDocumentDB(t testing.TB, c Config) *Server {
	t.Helper()
	s, err := StartWire(c)
	return servertest.ForTest(t, s, err)
}

// StartVersion is Start for one version, such as "5.0".
func StartVersion(t testing.TB, version string, c Config) *Server {
	t.Helper()
	name := "mongodb-" + version
	found, ok := install.Find(name)
	if !ok {
		servertest.Absent(t, install.Title(name))
	}
	s, err := start(found, c)
	return servertest.ForTest(t, s, err)
}

// wanted are the servers to test.
func wanted() []source {
	if text := os.Getenv("ROTOR_TEST_DOCUMENTDB"); text != "" {
		return []source{{Name: existing, Missing: "server of ROTOR_TEST_DOCUMENTDB", Start: func() (*Server, error) { return Existing(text) }}}
	}
	all, sets := installed(Config{}), installed(Config{ReplicaSet: true})
	if len(sets) > 0 {
		set := sets[len(sets)-1]
		set.Name, set.Missing = set.Name+"ReplicaSet", set.Missing+", replica set"
		all = append(all, set)
	}
	return append(all,
		source{Name: "DocumentDB", Start: func() (*Server, error) { return StartWire(Config{}) }},
		source{Name: "DocumentDBCluster", Start: func() (*Server, error) { return StartWire(Config{ReplicaSet: true}) }})
}
