package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/scripts/engines"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

// A mutant that no longer fits the code proves nothing.
func TestEveryMutantFitsTheCode(t *testing.T) {
	for _, m := range mutants {
		if _, err := m.apply("../.."); err != nil {
			t.Errorf("%s: %v", m.promise, err)
		}
	}
	if len(mutants) < 20 {
		t.Errorf("there are only %d mutants", len(mutants))
	}
}

func TestAVerdictNeedsAServer(t *testing.T) {
	failed := errors.New("exit status 1")
	log := func(text string) gotest.Event {
		return gotest.Event{Action: "output", Test: "TestX/sub", Output: "    pool.go:72: " + text + "\n"}
	}
	server, imitation, missing := log(`SERVER real "MySQL 9.7.4"`), log(`SERVER imitation "SQL Server"`), log(`MISSING "MySQL 8.0"`)
	fail := []gotest.Event{{Action: "fail", Test: "TestX/sub"}, {Action: "fail", Test: "TestX"}, {Action: "fail"}}
	for name, c := range map[string]struct {
		events []gotest.Event
		err    error
		says   string
		caught bool
	}{
		"caught on a server":           {append([]gotest.Event{server, server, imitation, missing}, fail...), failed, "TestX/sub, on MySQL 9.7.4, SQL Server (imitation)", true},
		"caught without need of one":   {fail, failed, "TestX/sub", true},
		"what failed had no server":    {append([]gotest.Event{missing}, fail...), failed, "ran on nothing: there is no MySQL 8.0", false},
		"passes without a server":      {[]gotest.Event{missing}, nil, "ran on nothing", false},
		"passes":                       {[]gotest.Event{server}, nil, "passes, on MySQL 9.7.4", false},
		"does not compile":             {[]gotest.Event{{Action: "build-output", Output: "undefined: x"}, {Action: "fail"}}, failed, "undefined: x", false},
		"passes and never needed more": {nil, nil, "passes, on no server", false},
	} {
		v := verdict{err: c.err}
		for _, e := range c.events {
			v.event(e)
		}
		said, err := v.said("./p")
		if err != nil {
			said = err.Error()
		}
		if (err == nil) != c.caught || !strings.Contains(said, c.says) {
			t.Errorf("%s: got %q, %v", name, said, err)
		}
	}
}

// Every product that can be had is asked for, here or not.
func TestTheNewestServersAreNamed(t *testing.T) {
	names := strings.Split(newest(), ",")
	for _, e := range engines.All() {
		for _, p := range e.Products {
			if p.Install != "" && !slices.ContainsFunc(names, func(name string) bool { return name == p.Install || strings.HasPrefix(name, p.Install+"-") }) {
				t.Errorf("%v has no %s", names, p.Install)
			}
		}
	}
}

// What its tests notice is known of each driver.
func TestEveryEngineHasMutants(t *testing.T) {
	for _, e := range engines.All() {
		folder := "rotators/" + e.Name + "/"
		if !slices.ContainsFunc(mutants, func(m mutant) bool { return strings.HasPrefix(m.file, folder) }) {
			t.Errorf("there is no mutant of %s: add to list.go how its change of a password and its clone could be wrong, such as\n"+
				"\t{%q, %q,\n\t\t%q, \"\", %q, \"TestConformance\"},\nand see go run ./scripts/mutants -only %s catch them", folder,
				"the old password does not stay ("+e.Products[0].Title+")", folder+"FILE.go", "what occurs once in it", "./rotators/"+e.Name, folder)
		}
	}
}
