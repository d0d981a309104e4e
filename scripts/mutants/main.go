// Command mutants applies small wrong changes to the code, one at a time, and
// runs the tests that should notice. It fails if a change goes unnoticed. The
// tree stays as it is: the go command is given the changed file in place of the
// real one (-overlay).
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
		by, err := m.caught()
		if err != nil {
			survived++
			by = "NOT CAUGHT: " + err.Error()
		}
		fmt.Printf("%-58s %-38s %s\n", m.promise, m.file, by)
	}
	fmt.Printf("%d of %d mutants were caught\n", applied-survived, applied)
	if survived > 0 {
		os.Exit(1)
	}
}

// caught applies the mutant and returns the first test that fails.
func (m mutant) caught() (by string, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := m.overlay(dir)
	if err != nil {
		return "", err
	}
	args := []string{"test", "-vet=off", "-count=1", "-failfast", "-timeout", "5m", "-run", m.run, m.test}
	cmd := exec.Command("go", args...)
	// Tests that build functions must build the wrong ones too.
	cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay, "ROTOR_TEST_MAJORS=18")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", fmt.Errorf("%s passes", m.test)
	}
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			return strings.Fields(name)[0], nil
		}
	}
	return "", fmt.Errorf("no test failed, but go test did: %s", out)
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
