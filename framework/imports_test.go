// Package framework_test keeps the rule of who may import whom, which
// docs/design.md explains.
package framework_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/scripts/engines"
)

const module = "github.com/seed492efc12/rotor/"

// drivers are the database drivers, each of which one rotator may import.
var drivers = func() map[string]string {
	modules := map[string]string{}
	for _, e := range engines.All() {
		modules[e.Name] = e.Client
	}
	return modules
}()

// pgwire is what the rotators of servers with PostgreSQL's protocol share.
const pgwire = "rotators/internal/pgwire"

// watcher is the one function that is no engine's.
const watcher = "functions/watcher"

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "-tags", "lambda.norpc", "./...")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
}

// allowed says which packages, of this module and of others, a package may
// import directly; std is always allowed. Nil is no restriction.
func allowed(path string) []string {
	kind, name, _ := strings.Cut(path, "/")
	test := isTest(path)
	switch {
	case path == "framework/secret", path == "framework/password":
		return []string{}
	case path == "framework/rotation":
		return []string{module + "framework/secret"}
	case path == "framework/database":
		return []string{module + "framework/secret", module + "framework/password", module + "framework/rotation"}
	case path == "framework/secretsmanager":
		return []string{module + "framework/secret", module + "framework/rotation", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"}
	case path == "framework/serve":
		return []string{module + "framework/secretsmanager", module + "framework/database", module + "framework/password", module + "framework/rotation", module + "internal/emf", "github.com/aws/aws-lambda-go"}
	case path == "internal/emf":
		return []string{}
	case path == "internal/watcher":
		return []string{module + "framework/serve", module + "internal/emf", module + "internal/fleet", "github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"}
	case path == watcher:
		return []string{module + "internal/watcher"}
	case path == "local", path == "local/localtls": // the standard library is enough to stand in for AWS
		return []string{}
	case path == pgwire:
		return []string{module + "framework/database", module + "framework/rotation", drivers["postgres"]}
	case path == "internal/fleet", path == "internal/operate":
		return []string{module + "framework/rotation", module + "framework/secret", "github.com/aws/aws-sdk-go-v2"}
	case kind == "functions":
		return []string{module + "framework/serve", module + "rotators/" + name}
	case kind == "rotators" && !test:
		return []string{module + "framework/database", module + "framework/rotation", module + "framework/secret", module + pgwire, drivers[name]}
	}
	return nil
}

// shipped are the internal packages of what is released.
var shipped = []string{"internal/emf", "internal/fleet", "internal/operate", "internal/watcher"}

// isTest reports whether a package is for tests, examples and tools alone.
func isTest(path string) bool {
	if slices.Contains(shipped, path) {
		return false
	}
	last := path[strings.LastIndex(path, "/")+1:]
	return strings.HasSuffix(last, "test") || last == "rig" || slices.ContainsFunc([]string{"internal/", "examples/", "scripts/"},
		func(root string) bool { return strings.HasPrefix(path, root) })
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func isStandard(path string) bool { return !strings.Contains(strings.SplitN(path, "/", 2)[0], ".") }

func TestImportsFollowTheRule(t *testing.T) {
	for _, p := range packages(t) {
		may := allowed(p.ImportPath)
		for _, imported := range p.Imports {
			if isStandard(imported) {
				continue
			}
			if may != nil && !slices.ContainsFunc(may, func(root string) bool {
				return root != "" && (imported == root || !strings.HasPrefix(root, module) && under(imported, root))
			}) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
			if own, ok := strings.CutPrefix(imported, module); ok && isTest(own) && !isTest(p.ImportPath) {
				t.Errorf("%s imports the test package %s", p.ImportPath, own)
			}
		}
	}
}

func TestImportsOfEachBinaryHaveOneDriver(t *testing.T) {
	for _, p := range packages(t) {
		name, ok := strings.CutPrefix(p.ImportPath, "functions/")
		if !ok {
			continue
		}
		if drivers[name] == "" && p.ImportPath != watcher {
			t.Errorf("%s has no entry in drivers", p.ImportPath)
		}
		for _, driver := range drivers {
			links := slices.ContainsFunc(p.Deps, func(dep string) bool { return under(dep, driver) })
			if links != (driver == drivers[name]) {
				t.Errorf("%s links %s: %v", p.ImportPath, driver, links)
			}
		}
	}
}

func TestDependenciesAreThoseThatWereReviewed(t *testing.T) {
	cmd := exec.Command("go", "run", "./scripts/dependencies")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../docs/dependencies.txt")
	if err != nil || string(got) != string(want) {
		t.Errorf("docs/dependencies.txt is not what the functions link: run make dependencies, and give each new one a reason in docs/design.md (%v)", err)
	}
}
