package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// differing names the fields in which AWSPENDING must not differ from
// AWSCURRENT, and does.
func differing(v rotation.Versions) []string {
	return slices.DeleteFunc(secret.Differ(v.Current, v.Pending), func(name string) bool { return name == "username" || name == "password" })
}

// stale says what to do about a pending value that was made of another current
// one. It changes nothing. Whether AWSPENDING may be given up is a matter of
// which password works: setSecret may have run before AWSCURRENT was edited.
func (r *Rotator) stale(ctx context.Context, p pair, fields []string) error {
	f := rotation.Fail(rotation.BadSecret, "AWSPENDING and AWSCURRENT differ in %s: AWSCURRENT was changed after the rotation began, and the rotation would undo that", strings.Join(fields, ", "))
	if slices.Contains(fields, "host") || slices.Contains(fields, "port") {
		return f.With(p.v.GiveUp()) // which server is the right one is nothing to try out
	}
	works, err := r.applied(ctx, p.current)
	switch {
	case err != nil:
		return fmt.Errorf("%w; whether AWSCURRENT works could not be told: %v", f.With(p.v.GiveUp()), err)
	case works:
		return f.With(p.v.GiveUp())
	}
	set := p.current
	set.Password, set.role = p.v.Pending.Text("password"), rotation.Pending
	if p.v.Pending.Text("username") == set.User {
		if works, err = r.applied(ctx, set); err == nil && works {
			return f.With("The database has AWSPENDING's password by now: put it into AWSCURRENT, beside the fields as they are there (PutSecretValue). " + p.v.GiveUp())
		}
	}
	return f.With("The server refuses AWSCURRENT: put a password that works into it (PutSecretValue). " + p.v.GiveUp())
}
