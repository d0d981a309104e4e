// Command rotor is for whoever looks after many rotating secrets: it shows which
// are stuck and why, tries and plans rotations before anything changes, starts them
// and watches, and gets a stuck one out by one safe step. It shows no password.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit statuses.
const (
	exitWell    = 0
	exitUnknown = 1  // it could not tell
	exitAct     = 2  // somebody must act
	exitUsage   = 64 // as sysexits.h has it
)

// errAct is of a command that did what it should, and found that somebody must act.
var errAct = errors.New("somebody must act")

// errTold is of a command that has said by now what it could not do.
var errTold = errors.New("it could not tell")

// usageError is of a command line that cannot be understood.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends it whatever it does
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole command, and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(&terminal{out: stdout, err: stderr})
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitWell
	case errors.Is(err, errAct):
		return exitAct
	case errors.Is(err, errTold):
		return exitUnknown
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "rotor: %v\nSee: rotor --help\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "rotor: %v\n", err)
	return exitUnknown
}
