// Command demo shows whole rotations on this machine, with nothing in the cloud: a stand-in for AWS Secrets Manager, a
// database server, and the very function that would be deployed, built and run as Lambda runs it. RotateSecret drives
// it. The demo checks each promise that it shows, and ends with a status other than 0 if one is not kept.
//
//	go run ./examples/demo                     the newest PostgreSQL on this machine; without any it fetches one
//	go run ./examples/demo -engine mysql       another one, as far as make servers has brought it
//	go run ./examples/demo -keep               leaves everything running, to look around
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	name := flag.String("engine", "postgres", "what to show: "+strings.Join(names(), ", "))
	keep := flag.Bool("keep", false, "leave everything running until Ctrl-C")
	list := flag.Bool("list", false, "only print what there is to show, a name a line")
	flag.Parse()
	if *list {
		fmt.Println(strings.Join(names(), "\n"))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, *name, *keep, newScreen(os.Stdout))
	if err != nil && ctx.Err() != nil {
		err = errors.New("stopped")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

// run shows one engine. What it starts is gone when it returns.
func run(ctx context.Context, name string, keep bool, out *screen) (err error) {
	e, p, err := find(name)
	if err != nil {
		return err
	}
	d, err := open(ctx, e, p, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for _, show := range []func(context.Context) error{d.singleUser, d.alternatingUsers, d.secrecy} {
		if err := show(ctx); err != nil {
			return err
		}
	}
	if out.broken > 0 {
		return fmt.Errorf("%d promises above are not kept", out.broken)
	}
	if !keep {
		out.line("")
		out.line("Everything held. To look around yourself:  go run ./examples/demo -engine %s -keep", p.Name)
		return nil
	}
	d.tour()
	<-ctx.Done()
	return nil
}
