package postgrestest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestNothing(t *testing.T) { Each(t, func(*testing.T, *Server) {}) }

// The next test runs the one above in a process of its own, where servers are missing.
func TestMissingServersFailOnlyIfTheyAreRequired(t *testing.T) {
	for required, fails := range map[string]bool{"": false, "1": true} {
		cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^TestNothing$")
		cmd.Env = append(os.Environ(), "ROTOR_TEST_POSTGRES=", "ROTOR_TEST_SERVERS=postgres-18", "ROTOR_SERVERS="+t.TempDir(), "ROTOR_REQUIRE_SERVERS="+required)
		out, err := cmd.CombinedOutput()
		if (err != nil) != fails {
			t.Errorf("ROTOR_REQUIRE_SERVERS=%q: %v\n%s", required, err, out)
		}
		if !strings.Contains(string(out), `MISSING "PostgreSQL 18"`) {
			t.Errorf("what was not covered is not said:\n%s", out)
		}
	}
}
