package documentdb_test

import (
	"os"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/documentdb"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// TestConformance runs the suite on both flavours: MongoDB, whose primary is looked for, and DocumentDB behind its one
// endpoint. The suite's sweep over all crashes logs in some thousand times: one of the two servers has TLS, and the
// other one its users' rights probed in the sweep as well.
func TestConformance(t *testing.T) {
	for name, c := range map[string]documentdbtest.Config{
		"MongoDB":    {ReplicaSet: true, Plain: true},
		"DocumentDB": {ReplicaSet: true, Flavour: documentdbtest.DocumentDB},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conform(t, own(t, c))
		})
	}
}

// TestConformanceOfARealServer is TestConformance on the server that ROTOR_TEST_DOCUMENTDB names.
func TestConformanceOfARealServer(t *testing.T) {
	if os.Getenv("ROTOR_TEST_DOCUMENTDB") == "" {
		t.Skip("ROTOR_TEST_DOCUMENTDB is not set")
	}
	each(t, conform)
}

func conform(t *testing.T, w *world) {
	h := databasetest.Harness{Driver: documentdb.Driver, Server: w.server.Name(), Names: []string{
		`quote"d`, `apo'strophe`, `per%cent`, `sp ace`, `com,ma=equals`, `back\slash`, `$dollar`, `do.t`, `a@b:c/d`, `ünïcødé 漢字`, strings.Repeat("x", 57),
	}}
	h.New = func(t *testing.T, name string) databasetest.Fixture {
		f := w.fixture(t, name)
		if !w.server.Plain() && strings.Contains(t.Name(), "/CrashAnywhere/") {
			f.Probe = nil
		}
		return f
	}
	databasetest.Run(t, h)
}
