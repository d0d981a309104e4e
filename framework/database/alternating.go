package database

import (
	"context"
	"fmt"

	"github.com/seed492efc12/rotor/framework/rotation"
)

type alternatingUsers struct{}

func (alternatingUsers) next(r *Rotator, user string) string { return r.Twin(user) }

func (alternatingUsers) set(ctx context.Context, r *Rotator, p pair) error {
	// A secret whose password does not work must not borrow the
	// administrator's rights.
	conn, err := r.connect(ctx, p.current)
	if err != nil {
		return err
	}
	closing(conn)
	admin, as, err := r.administrator(ctx, p)
	if err != nil {
		return err
	}
	defer closing(admin)
	if r.isClone(p.pending.User) {
		return cloning(ctx, admin, as, p)
	}
	if a, ok := admin.(Adopter); ok {
		if err := a.Adopt(ctx, p.pending.User, p.current.User); err != nil {
			return fmt.Errorf("giving %q power over what %q owns, as %v: %w", p.pending.User, p.current.User, as, networkFault(err))
		}
	}
	if g, ok := admin.(DriftGranter); ok && r.GrantDrift {
		if err := g.GrantDrift(ctx, p.pending.User, p.current.User); err != nil {
			return fmt.Errorf("granting %q what only %q has, as %v: %w", p.pending.User, p.current.User, as, networkFault(err))
		}
	}
	return setting(ctx, admin, as, p.pending)
}

func (alternatingUsers) preflight(ctx context.Context, r *Rotator, _ Conn, p pair) error {
	admin, _, err := r.administrator(ctx, p)
	if err != nil {
		return err
	}
	defer closing(admin)
	original, clone := p.current.User, r.Twin(p.current.User)
	if r.isClone(original) {
		original, clone = clone, original
	}
	return preflighting(ctx, admin, original, clone)
}

func cloning(ctx context.Context, admin Conn, as Login, p pair) error {
	cloner, ok := admin.(Cloner)
	if !ok {
		return rotation.Fail(rotation.BadConfig, "the driver cannot clone users")
	}
	if err := cloner.CloneUser(ctx, p.current.User, p.pending.User, p.pending.Password); err != nil {
		return fmt.Errorf("cloning %q as %v: %w", p.current.User, as, networkFault(err))
	}
	return nil
}
