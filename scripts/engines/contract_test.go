package engines_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/scripts/engines"
)

// Whatever method of the contract is taken away from whatever driver, it does not compile: nothing can be forgotten.
func TestADriverThatLacksAMethodDoesNotCompile(t *testing.T) {
	var methods []string
	for m := range reflect.TypeFor[database.Administrator]().Methods() {
		methods = append(methods, m.Name)
	}
	if !slices.Contains(methods, "Clone") || !slices.Contains(methods, "SetPassword") {
		t.Fatalf("the methods are %q", methods)
	}
	built := exports(t)
	for _, e := range engines.All() {
		t.Run(e.Name, func(t *testing.T) {
			if err := compiles(t, built, e.Name, ""); err != nil {
				t.Fatalf("as it is: %v", err)
			}
			for _, m := range methods {
				if err := compiles(t, built, e.Name, m); err == nil {
					t.Errorf("without %s it compiles", m)
				}
			}
		})
	}
}

// exports are the files with what each package exports, by import path.
func exports(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./rotators/...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return files
}

// compiles type-checks a driver less a method.
func compiles(t *testing.T, built map[string]string, name, without string) error {
	t.Helper()
	sources, err := filepath.Glob("../../rotators/" + name + "/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	removed := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		file.Decls = slices.DeleteFunc(file.Decls, func(d ast.Decl) bool {
			f, ok := d.(*ast.FuncDecl)
			is := ok && f.Recv != nil && f.Name.Name == without
			if is {
				removed++
			}
			return is
		})
		files = append(files, file)
	}
	if without != "" && removed == 0 {
		t.Fatalf("there is no method %s to take away", without)
	}
	config := types.Config{Error: func(error) {}, Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		file, ok := built[path]
		if !ok {
			return nil, fmt.Errorf("%s is not built", path)
		}
		return os.Open(file)
	})}
	_, err = config.Check("github.com/seed492efc12/rotor/rotators/"+name, set, files, nil)
	if err != nil && strings.Contains(err.Error(), "imported and not used") {
		return nil // the method alone used the package: that does not count
	}
	return err
}
