package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/framework/rotation"
)

type alternatingUsers struct{}

func (alternatingUsers) next(r *Rotator, user string) string { return r.Twin(user) }

func (alternatingUsers) enter(ctx context.Context, r *Rotator, p pair) (Conn, Login, error) {
	conn, err := r.connect(ctx, p.current)
	return conn, p.current, err
}

func (alternatingUsers) set(ctx context.Context, r *Rotator, p pair) error {
	// A secret whose password does not work must not borrow the
	// administrator's rights.
	conn, err := r.connect(ctx, p.current)
	if err != nil {
		return err
	}
	closing(conn)
	admin, as, err := administering(ctx, r, p, r.driver.Cloning.Connect)
	if err != nil {
		return err
	}
	defer closing(admin)
	if err := r.proven(ctx, admin, p); err != nil {
		return err
	}
	if r.isClone(p.pending.User) {
		if err := admin.Clone(ctx, r.users(p)); err != nil {
			return fmt.Errorf("cloning %q as %v: %w", p.current.User, as, networkFault(err))
		}
	} else if err := admin.HandBack(ctx, r.users(p), r.GrantDrift); err != nil {
		return fmt.Errorf("preparing %q for its turn, as %v: %w", p.pending.User, as, networkFault(err))
	}
	if err := r.equal(ctx, admin, p); err != nil {
		return err
	}
	if err := r.set(ctx, admin, as, p.pending, p.v.Version, kept{}); err != nil {
		return err
	}
	if p.v.Report.Rehearses() {
		return nil
	}
	return r.prove(ctx, p.pending)
}

func (alternatingUsers) preflight(ctx context.Context, r *Rotator, conn Conn, p pair) error {
	if err := checking(ctx, conn, p.current); err != nil {
		return err
	}
	admin, _, err := administering(ctx, r, p, r.driver.Cloning.Connect)
	if err != nil {
		return err
	}
	defer closing(admin)
	p.pending.User = r.Twin(p.current.User)
	if err := r.proven(ctx, admin, p); err != nil {
		return err
	}
	if err := admin.CheckPassword(ctx, r.Password()); err != nil {
		return err
	}
	if r.isClone(p.pending.User) {
		return needs(p.pending, admin.PreflightClone(ctx, r.users(p)))
	}
	if err := needs(p.pending, admin.PreflightHandBack(ctx, r.users(p), r.GrantDrift)); err != nil {
		return err
	}
	if !r.GrantDrift { // else the rotation makes them equal first
		if err := r.equal(ctx, admin, p); err != nil {
			return err
		}
	}
	if err := admin.PreflightClone(ctx, r.users(p)); err != nil {
		noteForLater(p, err)
	}
	return nil
}

// noteForLater says of a rotation to come what would be an error of the next one.
func noteForLater(p pair, err error) {
	var f *rotation.Fault
	remedy := ""
	if errors.As(err, &f) {
		remedy = " " + cmp.Or(f.Remedy, f.Class.Remedy())
	}
	p.v.Report.Notef("The rotation after the next one will fail: %v.%s", needs(p.current, err), remedy)
}

// users says which one of two alternating users is the clone.
func (r *Rotator) users(p pair) Pair {
	if r.isClone(p.pending.User) {
		return Pair{Original: p.current, Clone: p.pending}
	}
	return Pair{Original: p.pending, Clone: p.current}
}
