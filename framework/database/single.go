package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

type singleUser struct{ byAdministrator bool }

func (singleUser) next(_ *Rotator, user string) string { return user }

func (singleUser) enter(ctx context.Context, r *Rotator, p pair) (Conn, Login, error) {
	return r.authenticate(ctx, p)
}

func (s singleUser) set(ctx context.Context, r *Rotator, p pair) error {
	conn, user, err := r.authenticate(ctx, p)
	if err != nil {
		return err
	}
	defer closing(conn)
	if user.role == rotation.Pending {
		return nil // an earlier run set it
	}
	by := user
	if s.byAdministrator {
		admin, as, err := administering(ctx, r, p, r.driver.Connect)
		if err != nil {
			return err
		}
		defer closing(admin)
		conn, by = admin, as
	} else if user.role == rotation.Previous { // a trial has looked whether that is enough
		if err := needs(p.current, conn.Preflight(ctx, p.current)); err != nil {
			return err
		}
	}
	return r.replace(ctx, conn, by, user, p)
}

func (s singleUser) preflight(ctx context.Context, r *Rotator, conn Conn, p pair) error {
	if err := checking(ctx, conn, p.current); err != nil && !(s.byAdministrator && expired(err)) {
		return err
	}
	if s.byAdministrator {
		admin, _, err := administering(ctx, r, p, r.driver.Connect)
		if err != nil {
			return err
		}
		defer closing(admin)
		conn = admin
	}
	// Pending is AWSCURRENT's login, and current has the password that works.
	if err := needs(p.current, conn.Preflight(ctx, p.pending)); err != nil {
		return err
	}
	if err := conn.CheckPassword(ctx, r.Password()); err != nil {
		return err
	}
	// A rotation proves the new password while the session that set it is open.
	second, err := r.connect(ctx, p.current)
	if err != nil {
		return fmt.Errorf("logging in twice at once, as a rotation has to: %w", err)
	}
	closing(second)
	return nil
}

// expired reports whether err is of a password that is too old, where that shows in
// the session alone. The one that an administrator sets is not.
func expired(err error) bool {
	f, ok := errors.AsType[*rotation.Fault](err)
	return ok && f.Class == rotation.PasswordExpired
}

// authenticate logs in with the first password of the secret that works: the
// current, which is the only one tried in a healthy rotation; the pending, set
// by an earlier run; the previous, if somebody put a wrong one into the secret.
// Only a refusal leads on to the next.
func (r *Rotator) authenticate(ctx context.Context, p pair) (Conn, Login, error) {
	var refusals []string
	var remedy string
	for _, candidate := range []func() (Login, bool, error){
		func() (Login, bool, error) { return p.current, true, nil },
		func() (Login, bool, error) { return p.pending, p.untried(), nil },
		func() (Login, bool, error) { return r.previous(ctx, p) },
	} {
		l, ok, err := candidate()
		if err != nil {
			return nil, l, err
		}
		if !ok {
			continue
		}
		conn, err := r.connect(ctx, l)
		if err == nil {
			return conn, l, nil
		}
		if !errors.Is(err, ErrLoginRefused) {
			return nil, l, err
		}
		refusals = append(refusals, err.Error())
		var f *rotation.Fault
		if errors.As(err, &f) {
			remedy = f.Remedy
		}
	}
	return nil, Login{}, rotation.Fail(rotation.LoginRefused, "no password of the secret works: %s", strings.Join(refusals, "; ")).With(remedy)
}

// previous is the login of AWSPREVIOUS, if it is worth trying.
func (r *Rotator) previous(ctx context.Context, p pair) (Login, bool, error) {
	doc, err := p.v.Others.Previous(ctx)
	if err != nil || doc.IsZero() {
		return Login{}, false, err
	}
	l, err := r.login(rotation.Previous, doc, p.v.Report)
	if err != nil || l.User != p.pending.User || sameServer(l, p.pending) != nil || l.Password == p.current.Password {
		return l, false, nil // of another user or server, or tried already
	}
	return l, true, nil
}
