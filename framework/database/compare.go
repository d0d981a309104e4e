package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// compare proves that the pending user works, and may do what the current user
// may.
func (r *Rotator) compare(ctx context.Context, p pair) error {
	pending, err := opening(ctx, r, p.pending, r.driver.Cloning.Connect)
	if err != nil {
		return err
	}
	defer closing(pending)
	if err := checking(ctx, pending, p.pending); err != nil {
		return err
	}
	current, err := opening(ctx, r, p.current, r.driver.Cloning.Connect)
	if err != nil {
		return err
	}
	defer closing(current)
	// What the application creates meanwhile must not look like a loss: the
	// pending user's rights are read last.
	needs, err := rights(ctx, current, p.current, p.pending)
	if err != nil {
		return err
	}
	has, err := rights(ctx, pending, p.pending, p.current)
	if err != nil {
		return err
	}
	if missing := lacking(has, needs); len(missing) > 0 {
		return r.fewerRights(p, missing)
	}
	return nil
}

// lacking returns what of needs is not in has.
func lacking(has, needs []string) []string {
	set := make(map[string]bool, len(has))
	for _, right := range has {
		set[right] = true
	}
	return slices.DeleteFunc(needs, func(right string) bool { return set[right] })
}

// fewerRights names the rights that the pending user lacks.
func (r *Rotator) fewerRights(p pair, missing []string) error {
	f := rotation.Fail(rotation.FewerRights, "%q may do less than %q, which is in use. It lacks: %s", p.pending.User, p.current.User, listing(missing))
	if r.isClone(p.pending.User) {
		return f.With("setSecret made them equal, so the rights have changed since, or the administrator could not copy them all: rotate again, and read the notes that setSecret logged.")
	}
	return f.With(fmt.Sprintf("Grant them to %q if the application needs them, or revoke them from %q if it does not; then rotate again. CLONE_DRIFT=grant does the first by itself.", p.pending.User, p.current.User))
}

// listing names at most twenty: a message must stay readable.
func listing(rights []string) string {
	const most = 20
	if len(rights) <= most {
		return strings.Join(rights, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(rights[:most], "; "), len(rights)-most)
}

func rights(ctx context.Context, a Administrator, l, twin Login) ([]string, error) {
	all, err := a.Rights(ctx, twin.User)
	if err != nil {
		return nil, fmt.Errorf("reading the rights of %v: %w", l, networkFault(err))
	}
	return all, nil
}
