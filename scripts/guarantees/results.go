package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// modules are the folders of the modules whose tests are run.
var modules = []string{".", "examples/apikey"}

// importPath is that of the first module, less which packages are named.
const importPath = "github.com/seed492efc12/rotor/"

// results are what go test said.
type results struct {
	passed map[string]bool   // by package and test, "framework/database TestDrift"
	said   map[string]string // by the same, until the test has ended
	points []point
}

func newResults() *results { return &results{passed: map[string]bool{}, said: map[string]string{}} }

// An event is a line of go test -json.
// Source: go doc test2json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

// test runs the tests of a module, every fault included.
func (r *results) test(module string) error {
	// The page that is about to be written cannot be looked at yet.
	cmd := exec.Command("go", "test", "-json", "-count=1", "-timeout", "60m", "-skip", "^TestThePageNamesEveryTest$", "./...")
	cmd.Dir, cmd.Stderr = module, os.Stderr
	cmd.Env = append(os.Environ(), "ROTOR_TEST_SWEEP=all", "ROTOR_REQUIRE_SERVERS=1")
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for in := bufio.NewScanner(lines); in.Scan(); {
		var e event
		if json.Unmarshal(in.Bytes(), &e) == nil {
			r.read(e)
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the tests of %s: %w", module, err)
	}
	return nil
}

// read takes one line in.
func (r *results) read(e event) {
	name := strings.TrimPrefix(e.Package, importPath)
	test := name + " " + e.Test
	if e.Action == "pass" || e.Action == "skip" || e.Action == "fail" {
		defer delete(r.said, test)
	}
	switch {
	case e.Action == "pass" && e.Test != "":
		r.passed[test] = true
	case e.Action == "pass":
		fmt.Printf("%-40s %v\n", name, time.Duration(e.Elapsed*float64(time.Second)).Round(time.Second))
	case e.Action == "fail":
		fmt.Printf("FAIL %s\n%s", test, r.said[test])
	case e.Action == "output":
		r.said[test] += e.Output
		if p, ok := parsePoint(e.Output); ok {
			r.points = append(r.points, p)
		}
	}
}

// A point is a line that a test has logged about what it covered:
//
//	GUARANTEE never-locked-out/store engine=mysql server="MariaDB 10.11" points=26 modes=4
type point struct {
	kind   string // "never-locked-out/store"
	fields map[string]string
}

func parsePoint(line string) (p point, ok bool) {
	_, text, ok := strings.Cut(line, "GUARANTEE ")
	if !ok {
		return p, false
	}
	kind, text, _ := strings.Cut(strings.TrimSpace(text), " ")
	p = point{kind, map[string]string{}}
	for text != "" {
		name, rest, _ := strings.Cut(text, "=")
		value, more, _ := strings.Cut(rest, " ")
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			value, more, _ = strings.Cut(quoted, `"`)
		}
		p.fields[strings.TrimSpace(name)], text = value, strings.TrimSpace(more)
	}
	return p, true
}
