// Command grammar has every statement that the drivers of SQL Server, Oracle and Redshift send read by parsers that
// others wrote, since no real server of these can be had: Microsoft's own for Transact-SQL, ANTLR's grammar of PL/SQL,
// and sqlfluff's and sqlglot's Redshift.
//
//	go run ./scripts/grammar                                  all three
//	go run ./scripts/grammar oracle                           some
//	go run ./scripts/grammar -statements FOLDER               what was recorded there, by ROTOR_RECORD_STATEMENTS=FOLDER
//
// It runs the drivers' tests, which record what their imitations are sent (servertest.Record), in every world and with
// hard names. A statement is read as it is meant if the parser finds one statement in it, and every name in delimiters
// that it finds is one of those that the test's world has, as the same parser reads them in the statements that made
// that world. What a parser does not know stands in a table with the manual's page; what the table has too much is a
// failure. Then statements are broken on purpose: each must be refused, or the check sees nothing.
//
// The parsers are fetched into the servers' cache, pinned (readers/). That takes python3 with venv, and node with npm.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	folder := flag.String("statements", "", "read what was recorded in this folder, and run no test")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *folder, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "grammar:", err)
		os.Exit(1)
	}
}

// run reads the statements of some engines, or all.
func run(ctx context.Context, folder string, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	home, err := fetch(ctx)
	if err != nil {
		return fmt.Errorf("fetching the parsers: %w", err)
	}
	if folder == "" {
		if folder, err = os.MkdirTemp("", "statements"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		if err := record(folder, chosen); err != nil {
			return err
		}
	}
	var failures []error
	for _, e := range chosen {
		failures = append(failures, e.check(ctx, home, folder))
	}
	return errors.Join(failures...)
}

// choose finds engines by name. None is all.
func choose(names []string) ([]engine, error) {
	if len(names) == 0 {
		return engines, nil
	}
	var chosen []engine
	for _, name := range names {
		found := false
		for _, e := range engines {
			if e.name == name {
				chosen, found = append(chosen, e), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there are no statements of %q", name)
		}
	}
	return chosen, nil
}
