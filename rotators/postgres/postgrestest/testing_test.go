package postgrestest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestTheVersionsThatAreWanted(t *testing.T) {
	for list, want := range map[string][]int{"": Majors(), "17": {17}, " 16, 17 ": {16, 17}} {
		if got, err := wantedMajors(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v", list, got, err)
		}
	}
	if _, err := wantedMajors("15,new"); err == nil {
		t.Error("a bad ROTOR_TEST_MAJORS was no error")
	}
}

func TestNothing(t *testing.T) { Each(t, func(*testing.T, *Server) {}) }

func TestNothingOnTheNewest(t *testing.T) { Newest(t) }

// The next test runs the ones above in a process of its own, where servers are missing.
func TestMissingServersFailOnlyIfTheyAreRequired(t *testing.T) {
	for _, test := range []string{"TestNothing", "TestNothingOnTheNewest"} {
		for required, fails := range map[string]bool{"": false, "1": true} {
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+test+"$")
			cmd.Env = append(os.Environ(), "ROTOR_TEST_POSTGRES=", "ROTOR_TEST_MAJORS=99", "ROTOR_REQUIRE_SERVERS="+required)
			out, err := cmd.CombinedOutput()
			if (err != nil) != fails {
				t.Errorf("%s, ROTOR_REQUIRE_SERVERS=%q: %v\n%s", test, required, err, out)
			}
			if !strings.Contains(string(out), `MISSING "PostgreSQL`) {
				t.Errorf("what was not covered is not said:\n%s", out)
			}
		}
	}
}
