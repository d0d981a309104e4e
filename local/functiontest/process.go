package functiontest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local/rig"
)

// process is the folder in /proc of a function of the stage, "" on a system that has no /proc. It is found by the
// function's name, which no other stage gives.
func process(t *testing.T, f *rig.Function) (folder string) {
	t.Helper()
	name := f.ARN()[strings.LastIndex(f.ARN(), ":")+1:]
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environments {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended, or is not ours to look at
		}
		if slices.Contains(strings.Split(string(text), "\x00"), "AWS_LAMBDA_FUNCTION_NAME="+name) {
			return filepath.Dir(path)
		}
	}
	if len(environments) > 0 {
		t.Fatal("the function's process is not in /proc")
	}
	t.Log("not covered: this system has no /proc")
	return ""
}

// openFiles counts what the process has open, connections included.
func openFiles(t *testing.T, f *rig.Function) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(process(t, f), "fd"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(entries)
}

// shown is what everybody on the machine, or in the Lambda console, sees of the process: its arguments and environment.
func shown(t *testing.T, f *rig.Function) string {
	t.Helper()
	folder := process(t, f)
	if folder == "" {
		return ""
	}
	var all strings.Builder
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
