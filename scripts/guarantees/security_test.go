package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each row of the threat model names tests that there are: "folder: `TestA`, `TestB`; folder: `TestC`".
func TestTheSecurityPageNamesTestsThatThereAre(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for row := range strings.SplitSeq(string(page), "\n") {
		if !strings.HasPrefix(row, "| ") || strings.HasPrefix(row, "| who |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		for part := range strings.SplitSeq(cells[len(cells)-1], "; ") {
			folder, tests, _ := strings.Cut(part, ": ")
			for test := range strings.SplitSeq(tests, ", ") {
				if name := strings.Trim(test, "`"); !strings.HasPrefix(name, "Test") || !declares(t, folder, name) {
					t.Errorf("%s has no %s", folder, test)
				}
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d rows", rows)
	}
}

func declares(t *testing.T, folder, test string) bool {
	t.Helper()
	files, err := filepath.Glob("../../" + folder + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "func "+test+"(") {
			return true
		}
	}
	return false
}
