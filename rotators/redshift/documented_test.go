package redshift

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

// What the manual does not have, a cluster need not have.
func TestEveryQueryNamesDocumentedColumns(t *testing.T) {
	queries := constants(t)
	for _, v := range views {
		queries[v.name] = v.query()
	}
	if len(queries) < 20 {
		t.Errorf("found %d queries only", len(queries))
	}
	for name, query := range queries {
		if _, err := redshifttest.Prepare(query); err != nil {
			t.Errorf("%s: %v\n%s", name, err, query)
		}
	}
	for query, want := range map[string]string{
		`SELECT usename FROM pg_roles`:                   "42P01",
		`SELECT rolname FROM pg_user`:                    "42703",
		`SELECT admin_option FROM svv_column_privileges`: "42703",
	} {
		if _, err := redshifttest.Prepare(query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// constants are the queries that stand in the package as constants.
func constants(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if ok && len(spec.Values) == 1 && strings.HasPrefix(spec.Names[0].Name, "query") {
				all[spec.Names[0].Name] = value(t, spec.Values[0])
			}
			return true
		})
	}
	return all
}

// value is that of a constant made of literals and of modelLanguage.
func value(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	case *ast.BinaryExpr:
		return value(t, e.X) + value(t, e.Y)
	case *ast.Ident:
		if e.Name == "modelLanguage" {
			return modelLanguage
		}
	}
	t.Fatalf("a query is made of %T", e)
	return ""
}
