package oracle_test

import (
	"os"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

// readme returns README.md's blocks of SQL.
func readme(t *testing.T) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "```sql\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

func TestThePrivilegesThatTheREADMEGrantsAreEnough(t *testing.T) {
	blocks := readme(t)
	if len(blocks) != 2 {
		t.Fatalf("README.md has %d blocks of SQL", len(blocks))
	}
	for i, c := range []struct {
		name     string
		strategy database.Strategy
	}{{"ROTOR_SETTER", database.SingleUserByAdministrator}, {"ROTOR_CLONER", database.AlternatingUsers}} {
		w := standIn(t, oracletest.Config{})
		for line := range strings.Lines(blocks[i]) {
			w.exec(t, strings.TrimSuffix(strings.TrimSpace(line), ";"))
		}
		r := w.rotor(t, c.strategy, w.user(t, "app"))
		r.Store.Write("admin", "least", w.secret(t, c.name, "a password of your own"))
		r.Store.Stage("admin", rotation.Current, "least")
		for range 3 {
			if err := r.Preflight(t); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			r.Must(t)
		}
	}
}
