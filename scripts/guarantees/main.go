// Command guarantees runs the tests with a fault at every point, and writes
// docs/guarantees.md: each promise, the tests that keep it, how many points they
// covered on which servers, and what is not proven. It fails if a test that it
// names failed, was skipped or does not exist.
//
//	go run ./scripts/guarantees                               every kind of fault, on all servers
//	go run ./scripts/guarantees -sweep servers                faults of which the function dies, on all servers; the page says so
//	go run ./scripts/guarantees -sweep fatal                  as make test has it; the page says so
//	go run ./scripts/guarantees -sweep fatal -from a,b        from what go test -json has written before
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/seed492efc12/rotor/scripts/gotest"
)

func main() {
	out := flag.String("o", "docs/guarantees.md", "the page to write")
	sweep := flag.String("sweep", "all", "all, servers or fatal: which faults are put, and on which servers")
	from := flag.String("from", "", "files of go test -json, with commas; no test is run then")
	flag.Parse()
	if err := run(*out, sweeping(*sweep), *from); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A sweeping is which faults are put.
type sweeping string

const (
	allFaults   sweeping = "all"     // all kinds, on all servers
	everywhere  sweeping = "servers" // those of which the function dies, on all servers
	fatalFaults sweeping = "fatal"   // those of which the function dies, on the newest server of each product
)

func run(out string, s sweeping, from string) error {
	if s != allFaults && s != everywhere && s != fatalFaults {
		return errors.New("-sweep is all, servers or fatal")
	}
	r := newResults()
	if err := r.collect(s, from); err != nil {
		return err
	}
	page, err := write(r, s)
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(page), 0o644)
}

// collect runs the tests, or reads what they said.
func (r *results) collect(s sweeping, from string) error {
	if from == "" {
		for _, m := range modules {
			if err := r.test(m, s); err != nil {
				return err
			}
		}
		return nil
	}
	for name := range strings.SplitSeq(from, ",") {
		if err := r.readFile(name); err != nil {
			return err
		}
	}
	return nil
}

func (r *results) readFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(gotest.Read(file, r.read), file.Close())
}
