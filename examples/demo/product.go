package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
	"github.com/seed492efc12/rotor/scripts/engines"
)

// shown says whether the demo shows a product: those whose real servers can be had.
func shown(p engines.Product) bool { return len(p.Real()) > 0 && p.Example != nil }

// names are the products that the demo shows.
func names() (all []string) {
	for _, e := range engines.All() {
		for _, p := range e.Products {
			if shown(p) {
				all = append(all, p.Name)
			}
		}
	}
	return all
}

func find(name string) (engines.Engine, engines.Product, error) {
	for _, e := range engines.All() {
		for _, p := range e.Products {
			if p.Name == name && shown(p) {
				return e, p, nil
			}
		}
	}
	return engines.Engine{}, engines.Product{}, fmt.Errorf("unknown engine %q: it is one of %s", name, strings.Join(names(), ", "))
}

// small is the server that the demo fetches where there is none: it is the smallest.
const small = "postgres-18"

// openProduct opens a server of a product. Where there is no PostgreSQL, it fetches one.
func openProduct(ctx context.Context, p engines.Product, out *screen) (*servertest.Example, error) {
	x, err := p.Example(ctx)
	if errors.Is(err, postgrestest.ErrNone) {
		out.fact("server", "there is no PostgreSQL on this machine: a small one goes to %s", install.Cache())
		if _, err := install.Fetch(ctx, small, func(format string, args ...any) { out.fact("", format, args...) }); err != nil {
			return nil, fmt.Errorf("there is no PostgreSQL on this machine, and none could be fetched: install one (Debian: apt install postgresql; macOS: brew install postgresql), or try again with a network: %w", err)
		}
		x, err = p.Example(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("starting a server: %w", err)
	}
	return x, nil
}
