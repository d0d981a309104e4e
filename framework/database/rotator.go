package database

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// DefaultConnectTimeout limits one attempt to connect, unless the configuration
// says otherwise.
const DefaultConnectTimeout = 10 * time.Second

// A Config says how to rotate. Driver, Strategy, Password and Roots are
// required; the zero value of every other field is the safe choice.
type Config struct {
	Driver   Driver
	Strategy Strategy
	// Password returns a new password at each call.
	Password func() string
	// Roots are the certificate authorities to trust; it is called when the
	// first connection needs them.
	Roots func() (*x509.CertPool, error)
	// CloneSuffix replaces the driver's.
	CloneSuffix string
	// MaxUser is the most characters a user name may have; 0 leaves it to the
	// driver.
	MaxUser int
	// Dial opens connections to database servers; nil is a [net.Dialer]'s.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// ConnectTimeout limits one attempt to connect; 0 is the default.
	ConnectTimeout time.Duration
	// Plaintext allows connections without TLS to servers that offer none,
	// unless the secret says "ssl": true.
	Plaintext bool
	// NoOverlap makes the old password of a single user invalid at once, where
	// the server could keep it valid until the next rotation.
	NoOverlap bool
	// GrantDrift gives the original user what only its clone has, where
	// otherwise setSecret fails.
	GrantDrift bool
	// Adopt names users that may be taken for the other one of their pair without
	// proof: see [Standing].
	Adopt []string
}

// A Rotator rotates the password of a database user. It implements
// [rotation.Rotator], and is safe for concurrent use.
type Rotator struct {
	Config
	driver Driver
}

// New checks c and returns a rotator.
func New(c Config) (*Rotator, error) {
	switch {
	case len(c.Driver.Engines) == 0 || c.Driver.Port == 0 || c.Driver.Connect == nil || c.Driver.CheckUser == nil:
		return nil, errors.New("the driver lacks engines, a port, Connect or CheckUser")
	case slices.ContainsFunc(c.Driver.Fields, func(f string) bool { return !secret.Quotable(f) }):
		return nil, fmt.Errorf("the driver has messages quote fields that are secret by their names: %q", c.Driver.Fields)
	case c.Driver.Cloning != nil && (c.Driver.Cloning.Suffix == "" || c.Driver.Cloning.Connect == nil):
		return nil, errors.New("the driver's Cloning lacks a suffix or Connect")
	case c.Strategy == nil || c.Password == nil || c.Roots == nil:
		return nil, errors.New("a strategy, a password generator and certificate authorities are required")
	}
	if c.CloneSuffix == "" && c.Driver.Cloning != nil {
		c.CloneSuffix = c.Driver.Cloning.Suffix
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = DefaultConnectTimeout
	}
	if c.Strategy == AlternatingUsers && c.Driver.Cloning == nil {
		return nil, fmt.Errorf("%s cannot alternate users", c.Driver.Name())
	}
	return &Rotator{Config: c, driver: c.Driver}, nil
}

// Next implements [rotation.Rotator].
func (r *Rotator) Next(_ context.Context, v rotation.Versions) (secret.Document, error) {
	current, err := r.login(rotation.Current, v.Current, v.Report)
	if err != nil {
		return secret.Document{}, err
	}
	user, err := r.nextUser(current)
	if err != nil {
		return secret.Document{}, err
	}
	return v.Current.With("username", user).With("password", r.Password()), nil
}

// nextUser is the user that gets the next password.
func (r *Rotator) nextUser(current Login) (string, error) {
	user := r.Strategy.next(r, current.User)
	for _, name := range []string{current.User, user} {
		if err := r.checkUser(name); err != nil {
			return "", err
		}
	}
	return user, nil
}

// Set implements [rotation.Rotator].
func (r *Rotator) Set(ctx context.Context, v rotation.Versions) error {
	p, err := r.pair(ctx, v)
	if err != nil {
		return err
	}
	return r.Strategy.set(ctx, r, p)
}

// Test implements [rotation.Rotator].
func (r *Rotator) Test(ctx context.Context, v rotation.Versions) error {
	if r.Strategy == AlternatingUsers {
		return r.testTwin(ctx, v)
	}
	// Set has compared this very value with the current one: versions of a
	// secret do not change.
	pending, err := r.login(rotation.Pending, v.Pending, v.Report)
	if err != nil {
		return err
	}
	conn, err := r.connect(ctx, pending)
	if err != nil {
		return err
	}
	defer closing(conn)
	return checking(ctx, conn, pending)
}

// testTwin compares the pending user with the one in use.
func (r *Rotator) testTwin(ctx context.Context, v rotation.Versions) (err error) {
	if v.Current.IsZero() {
		if v.Current, err = v.Others.Current(ctx); err != nil {
			return err
		}
		if bytes.Equal(v.Current.Bytes(), v.Pending.Bytes()) {
			return nil // another run has finished meanwhile
		}
	}
	p, err := r.pair(ctx, v)
	if err != nil {
		return err
	}
	return r.compare(ctx, p)
}

// Preflight implements [rotation.Rotator].
func (r *Rotator) Preflight(ctx context.Context, v rotation.Versions) error {
	current, err := r.login(rotation.Current, v.Current, v.Report)
	if err != nil {
		return err
	}
	if _, err := r.nextUser(current); err != nil {
		return err
	}
	p := pair{current: current, pending: current, v: v}
	conn, as, err := r.Strategy.enter(ctx, r, p)
	if err != nil {
		return err
	}
	defer closing(conn)
	if as.role == rotation.Previous {
		v.Report.Notef("The server refuses AWSCURRENT's password and takes AWSPREVIOUS's: who reads the secret now cannot log in. A rotation ends that.")
	}
	p.current.Password = as.Password
	return r.Strategy.preflight(ctx, r, conn, p)
}

// Plan implements [rotation.Rotator]: setSecret, with a Report that holds back
// what would change the server.
func (r *Rotator) Plan(ctx context.Context, v rotation.Versions) error {
	if !v.Report.Rehearses() {
		return errors.New("a plan wants a rehearsal")
	}
	if v.Pending.IsZero() {
		next, err := r.Next(ctx, v)
		if err != nil {
			return err
		}
		v.Pending = next
	}
	return r.Set(ctx, v)
}

// Try implements [rotation.Rotator].
func (r *Rotator) Try(ctx context.Context, label string, value secret.Document, report *rotation.Report) (user string, err error) {
	l, err := r.login(label, value, report)
	if err != nil {
		return l.User, err
	}
	conn, err := r.connect(ctx, l)
	if err != nil {
		return l.User, err
	}
	defer closing(conn)
	return l.User, checking(ctx, conn, l)
}

// A pair is the logins before and after a rotation.
type pair struct {
	current, pending Login
	v                rotation.Versions
}

// untried reports whether the pending password is one that the server may have by
// now: a trial has none of its own, and that of a plan may be in no version.
func (p pair) untried() bool {
	return p.pending.Password != p.current.Password && p.v.Version != ""
}

// pair reads both logins and refuses a pending one that Next would not make of
// the current value as it is now: it could send a password to another server, or
// undo what somebody has put right in AWSCURRENT meanwhile.
func (r *Rotator) pair(ctx context.Context, v rotation.Versions) (p pair, err error) {
	p.v = v
	if p.current, err = r.login(rotation.Current, v.Current, v.Report); err != nil {
		return p, err
	}
	if fields := differing(v); len(fields) > 0 {
		return p, r.stale(ctx, p, fields)
	}
	if p.pending, err = r.login(rotation.Pending, v.Pending, v.Report); err != nil {
		return p, err
	}
	user, err := r.nextUser(p.current)
	if err != nil {
		return p, err
	}
	if user != p.pending.User {
		return p, rotation.Fail(rotation.BadSecret, "the %s secret is for the user %q, but %q is next", p.pending.role, p.pending.User, user).
			With(v.GiveUp())
	}
	v.Report.For(user)
	return p, nil
}
