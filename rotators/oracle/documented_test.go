package oracle_test

import (
	"regexp"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

var reads = regexp.MustCompile(`(?m)^\S+ reads: (SELECT .*) \[.*\]$`)

// oracletest/columns.tsv has what the Database Reference documents. Each query is
// held against what the release has to which it is said.
func TestEveryQueryNamesOnlyWhatTheReleaseHas(t *testing.T) {
	if oracletest.Prepare("12.1.0.1.0", "SELECT DELEGATE_OPTION FROM DBA_ROLE_PRIVS") == nil ||
		oracletest.Prepare("19.0.0.0.0", "SELECT GRANTEE FROM DBA_SCHEMA_PRIVS") == nil || oracletest.Prepare("19.0.0.0.0", "SELECT NAME FROM DBA_USERS") == nil {
		t.Fatal("what is not documented passes")
	}
	for _, release := range []string{"11.2.0.4.0", "12.1.0.1.0", "12.1.0.2.0", "12.2.0.1.0", "18.0.0.0.0", "19.0.0.0.0", "21.0.0.0.0", "23.0.0.0.0"} {
		w := standIn(t, oracletest.Config{Version: release})
		mark := w.StandIn.Mark()
		for by, strategy := range strategies {
			r := w.rotor(t, strategy, w.user(t, ""))
			r.Config.NoOverlap = true // so that a rollover is asked about
			for range 3 {
				if err := r.Preflight(t); err != nil {
					t.Errorf("%s: %s: %v", release, by, err)
				}
				if err := r.Planned(t); err != nil {
					t.Errorf("%s: %s: %v", release, by, err)
				}
			}
		}
		w.rotor(t, database.SingleUser, w.user(t, "")).Must(t)
		seen := map[string]bool{}
		for _, match := range reads.FindAllStringSubmatch(w.StandIn.LogSince(mark), -1) {
			seen[match[1]] = true
		}
		for query := range seen {
			if err := oracletest.Prepare(release, query); err != nil {
				t.Errorf("%s: %s: %v", release, query, err)
			}
		}
		if len(seen) < 25 {
			t.Errorf("%s: %d queries only", release, len(seen))
		}
		t.Logf("%s: %d queries", release, len(seen))
	}
}
