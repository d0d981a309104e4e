package database

import (
	"context"
	"fmt"
)

// A Strategy decides which user gets the next password and who sets it. There
// are three, and [ParseStrategy] names them.
type Strategy interface {
	next(r *Rotator, user string) string
	set(ctx context.Context, r *Rotator, p pair) error
	// enter logs in as set begins: with AWSCURRENT, or what else may do.
	enter(ctx context.Context, r *Rotator, p pair) (Conn, Login, error)
	// preflight checks a session as the current user, conn, and what else set
	// will need. p.pending stands for a login that does not exist yet.
	preflight(ctx context.Context, r *Rotator, conn Conn, p pair) error
}

var (
	// SingleUser lets the user change its own password. From setSecret to
	// finishSecret the AWSPENDING password works and, on most engines,
	// AWSCURRENT's does not.
	SingleUser Strategy = singleUser{}
	// SingleUserByAdministrator is SingleUser for users that may not change
	// their own password: the administrator of the secret's masterarn does.
	SingleUserByAdministrator Strategy = singleUser{byAdministrator: true}
	// AlternatingUsers lets the administrator prepare the other one of two
	// users. AWSCURRENT works at every moment.
	AlternatingUsers Strategy = alternatingUsers{}
)

// ParseStrategy returns the strategy of that name: single-user,
// single-user-by-administrator or alternating-users.
func ParseStrategy(name string) (Strategy, error) {
	switch name {
	case "single-user":
		return SingleUser, nil
	case "single-user-by-administrator":
		return SingleUserByAdministrator, nil
	case "alternating-users":
		return AlternatingUsers, nil
	}
	return nil, fmt.Errorf("unknown strategy %q: use single-user, single-user-by-administrator or alternating-users", name)
}

// needs says whose turn takes what a trial has missed.
func needs(next Login, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("checking what setSecret of %q will need: %w", next.User, networkFault(err))
}
