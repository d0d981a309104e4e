//go:build !man

// Command rotor is for whoever looks after many rotating secrets: it shows which
// are stuck and why, tries and plans rotations before anything changes, starts them
// and watches, and gets a stuck one out by one safe step. It shows no password.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends it whatever it does
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
