package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// run is the whole command, and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(&terminal{out: stdout, err: stderr})
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitWell
	case errors.Is(err, errAct):
		return exitAct
	case errors.Is(err, errTold):
		return exitUnknown
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "rotor: %v\nSee: %s --help\n", err, cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "rotor: %v\n", err)
	return exitUnknown
}
