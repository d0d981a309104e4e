package framework_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A remedy is read at night: nothing in it is left for the reader to fill in that we could, or to find out.
func TestNoRemedyLeavesTheReaderAlone(t *testing.T) {
	found := 0
	for _, root := range []string{".", "../rotators"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			for _, text := range remedies(file) {
				found++
				for _, no := range []string{"...", "Read the cause", "<"} {
					if strings.Contains(text, no) {
						t.Errorf("%s has the remedy %q", path, text)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 100 {
		t.Errorf("found %d remedies only", found)
	}
}

// remedies are the strings of a file that stand where a remedy does: what With is given, what Remedy is set to, and
// constants and variables named for it.
func remedies(file *ast.File) (texts []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "With" && len(n.Args) == 1 {
				texts = append(texts, literals(n.Args[0])...)
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && strings.EqualFold(key.Name, "remedy") {
				texts = append(texts, literals(n.Value)...)
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if strings.HasPrefix(name.Name, "remed") && i < len(n.Values) {
					texts = append(texts, literals(n.Values[i])...)
				}
			}
		}
		return true
	})
	return texts
}

func literals(n ast.Node) (texts []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}
