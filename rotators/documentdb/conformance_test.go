package documentdb_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/documentdb"
)

// TestConformance runs the suite on every server. Faults are put at every point on one of a kind: a replica set whose
// primary is looked for, and DocumentDB behind its endpoint.
func TestConformance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Parallel() // a replica set waits as long as it works
		h := databasetest.Harness{Driver: documentdb.Driver, Server: w.server.Title, Real: w.server.Real}
		h.NoSweep = !strings.HasSuffix(t.Name(), "ReplicaSet") && !strings.HasSuffix(t.Name(), "Cluster")
		for _, name := range []string{
			`quote"d`, `apo'strophe`, `per%cent`, `sp ace`, `com,ma=equals`, `back\slash`, `$dollar`, `do.t`, `a@b:c/d`, `ünïcødé 漢字`, strings.Repeat("x", 46),
		} {
			h.Names = append(h.Names, name+w.tag)
		}
		h.New = func(t *testing.T, name string) databasetest.Fixture {
			f := w.fixture(t, name)
			if strings.Contains(t.Name(), "/CrashAnywhere/") {
				f.Probe = nil // a login for each, some thousand times: the rights are compared anyway
			}
			return f
		}
		databasetest.Run(t, h)
	})
}
