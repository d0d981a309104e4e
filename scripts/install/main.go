// Command install brings the real servers that the tests run on, and says where they are.
//
//	go run ./scripts/install                        all of them
//	go run ./scripts/install mysql postgres-18      some: a product is all of its versions
//
// Safe to run again: what is there is left alone, and then no network is needed. Nothing is started, and nothing is
// installed: see package install, which also says how the environment steers it.
//
// A server that cannot be had on this machine is named with the reason. The status is 1 if one that could be had was
// not, or if anything is missing and ROTOR_REQUIRE_SERVERS is 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/seed492efc12/rotor/internal/install"
)

// together is how many servers are fetched at a time: one waits for the network while another is unpacked.
const together = 3

func main() {
	names, err := choose(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "install:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok := report(names, fetch(ctx, names), os.Getenv("ROTOR_REQUIRE_SERVERS") == "1")
	stop()
	if !ok {
		os.Exit(1)
	}
}

// choose turns arguments into names of servers. None is all.
func choose(args []string) ([]string, error) {
	if len(args) == 0 {
		return install.Names(), nil
	}
	var names []string
	for _, arg := range args {
		switch {
		case slices.Contains(install.Names(), arg):
			names = append(names, arg)
		case len(install.Wanted(arg)) > 0:
			names = append(names, install.Wanted(arg)...)
		default:
			return nil, fmt.Errorf("unknown server %q; there are %v", arg, install.Names())
		}
	}
	return names, nil
}

// A result is what came of one fetch.
type result struct {
	server install.Server
	err    error
}

// fetch gets servers, some at a time.
func fetch(ctx context.Context, names []string) []result {
	results := make([]result, len(names))
	next := make(chan int)
	var workers sync.WaitGroup
	for range together {
		workers.Go(func() {
			for i := range next {
				begin := time.Now()
				say := func(format string, args ...any) {
					fmt.Printf("%-15s %4.0fs  %s\n", names[i], time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
				}
				results[i].server, results[i].err = install.Fetch(ctx, names[i], say)
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// report prints each server, and whether all is well.
func report(names []string, results []result, require bool) bool {
	ok := true
	for i, r := range results {
		var missing *install.MissingError
		switch {
		case r.err == nil:
			fmt.Printf("%-15s %-8s %s\n", names[i], r.server.Version, r.server.Bin)
		case errors.As(r.err, &missing):
			fmt.Println(missing)
			ok = ok && !require
		default:
			fmt.Fprintf(os.Stderr, "%-15s failed: %v\n", names[i], r.err)
			ok = false
		}
	}
	return ok
}
