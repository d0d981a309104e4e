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
		return r.fewerRights(p, missing, "")
	}
	return nil
}

// equal compares the two users as the administrator sees them, before a password
// is set: the one whose turn it is may do what the other may, and a clone no more
// than that. An original may do more: people grant to the name that they know,
// and its clone gets it at its next turn.
func (r *Rotator) equal(ctx context.Context, admin Administrator, p pair) error {
	d, err := admin.Compare(ctx, r.users(p))
	if err != nil {
		return fmt.Errorf("comparing the rights of %q and %q: %w", p.current.User, p.pending.User, networkFault(err))
	}
	lacks, more := d.Original, d.Clone
	if !r.isClone(p.pending.User) {
		lacks, more = d.Clone, nil
	}
	switch {
	case p.v.Report.Rehearses() && (r.isClone(p.pending.User) || r.GrantDrift):
		p.v.Report.Rights(lacks, more) // they would be equal by now
	case len(lacks) > 0:
		return r.fewerRights(p, lacks, d.Remedy)
	case len(more) > 0:
		return rotation.Fail(rotation.MoreRights, "%q may do more than %q, which is in use, and the administrator could not take it away: %s", p.pending.User, p.current.User, listing(more))
	}
	return nil
}

// Differing compares what two users may do.
func Differing(original, clone []string) Difference {
	return Difference{Original: lacking(clone, original), Clone: lacking(original, clone)}
}

// lacking returns what of needs is not in has.
func lacking(has, needs []string) []string {
	set := make(map[string]bool, len(has))
	for _, right := range has {
		set[right] = true
	}
	return slices.DeleteFunc(slices.Clone(needs), func(right string) bool { return set[right] })
}

// fewerRights names the rights that the pending user lacks.
func (r *Rotator) fewerRights(p pair, missing []string, more string) error {
	f := rotation.Fail(rotation.FewerRights, "%q may do less than %q, which is in use. It lacks: %s", p.pending.User, p.current.User, listing(missing))
	if r.isClone(p.pending.User) {
		return f.With("setSecret made them equal, so the rights have changed since, or the administrator could not copy them all: rotate again, and read the notes that setSecret logged.")
	}
	remedy := fmt.Sprintf("Grant them to %q if the application needs them, or revoke them from %q if it does not; then rotate again.", p.pending.User, p.current.User)
	if !r.GrantDrift {
		remedy += " CLONE_DRIFT=grant does the first by itself, where it can."
	}
	return f.With(strings.TrimSpace(remedy + " " + more))
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
