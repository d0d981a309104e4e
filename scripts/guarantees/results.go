package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/scripts/gotest"
)

// modules are the folders of the modules whose tests are run.
var modules = []string{".", "examples/apikey"}

// importPath is that of the first module, less which packages are named.
const importPath = "github.com/seed492efc12/rotor/"

// results are what go test said.
type results struct {
	passed  map[string]bool   // by package and test, "framework/database TestDrift"
	said    map[string]string // by the same, until the test has ended
	servers map[string]kinds  // by the same, subtests left out
	points  []gotest.Point
}

func newResults() *results {
	return &results{passed: map[string]bool{}, said: map[string]string{}, servers: map[string]kinds{}}
}

// kinds are the kinds of servers that a test ran on.
type kinds struct{ real, imitation bool }

func (k kinds) String() string {
	switch k {
	case kinds{true, true}:
		return "real servers, imitations"
	case kinds{real: true}:
		return "real servers"
	case kinds{imitation: true}:
		return "imitations"
	}
	return ""
}

// test runs the tests of a module. A server that is missing fails the tests that want it.
func (r *results) test(module string, s sweeping) error {
	faults := "ROTOR_TEST_SWEEP="
	if s != fatalFaults {
		faults += string(s)
	}
	// The page that is about to be written cannot be looked at yet.
	return gotest.Run(module, []string{faults, "ROTOR_REQUIRE_SERVERS=1"}, r.read,
		"-count=1", "-timeout", "150m", "-skip", "^TestThePageNamesEveryTest$", "./...")
}

// read takes one line in.
func (r *results) read(e gotest.Event) {
	name := strings.TrimPrefix(e.Package, importPath)
	test := name + " " + e.Test
	if e.Ended() {
		defer delete(r.said, test)
	}
	switch {
	case e.Action == "build-output":
		fmt.Print(e.Output)
	case e.Action == "pass" && e.Test != "":
		r.passed[test] = true
	case e.Action == "pass":
		fmt.Printf("%-40s %v\n", name, time.Duration(e.Elapsed*float64(time.Second)).Round(time.Second))
	case e.Action == "fail":
		fmt.Printf("FAIL %s\n%s", test, r.said[test])
	case e.Action == "output":
		r.said[test] += e.Output
		if p, ok := gotest.ParsePoint(e.Output); ok {
			r.points = append(r.points, p)
		}
		if s, ok := gotest.ParseServer(e.Output); ok {
			top := name + " " + strings.Split(e.Test, "/")[0]
			k := r.servers[top]
			k.real, k.imitation = k.real || s.Real, k.imitation || !s.Real
			r.servers[top] = k
		}
	}
}
