package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed492efc12/rotor/framework/secret"
)

// Connect logs in with a secret's value, as the steps do. It is for tests and
// tools; the steps check more before they connect.
func (r *Rotator) Connect(ctx context.Context, doc secret.Document) (Conn, error) {
	l, err := r.login("", doc, nil)
	if err != nil {
		return nil, err
	}
	return r.connect(ctx, l)
}

// Administrate is Connect for a session that can do more, if its user may. The
// driver must have Cloning.
func (r *Rotator) Administrate(ctx context.Context, doc secret.Document) (Administrator, error) {
	l, err := r.login("", doc, nil)
	if err != nil {
		return nil, err
	}
	return opening(ctx, r, l, r.driver.Cloning.Connect)
}

// connect logs in to do what every session may.
func (r *Rotator) connect(ctx context.Context, l Login) (Conn, error) {
	return opening(ctx, r, l, r.driver.Connect)
}

// opening logs in by connect, one of the driver's. Its error has a class, and
// names who logged in where.
func opening[C Conn](ctx context.Context, r *Rotator, l Login, connect func(context.Context, Login) (C, error)) (C, error) {
	var none C
	if err := r.secure(&l); err != nil {
		return none, err
	}
	dialing, cancel := context.WithTimeout(ctx, r.ConnectTimeout)
	defer cancel()
	conn, err := connect(dialing, l)
	if errors.Is(err, ErrNoTLS) && l.plaintext {
		l.Report.Notef("%v offers no TLS: the connection is in plain text, as TLS_FALLBACK=plaintext allows.", l.Address())
		l.TLS = nil
		conn, err = connect(dialing, l)
	}
	if err == nil {
		return conn, nil
	}
	err = networkFault(err)
	if ctx.Err() == nil && errors.Is(dialing.Err(), context.DeadlineExceeded) {
		return none, fmt.Errorf("logging in as %v, for %v at most (CONNECT_TIMEOUT): %w", l, r.ConnectTimeout, err)
	}
	return none, fmt.Errorf("logging in as %v: %w", l, err)
}

func closing(c Conn) { _ = c.Close() } // what mattered is done, and has been answered

func checking(ctx context.Context, c Conn, l Login) error {
	if err := c.Check(ctx); err != nil {
		return fmt.Errorf("checking the session of %v: %w", l, networkFault(err))
	}
	return nil
}
