// Command rotate rotates secrets with the built functions, on this machine: a
// stand-in for Secrets Manager calls them for the four steps, a database server
// is what they change, and the password that they leave behind must log in.
//
//	go run ./scripts/rotate postgres mysql      runs dist/<function>/bootstrap, under qemu if it is not for this machine
//	go run ./scripts/rotate -sam PATH postgres  invokes by the SAM CLI, in a container, what sam build left behind
//
// Its status is other than 0 if one rotation does not do what it must.
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

	"github.com/seed492efc12/rotor/scripts/engines"
)

func main() {
	t := task{}
	dist := flag.String("dist", "dist", "the `folder` of the built functions")
	sam := flag.String("sam", "", "the SAM CLI's `path`")
	template := flag.String("template", ".aws-sam/build/template.yaml", "the SAM CLI's built template")
	image := flag.String("image", "", "the container image in place of AWS's for the runtime")
	arch := flag.String("arch", "x86_64", "the template's Architecture")
	flag.StringVar(&t.listen, "listen", "127.0.0.1", "where to listen for the functions")
	flag.StringVar(&t.address, "address", "127.0.0.1", "what the functions call that")
	flag.IntVar(&t.times, "times", 2, "how often to rotate by each strategy")
	by := flag.String("by", "single-user,single-user-by-administrator,alternating-users", "the strategies")
	flag.Parse()
	t.start = process{dist: *dist}.start
	if *sam != "" {
		t.start = samCLI{path: *sam, template: *template, image: *image, arch: *arch}.start
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, t.engine = range flag.Args() {
		if err := all(ctx, t, strings.Split(*by, ",")); err != nil {
			fmt.Fprintf(os.Stderr, "rotate: %s: %v\n", t.engine, err)
			stop()
			os.Exit(1)
		}
	}
}

// all rotates by each strategy, or, where there is no server, sees that the
// function says so.
func all(ctx context.Context, t task, strategies []string) error {
	e, err := engines.Find(t.engine)
	if err != nil {
		return err
	}
	rotated := false
	for _, p := range e.Products {
		if p.Example == nil {
			continue
		}
		if err := t.product(ctx, p, strategies); err != nil {
			return fmt.Errorf("%s: %w", p.Title, err)
		}
		rotated = true
	}
	if !rotated {
		t.strategy = strategies[0]
		return t.unreachable(ctx)
	}
	return nil
}

// product rotates a user of a product by each strategy.
func (t task) product(ctx context.Context, p engines.Product, strategies []string) (err error) {
	if t.server, err = p.Example(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.server.Close(context.WithoutCancel(ctx))) }()
	for n, strategy := range strategies {
		t.strategy = strategy
		if t.user, err = t.server.User(ctx, fmt.Sprint("app", n)); err != nil {
			return err
		}
		if err := t.rotate(ctx); err != nil {
			return fmt.Errorf("%s: %w", strategy, err)
		}
	}
	return nil
}
