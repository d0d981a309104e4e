package main

import (
	"os/exec"
	"strings"
	"testing"
)

// Whoever copies the example needs nothing but the framework, and what stands in for AWS in its tests.
func TestTheExampleImportsTheFrameworkAlone(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{range .Imports}}{{.}} {{end}}{{range .TestImports}}{{.}} {{end}}`, "./...")
	imports := strings.Fields(string(must(list.Output())(t)))
	framework := 0
	for _, path := range imports {
		own, ours := strings.CutPrefix(path, "github.com/seed492efc12/rotor/")
		switch {
		case ours && strings.HasPrefix(own, "framework/"):
			framework++
		case ours && (strings.HasPrefix(own, "examples/apikey/") || strings.HasPrefix(own+"/", "local/")):
		case strings.Contains(strings.SplitN(path, "/", 2)[0], "."):
			t.Errorf("it imports %s", path)
		}
	}
	if framework == 0 {
		t.Errorf("it imports no framework: %v", imports)
	}
}
