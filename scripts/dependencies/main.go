// Command dependencies prints the modules that each function and the rotor command link. The output
// is committed as docs/dependencies.txt, so that a new dependency shows in
// review; a test compares the two.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	functions, err := filepath.Glob("functions/*/main.go")
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range append(functions, "cmd/rotor/main.go") {
		folder := "./" + filepath.Dir(m)
		modules, err := linked(folder)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(filepath.Base(folder))
		for _, module := range modules {
			fmt.Println("  " + module)
		}
	}
}

func linked(folder string) ([]string, error) {
	cmd := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", folder)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing what %s links: %w", folder, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	lines = slices.Compact(lines)
	return slices.DeleteFunc(lines, func(l string) bool { // this module itself has no version
		return !strings.Contains(strings.TrimSpace(l), " ")
	}), nil
}
