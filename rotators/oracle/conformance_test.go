package oracle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

// names are hard to quote, and need no quotes in the secret: they are in upper
// case in the catalog.
var names = []string{`apo'strophe`, `per%cent`, `sp ace`, `semi;colon--`, `back\slash`, `dollar$1`, `comma, TO x`, `ünïcødé 漢字`, `UPPER`, `mixedCase`}

// quoted are names that stand for themselves.
var quoted = []string{`"lower"`, `"Mixed Case"`, `"semi;colon--'%"`, `"ünïcødé 漢字"`}

var longest = strings.Repeat("x", 128-len("_CLONE"))

// With ROTOR_TEST_ORACLE this runs through go-ora against a real database.
func TestConformance(t *testing.T) {
	w := newWorld(t, oracletest.Best(t))
	databasetest.Run(t, databasetest.Harness{Driver: w.Driver, Server: w.Title, Real: w.Real, Databases: true, New: w.fixture, Unmarked: true, Names: slices.Concat(names, quoted, []string{longest, `"` + longest + `"`})})
}

func TestConformanceOfOtherReleases(t *testing.T) {
	for _, version := range []string{"11.2.0.4.0", "12.1.0.1.0", "12.1.0.2.0", "23.0.0.0.0"} {
		t.Run(version, func(t *testing.T) {
			w := standIn(t, oracletest.Config{Version: version})
			databasetest.Run(t, databasetest.Harness{Driver: w.Driver, Server: w.Title, Real: w.Real, Databases: true, New: w.fixture, Unmarked: true, NoSweep: true, Names: []string{strings.Repeat("x", 30-len("_CLONE"))}})
		})
	}
}

var strategies = map[string]database.Strategy{"SingleUser": database.SingleUser, "SingleUserByAdministrator": database.SingleUserByAdministrator, "AlternatingUsers": database.AlternatingUsers}
