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

// ErrPasswordTaken is wrapped by the error of a Driver's Connect when the server
// took the password, and then refused the session: see [PasswordTaken].
var ErrPasswordTaken = errors.New("the server took the password, and not the session")

// PasswordTaken marks f as what a server says only to whoever knows the password,
// such as that it has expired. It is a proof of the password as good as a login.
func PasswordTaken(f *rotation.Fault) *rotation.Fault {
	marked := *f
	marked.Err = fmt.Errorf("%w: %w", ErrPasswordTaken, f.Err)
	return &marked
}

// ErrReused is wrapped by an error of SetPassword when the server takes no
// password that the user had before: see [Reused].
var ErrReused = errors.New("the server takes no password that was used before")

// Reused marks err as a refusal of a password that is in force already, or was.
// The framework finds out which.
func Reused(err error) *rotation.Fault {
	return &rotation.Fault{Class: rotation.PasswordRejected, Err: fmt.Errorf("%w: %w", ErrReused, err),
		Remedy: "Give AWSPENDING up and rotate again: that makes a new password."}
}

// PasswordRules are what a server demands of every password.
type PasswordRules = password.Rules

// A Driver describes one kind of database server. It is a constant: it keeps
// no connection and no configuration. All fields but NameQuote, Database,
// Fields and Cloning are required.
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
	// CheckUser says why this driver will not rotate a user of that name:
	// [AnyUser] where it rotates all.
	CheckUser func(user string) error
	// Fields are those of the secret that only this driver knows, and that
	// messages may quote, such as the name of a replica set. What it knows besides
	// stays hidden.
	Fields []string
	// NameQuote encloses a user name that stands for itself, where the secret
	// may have one: the suffix goes inside. Empty where quotes mean nothing.
	NameQuote string
	// Password is what the server demands of every password.
	Password PasswordRules
	// Cloning is what [AlternatingUsers] takes. Nil means that users of this
	// kind of server cannot alternate.
	Cloning *Cloning
}

// Cloning is how a driver makes one user the same as another.
type Cloning struct {
	// Suffix is what the second one of two alternating users has at its end,
	// unless the configuration says otherwise.
	Suffix string
	// Connect is the driver's Connect for a session that can do more, if its
	// user may.
	Connect func(ctx context.Context, login Login) (Administrator, error)
}

// AsConn makes a Driver's Connect of a function that returns the driver's own
// type. Where that fails there is no connection, and not one that holds a nil
// pointer.
func AsConn[C Conn](connect func(context.Context, Login) (C, error)) func(context.Context, Login) (Conn, error) {
	return func(ctx context.Context, l Login) (Conn, error) {
		c, err := connect(ctx, l)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// AsAdministrator does the same for the Connect of a Cloning.
func AsAdministrator[C Administrator](connect func(context.Context, Login) (C, error)) func(context.Context, Login) (Administrator, error) {
	return func(ctx context.Context, l Login) (Administrator, error) {
		c, err := connect(ctx, l)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// Name is the driver's name.
func (d Driver) Name() string { return d.Engines[0] }

// AnyUser is the CheckUser of a driver that rotates users of every name.
func AnyUser(string) error { return nil }

// A Conn is one open connection. It is used by one goroutine at a time.
//
// SetPassword, Clone and HandBack ask the login's Report for leave, by its Sends,
// before each statement that changes something on the server. Where it says no they
// go on as though the statement had been sent: the operator's plan is made that way,
// by the very code that would carry it out.
type Conn interface {
	// Check proves that the session can do work. It changes nothing.
	Check(ctx context.Context) error
	// SetPassword changes one password, which may be the session's own user's.
	// It may be called again with the same change. In a rehearsal of a clone's first
	// turn the target does not exist yet.
	SetPassword(ctx context.Context, c Change) error
	// Preflight says what would stop SetPassword from changing the password of
	// target's user, who exists. Target is AWSCURRENT's login; the session of the
	// user itself may be of AWSPREVIOUS's password. It changes nothing.
	Preflight(ctx context.Context, target Login) error
	// CheckPassword says whether the server's rules refuse a new password like
	// sample, as far as the server tells its rules. Sample is nobody's password and
	// never will be: it may be sent, and logged. It changes nothing.
	CheckPassword(ctx context.Context, sample string) error
	Close() error
}

// A Change is a new password for one user.
type Change struct {
	// Target is the user, where it is, and the new password: its own secret
	// says all that.
	Target Login
	// Version names the change: the version of the secret that has the password.
	Version string
	// Keep, if it is not empty, is the password that the user has now. It is to
	// stay valid beside the new one, on servers that can do that; elsewhere, and
	// if Keep is empty, no other password is valid afterwards. When the change
	// was made before, it must not be made again where that would end what Keep
	// names: then SetPassword does nothing.
	Keep string
	// Kept is the version of the secret that has Keep, if AWSCURRENT's has: where
	// another version than that was set last, Keep is the older of two passwords.
	Kept string
	// Applied logs in as the target and so proves that the change was made. It
	// may cost a refused login: it is for a driver to which the server said that
	// this may be so.
	Applied func(ctx context.Context) (bool, error)
}

// A Difference is what only one of two alternating users may do: a line for each
// right, as [Administrator.Rights] has them.
type Difference struct {
	Original, Clone []string
	// Remedy is what the driver knows to do beside granting and revoking. It may be
	// empty.
	Remedy string
}

// A Pair is two alternating users, each as its own secret has it.
type Pair struct{ Original, Clone Login }

// An Administrator is a Conn whose user can make one user the same as another.
type Administrator interface {
	Conn
	// PreflightClone says what would stop Clone, and SetPassword of the clone,
	// which may not exist. It changes nothing.
	PreflightClone(ctx context.Context, p Pair) error
	// PreflightHandBack says what would stop HandBack with the same drift, and
	// SetPassword of the original. It changes nothing.
	PreflightHandBack(ctx context.Context, p Pair, drift bool) error
	// Standing says what the server knows of next, which is one of the pair. It
	// changes nothing.
	Standing(ctx context.Context, p Pair, next Login) (Standing, error)
	// Clone makes the pair's clone exist and hold exactly the rights that the
	// original holds: what the clone has beyond them is taken away. It leaves the
	// mark that Standing looks for, where the server has a place for one. A new
	// clone has from its first moment either the mark or the password of its
	// secret, so that a run which follows knows it again; one that exists keeps
	// its password. It may be called again, also after it was cut short.
	// SetPassword follows.
	Clone(ctx context.Context, p Pair) error
	// HandBack prepares the original, while the clone is in use, for its turn:
	// it gets full power over what the clone owns, where objects have owners of
	// their own, and, if drift is true, each right that only the clone holds. It
	// takes nothing away from either.
	HandBack(ctx context.Context, p Pair, drift bool) error
	// Compare says what each of the pair may do that the other may not, on all
	// accounts that they have, as far as the administrator can see. A clone that
	// does not exist may do nothing. It changes nothing.
	Compare(ctx context.Context, p Pair) (Difference, error)
	// Rights returns one line for each right that the session's user has, such
	// as `SELECT on table public.t`. Twin is the other one of the two users: a
	// line names neither of them, and a right of one on the other is left out,
	// so that the lines of both can be compared.
	Rights(ctx context.Context, twin string) ([]string, error)
}
