// Command guarantees runs the tests with a fault at every point, and writes
// docs/guarantees.md: each promise, the tests that keep it, how many points they
// covered on which servers, and what is not proven. It fails if a test that it
// names failed, was skipped or does not exist.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "docs/guarantees.md", "the page to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out string) error {
	r := newResults()
	for _, m := range modules {
		if err := r.test(m); err != nil {
			return err
		}
	}
	page, err := write(r)
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(page), 0o644)
}
