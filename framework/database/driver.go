package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// ErrLoginRefused is wrapped by the error of a Driver's Connect when the server
// was reached and refused this user or password: see [Refused].
var ErrLoginRefused = errors.New("the server refused the user or the password")

// ErrNoTLS is wrapped by the error of a Driver's Connect when the server was
// reached and offers no TLS.
var ErrNoTLS = errors.New("the server offers no TLS")

// Refused marks err as a refused login.
func Refused(err error) *rotation.Fault {
	return &rotation.Fault{Class: rotation.LoginRefused, Err: fmt.Errorf("%w: %w", ErrLoginRefused, err)}
}

// PasswordRules are what a server demands of every password.
type PasswordRules = password.Rules

// A Driver describes one kind of database server. It is a constant: it keeps
// no connection and no configuration.
type Driver struct {
	// Engines are the values that the secret's "engine" field may have; the
	// first is the driver's name.
	Engines []string
	// Port is used when the secret names none.
	Port int
	// Database is used when the secret names none; if it is empty, the secret
	// must.
	Database string
	// Connect opens one connection as login.User, which it proves with
	// login.Password, and gives up when ctx ends.
	Connect func(ctx context.Context, login Login) (Conn, error)
	// CheckUser says why this driver will not rotate a user of that name. Nil
	// accepts every name.
	CheckUser func(user string) error
	// CloneSuffix is what the second one of two alternating users has at its
	// end, unless the configuration says otherwise. Empty means that the
	// driver cannot alternate users.
	CloneSuffix string
	// NameQuote encloses a user name that stands for itself, where the secret
	// may have one: the suffix goes inside. Empty where quotes mean nothing.
	NameQuote string
	// Password is what the server demands of every password.
	Password PasswordRules
}

// Name is the driver's name.
func (d Driver) Name() string { return d.Engines[0] }

// A Conn is one open connection. It is used by one goroutine at a time.
type Conn interface {
	// Check proves that the session can do work. It changes nothing.
	Check(ctx context.Context) error
	// SetPassword changes the password of user, who may be the session's own.
	// It may be called again with the same password.
	SetPassword(ctx context.Context, user, password string) error
	Close() error
}

// A Cloner is a Conn that can make a user who is the same as another.
type Cloner interface {
	// CloneUser makes clone exist, have the password, and hold exactly the
	// rights that original holds: what clone has beyond them is taken away. It
	// may be called again, also after it was cut short.
	CloneUser(ctx context.Context, original, clone, password string) error
}

// An Auditor is a Conn that can say what its user may do.
type Auditor interface {
	// Rights returns one line for each right that the session's user has, such
	// as `SELECT on table public.t`. Twin is the other one of the two users: a
	// line names neither of them, and a right of one on the other is left out,
	// so that the lines of both can be compared.
	Rights(ctx context.Context, twin string) ([]string, error)
}

// An Adopter is a Conn of a server on which what a clone makes is the clone's.
// A clone that is the original in all but name, or a server whose objects have
// no owner, needs no Adopter.
type Adopter interface {
	// Adopt gives original full power over what clone owns. It takes nothing
	// away from clone, which is in use.
	Adopt(ctx context.Context, original, clone string) error
}

// A DriftGranter is a Conn that can give a user what only the clone has.
type DriftGranter interface {
	// GrantDrift grants original each right that only clone holds. It takes
	// nothing away.
	GrantDrift(ctx context.Context, original, clone string) error
}

// A Preflighter is a Conn that can say what would stop a rotation.
type Preflighter interface {
	// Preflight checks that the session may change the password of user and,
	// if clone is not empty, make clone a clone of user. It changes nothing.
	Preflight(ctx context.Context, user, clone string) error
}

// An Overlapper is a Conn of a server that can keep a user's old password valid
// beside the new one, so that a single user rotates without a gap.
type Overlapper interface {
	// Overlaps reports whether SetPassword of this session will keep the
	// password that user has now valid. If so, SetPassword must not run twice
	// for one rotation: the second run would drop the password of AWSCURRENT.
	// Therefore a true answer comes with a lock on the user, on the server, that
	// other sessions' Overlaps waits for until this session is closed. Without a
	// true answer, SetPassword keeps no old password.
	Overlaps(ctx context.Context, user string) (bool, error)
}
