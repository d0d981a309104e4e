package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A page about tests that are gone would prove nothing.
func TestEveryTestThatIsNamedExists(t *testing.T) {
	for _, p := range promises {
		for _, e := range p.evidence {
			dir, name, _ := strings.Cut(e.test, " ")
			if !has(t, filepath.Join("../..", dir), name) {
				t.Errorf("%s: there is no %s in %s", p.title, name, dir)
			}
		}
	}
}

// The page in docs is of the promises as they are.
func TestThePageNamesEveryTest(t *testing.T) {
	page, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range promises {
		for _, e := range p.evidence {
			dir, name, _ := strings.Cut(e.test, " ")
			if !strings.Contains(string(page), "| `"+name+"` in "+dir+" |") {
				t.Errorf("docs/guarantees.md does not name %s: run make guarantees", e.test)
			}
		}
	}
}

func has(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}

func TestLinesAreRead(t *testing.T) {
	p, ok := parsePoint("    sweep.go:58: GUARANTEE never-locked-out/store engine=mysql strategy=single-user server=\"MariaDB 10.11 (real)\" points=22 modes=4\n")
	if !ok || p.kind != "never-locked-out/store" || p.fields["engine"] != "mysql" || p.fields["server"] != "MariaDB 10.11 (real)" || p.fields["modes"] != "4" {
		t.Errorf("got %+v", p)
	}
	if _, ok := parsePoint("    some_test.go:1: nothing"); ok {
		t.Error("a line of another kind was taken")
	}
}
