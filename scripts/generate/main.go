// Command generate writes what is made of the table of engines: template.yaml, of
// deploy/template.tmpl, the drivers that cmd/rotor links, and the parts of README.md
// and docs/deploy.md that list engines.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := generate("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate writes each file of the project in root that is not as the table has it.
func generate(root string) error {
	var errs []error
	for name, make := range files {
		text, err := make(root)
		if err == nil {
			err = os.WriteFile(filepath.Join(root, name), []byte(text), 0o644)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
