package documentdb_test

import (
	"os"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// TestConformance runs the suite on every server. Faults are put at every point on one DocumentDB and on one MongoDB:
// see TestConformanceWithoutTLS.
func TestConformance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		conform(t, w, !strings.HasSuffix(t.Name(), "/DocumentDBCluster"))
	})
}

// TestConformanceWithoutTLS is for the faults on a real MongoDB: some hundred rotations, with several sessions each, and
// half of what a session takes is TLS.
func TestConformanceWithoutTLS(t *testing.T) {
	if os.Getenv("ROTOR_TEST_DOCUMENTDB") != "" {
		t.Skip("not covered: another server is to be tested")
	}
	conform(t, own(t, documentdbtest.Config{Options: servertest.NoTLS()}), false)
}

// hardNames begin user names that are hard to quote.
var hardNames = []string{
	`quote"d`, `apo'strophe`, `per%cent`, `sp ace`, `com,ma=equals`, `back\slash`, `$dollar`, `do.t`, `a@b:c/d`, `ünïcødé 漢字`, strings.Repeat("x", 46),
}

func conform(t *testing.T, w *world, noSweep bool) {
	h := databasetest.Harness{Driver: documentdb.Driver, Server: w.server.Title, Real: w.server.Real, NoSweep: noSweep, Unmarked: true}
	for _, name := range hardNames {
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
}
