package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// replace gives a single user the pending password, proves it while the session
// that set it is open, and puts the old one back if the server takes a password
// with which it then lets nobody in. User is the login whose password works now.
func (r *Rotator) replace(ctx context.Context, conn Conn, by, user Login, p pair) error {
	old := kept{password: user.Password}
	if user.role == rotation.Current {
		old.version = p.v.CurrentVersion
	}
	if r.NoOverlap {
		old = kept{}
	}
	if err := r.set(ctx, conn, by, p.pending, p.v.Version, old); err != nil {
		return err
	}
	if p.v.Report.Rehearses() {
		return nil
	}
	refused, err := r.refusal(ctx, p.pending)
	if err != nil || refused == nil {
		return err
	}
	// A login alone would not tell whether the old one has to be put back: a
	// pooler may let it in, and be let in itself no longer.
	put := r.set(ctx, conn, by, user, "", kept{})
	works, err := r.applied(ctx, user)
	switch works = works && err == nil; {
	case put == nil && err != nil: // it is no answer
		return unusable(p.pending, refused, true, fmt.Sprintf("The old one was put back; whether it works could not be told (%v).", err))
	case put == nil && works:
		return unusable(p.pending, refused, true, "The old one was put back, and works.")
	case works:
		return unusable(p.pending, refused, true, fmt.Sprintf("The old one could not be put back (%v), and works beside it.", put))
	case put == nil:
		return unusable(p.pending, refused, false, "The old one was put back, and is refused too.")
	}
	return unusable(p.pending, refused, false, fmt.Sprintf("The old one could not be put back: %v.", put))
}

// prove logs in as the one of two users that is not in use.
func (r *Rotator) prove(ctx context.Context, l Login) error {
	refused, err := r.refusal(ctx, l)
	if err != nil || refused == nil {
		return err
	}
	return unusable(l, refused, true, "AWSCURRENT's user was not touched.")
}

// kept is a password that is to stay valid, and the version that has it.
type kept struct{ password, version string }

// set gives l's user the password of l, in a session of by's.
func (r *Rotator) set(ctx context.Context, conn Conn, by, l Login, version string, old kept) error {
	if l.Report.Rehearses() { // nothing is sent that the server could refuse
		if err := conn.CheckPassword(ctx, likeness(l.Password)); err != nil {
			return err
		}
	}
	err := conn.SetPassword(ctx, Change{
		Target:  l,
		Version: version,
		Keep:    old.password,
		Kept:    old.version,
		Applied: func(ctx context.Context) (bool, error) { return r.applied(ctx, l) },
	})
	if errors.Is(err, ErrReused) { // an earlier run may have set it
		if works, aerr := r.applied(ctx, l); aerr == nil && works {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("setting the password of %q as %v: %w", l.User, by, networkFault(err))
	}
	return nil
}

// applied reports whether l's password logs in.
func (r *Rotator) applied(ctx context.Context, l Login) (bool, error) {
	conn, err := r.connect(ctx, l)
	if errors.Is(err, ErrLoginRefused) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	closing(conn)
	return true, nil
}

// refusal logs in with a password that was just set. Refused is the server's
// answer if it lets nobody in with it; err says that there is no answer yet.
func (r *Rotator) refusal(ctx context.Context, l Login) (refused *rotation.Fault, err error) {
	conn, err := r.connect(ctx, l)
	if err == nil {
		closing(conn)
		return nil, nil
	}
	if ctx.Err() == nil && errors.As(err, &refused) && !refused.Transient {
		return &rotation.Fault{Class: refused.Class, Err: err, Remedy: refused.Remedy}, nil
	}
	return nil, err
}

// unusable says that a new password was taken and is of no use, and what became
// of the old one, which works or not.
func unusable(l Login, refused *rotation.Fault, works bool, old string) error {
	f := rotation.Fail(rotation.NewPasswordRefused, "the server took the new password of %q, and then did not let it in: %w. %s", l.User, refused, old)
	remedy := rotation.NewPasswordRefused.Remedy() // what a refused login says is of a secret whose password is wrong
	if refused.Class != rotation.LoginRefused {
		remedy = cmp.Or(refused.Remedy, refused.Class.Remedy())
	}
	if works {
		return f.With("Applications go on with AWSCURRENT. " + remedy)
	}
	return f.With("At once: set AWSCURRENT's password in the database by hand. " + remedy)
}
