// Command mutants applies small wrong changes to the code, one at a time, and
// runs the tests that should notice, on the newest server of each product that is
// on this machine. It says on which servers each ran, and fails if a change goes
// unnoticed, or if the tests that were to notice it found no server. The tree
// stays as it is: the go command is given the changed file in place of the real
// one (-overlay).
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/scripts/engines"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

// A mutant is one wrong change.
type mutant struct {
	promise string // what it breaks
	file    string
	from    string // occurs once in file
	to      string
	test    string // the package whose tests notice
	run     string // which of them, as for go test -run; all if empty
}

func main() {
	only := flag.String("only", "", "apply the mutants whose promise or file contains this")
	flag.Parse()
	survived, applied := 0, 0
	for _, m := range mutants {
		if !strings.Contains(m.promise+m.file, *only) {
			continue
		}
		applied++
		said, err := m.judge()
		if err != nil {
			survived++
			said = "NOT CAUGHT: " + err.Error()
		}
		fmt.Printf("%-58s %-38s %s\n", m.promise, m.file, said)
	}
	fmt.Printf("%d of %d mutants were caught\n", applied-survived, applied)
	if survived > 0 {
		os.Exit(1)
	}
}

// judge applies the mutant, and tells which test fails and on what the tests ran.
func (m mutant) judge() (said string, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := m.overlay(dir)
	if err != nil {
		return "", err
	}
	var v verdict
	// Tests that build functions must build the wrong ones too. A server that is
	// missing must not fail a test: that would look as if the mutant were caught.
	variables := []string{"GOFLAGS=-overlay=" + overlay, "ROTOR_TEST_SERVERS=" + cmp.Or(older[m.promise], newest()), "ROTOR_TEST_SWEEP=" + string(rotationtest.DyingEverywhere), "ROTOR_REQUIRE_SERVERS="}
	v.err = gotest.Run(".", variables, v.event, "-vet=off", "-count=1", "-failfast", "-timeout", "5m", "-run", m.run, m.test)
	return v.said(m.test)
}

// newest are the servers to run on: the newest of each product that is here. Of a
// product without any, all are named, so that the tests say what they miss.
func newest() string {
	var names []string
	for _, e := range engines.All() {
		for _, p := range e.Products {
			name := p.Install
			for _, wanted := range install.Wanted(p.Install) {
				if _, ok := install.Find(wanted); ok {
					name = wanted
				}
			}
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, ",")
}

// A verdict is what the tests said of a mutant.
type verdict struct {
	err     error // of go test
	failed  string
	output  string // of what is built, and of failing tests
	servers []string
	missing []string
}

func (v *verdict) event(e gotest.Event) {
	if s, ok := gotest.ParseServer(e.Output); ok {
		v.servers = put(v.servers, map[bool]string{true: s.Title, false: s.Title + " (imitation)"}[s.Real])
	}
	if title, ok := gotest.ParseMissing(e.Output); ok {
		v.missing = put(v.missing, title)
	}
	if e.Action == "fail" && e.Test != "" && v.failed == "" {
		v.failed = e.Test
	}
	if e.Action == "build-output" || e.Test == "" {
		v.output += e.Output
	}
}

func put(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// said is the test that noticed and the servers that the tests ran on. It is an
// error if none noticed, and if tests that want a server had none: whatever failed
// then is no evidence.
func (v *verdict) said(pkg string) (string, error) {
	on := strings.Join(v.servers, ", ")
	switch {
	case len(v.servers) == 0 && len(v.missing) > 0:
		return "", fmt.Errorf("%s ran on nothing: there is no %s here (make servers)", pkg, strings.Join(v.missing, ", "))
	case v.err == nil:
		return "", fmt.Errorf("%s passes, on %s", pkg, cmp.Or(on, "no server"))
	case v.failed == "":
		return "", fmt.Errorf("no test failed, but go test did: %w\n%s", v.err, v.output)
	case on == "":
		return v.failed, nil
	}
	return v.failed + ", on " + on, nil
}

// overlay writes the changed file and what tells the go command of it.
func (m mutant) overlay(dir string) (string, error) {
	text, err := m.apply(".")
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(changed, text, 0o600); err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// apply returns the file, under a root, with the change.
func (m mutant) apply(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(m.from)); n != 1 {
		return nil, fmt.Errorf("%s has %q %d times", m.file, m.from, n)
	}
	return bytes.Replace(text, []byte(m.from), []byte(m.to), 1), nil
}
