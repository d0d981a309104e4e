// Command bench measures the built functions under a host of the Lambda Runtime API, with a stand-in for Secrets
// Manager and a database on the same machine, and a hello-world function beside them in the same run. It prints
// Markdown. Its status is other than 0 if a count or a size misses its target, and never because of a time.
//
//	go run ./scripts/bench                          prints the tables
//	go run ./scripts/bench -o docs/benchmarks.md    rewrites the page
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
	page := flag.String("o", "", "the Markdown `file` to rewrite; standard output if empty")
	runs := flag.Int("n", 20, "how often each thing is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *runs, *page); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, runs int, page string) (err error) {
	if runs < 1 {
		return errors.New("-n is below 1")
	}
	folder, err := os.MkdirTemp("", "rotor-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	r, err := measure(ctx, folder, runs)
	if err != nil {
		return err
	}
	if err := write(page, r.markdown()); err != nil {
		return err
	}
	return r.missed()
}

func write(page, text string) error {
	if page == "" {
		_, err := fmt.Print(text)
		return err
	}
	return os.WriteFile(page, []byte(text), 0o644)
}
