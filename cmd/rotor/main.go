//go:build !man

// Command rotor is for whoever looks after many rotating secrets: it shows which
// are stuck and why, tries and plans rotations before anything changes, starts them
// and watches, and gets a stuck one out by one safe step. It shows no password.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// What libraries say by the standard logger may be all that they send and get, such
	// as that of HTTP/2 where GODEBUG asks for it.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends it whatever it does
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole command, and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	t := newTerminal(stdout, stderr)
	defer t.flush()
	root := newRoot(t)
	root.SetArgs(args)
	root.SetOut(t.out)
	root.SetErr(t.err)
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
		fmt.Fprintf(t.err, "rotor: %v\nSee: %s --help\n", err, cmd.CommandPath())
		return exitUsage
	}
	t.progress("rotor: %v", err)
	return exitUnknown
}
