package redis_test

import (
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/redis"
	"github.com/seed492efc12/rotor/rotators/redis/redistest"
)

// TestConformance runs the suite on every server. Faults are put at every point on the newest of each product, alone and
// as a cluster.
func TestConformance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sweeps := w.server.IsNewest() && (w.server.Shape() == redistest.Alone || w.server.Shape() == redistest.Cluster)
		conform(t, w, !sweeps, false)
	})
}

// TestConformanceWithoutOverlap is the other promise: the old password goes at once.
func TestConformanceWithoutOverlap(t *testing.T) {
	redistest.Products(t, func(t *testing.T, product string) { conform(t, own(t, product, redistest.Config{}), true, true) })
}

// hardNames begin user names that are hard to quote. A user's name has no blank.
var hardNames = []string{`quote"d`, `apo'strophe`, `per%cent`, `com,ma=equals`, `back\slash`, `$dollar`, `do.t`, `a@b:c/d`, `(br)[a]{c}`, `+@all`, `ünïcødé漢字`, strings.Repeat("x", 300)}

func conform(t *testing.T, w *world, noSweep, noOverlap bool) {
	h := databasetest.Harness{Driver: redis.Driver, Server: w.server.Title, Real: w.server.Real, NoSweep: noSweep, Unmarked: true,
		Overlap: !noOverlap, NoOverlap: noOverlap, New: w.fixture}
	for _, name := range hardNames {
		h.Names = append(h.Names, name+w.tag)
	}
	databasetest.Run(t, h)
}
