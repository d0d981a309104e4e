package postgrestest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestPlanNamesWhatIsMissing(t *testing.T) {
	t.Setenv("ROTOR_TEST_POSTGRES", "")
	two := []Installation{{Major: 15}, {Major: 17}}
	for _, c := range []struct {
		majors    string
		installed []Installation
		run       []string
		missing   []int
	}{
		{"", two, []string{"PostgreSQL15", "PostgreSQL17"}, []int{16, 18}},
		{"17", two, []string{"PostgreSQL17"}, nil},
		{" 16, 17 ", two, []string{"PostgreSQL17"}, []int{16}},
		{"18", two, []string{"wire"}, []int{18}},
		{"", nil, []string{"wire"}, []int{15, 16, 17, 18}},
	} {
		t.Setenv("ROTOR_TEST_MAJORS", c.majors)
		p := newPool()
		p.installed = func() []Installation { return c.installed }
		sources, missing, err := p.plan()
		var names []string
		for _, s := range sources {
			names = append(names, s.name)
		}
		if err != nil || !slices.Equal(names, c.run) || !slices.Equal(missing, c.missing) {
			t.Errorf("%q: runs %v, misses %v, %v", c.majors, names, missing, err)
		}
	}
	t.Setenv("ROTOR_TEST_MAJORS", "15,new")
	if _, _, err := newPool().plan(); err == nil {
		t.Error("a bad ROTOR_TEST_MAJORS was no error")
	}
}

func TestNothing(t *testing.T) { Each(t, func(*testing.T, *Server) {}) }

// The next test runs the one above in a process of its own, where servers are missing.
func TestMissingServersFailOnlyIfTheyAreRequired(t *testing.T) {
	for required, fails := range map[string]bool{"": false, "1": true} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNothing$")
		cmd.Env = append(os.Environ(), "ROTOR_TEST_POSTGRES=", "ROTOR_TEST_MAJORS=99", "ROTOR_REQUIRE_SERVERS="+required)
		out, err := cmd.CombinedOutput()
		if (err != nil) != fails {
			t.Errorf("ROTOR_REQUIRE_SERVERS=%q: %v\n%s", required, err, out)
		}
		if !strings.Contains(string(out), "no real PostgreSQL 99 here: not covered") {
			t.Errorf("what was not covered is not said:\n%s", out)
		}
	}
}
