package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/scripts/engines"
)

// files are the generated ones: each is made of the project in root.
var files = map[string]func(root string) (string, error){
	"template.yaml": deployed,
	"README.md": func(root string) (string, error) {
		return between(filepath.Join(root, "README.md"), "## Engines\n\n", "\n*Real* means", engines.Table())
	},
	"docs/deploy.md": func(root string) (string, error) {
		return between(filepath.Join(root, "docs/deploy.md"), "| **Engines** | | |\n| ", " | `off` |", strategies())
	},
}

// deployed is the template that deploys a function for each engine.
func deployed(root string) (string, error) {
	version := template.FuncMap{"version": func() string { return serve.Version }}
	t, err := template.New("template.tmpl").Delims("<<", ">>").Funcs(version).ParseFiles(filepath.Join(root, "deploy/template.tmpl"))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, engines.All())
	return b.String(), err
}

// strategies are the template's parameters, a word for each engine.
func strategies() string {
	var all []string
	for _, e := range engines.All() {
		all = append(all, "`"+e.ID()+"Strategy`")
	}
	return strings.Join(all, ", ")
}

// between is a file in which the text from one mark to another is replaced.
func between(path, from, to, text string) (string, error) {
	whole, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	before, rest, begins := strings.Cut(string(whole), from)
	_, after, ends := strings.Cut(rest, to)
	if !begins || !ends {
		return "", fmt.Errorf("%s has no part between %q and %q", path, from, to)
	}
	return before + from + text + to + after, nil
}
