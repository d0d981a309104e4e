package databasetest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// promises asks of the driver what any rotator promises. Faults are left to the
// sweep, which puts them at each write.
func (s suite) promises(t *testing.T) {
	rotationtest.Run(t, rotationtest.Harness{
		Name: s.Driver.Name() + " " + s.name, New: s.target, Credential: "password", Place: []string{"host"},
		Overlap: s.Overlap || s.strategy == database.AlternatingUsers, NoFaults: true,
	})
}

// target makes two users and the rotator of both.
func (s suite) target(tb testing.TB, f *rotationtest.Faults) rotationtest.Target {
	t := tb.(*testing.T) // rotationtest.Run's own
	one, two := s.New(t, ""), s.New(t, "")
	roots := func() (*x509.CertPool, error) { return one.Roots, nil }
	known := &known{rotator: s.rotator(t, s.Driver, roots, nil)}
	var refused atomic.Int32
	around := func(_ context.Context, call string, effect func() error) error {
		return f.Do(call, func() error {
			err := effect()
			if call == "Connect" && errors.Is(err, database.ErrLoginRefused) {
				refused.Add(1)
			}
			return err
		})
	}
	return rotationtest.Target{
		Rotator: s.rotator(t, Intercept(s.Driver, around), roots, nil),
		Secrets: [2]secret.Document{s.random(t, one), s.random(t, two).With("masterarn", "admin of two")},
		Others:  map[string]secret.Document{"admin": one.Admin, "admin of two": two.Admin},
		Works:   known.works,
		State:   func() string { return known.state(t.Context()) },
		Refused: func() int { return int(refused.Load()) },
	}
}

// random is the secret of the fixture's user once its password is random, as the
// suite for rotators wants it.
func (s suite) random(t *testing.T, f Fixture) secret.Document {
	t.Helper()
	r := NewRotations(t, s.Driver, database.SingleUserByAdministrator, f)
	r.Config.NoOverlap = true
	r.Must(t)
	return r.Current()
}

// known are the users by whom somebody has logged in, each with the last secret that
// worked, or with none once that was refused: who is refused again and again is
// locked out.
type known struct {
	rotator *database.Rotator
	last    map[string]secret.Document
}

// works logs in as an application does.
func (k *known) works(ctx context.Context, value secret.Document) (bool, error) {
	conn, err := k.rotator.Connect(ctx, value)
	if errors.Is(err, database.ErrLoginRefused) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if k.last == nil {
		k.last = map[string]secret.Document{}
	}
	k.last[value.Text("username")] = value
	return true, errors.Join(conn.Check(ctx), conn.Close())
}

// state is who of them is let in, and what each may do.
func (k *known) state(ctx context.Context) string {
	var lines []string
	for user, value := range k.last {
		err := database.ErrLoginRefused
		var rights []string
		if !value.IsZero() {
			rights, err = look(ctx, k.rotator, value)
		}
		if errors.Is(err, database.ErrLoginRefused) {
			k.last[user] = secret.Document{}
			lines = append(lines, fmt.Sprintf("%q is refused", user))
			continue
		}
		lines = append(lines, fmt.Sprintf("%q may %q: %v", user, rights, err))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// look logs in with a secret, and returns its user's rights.
func look(ctx context.Context, r *database.Rotator, doc secret.Document) ([]string, error) {
	if r.Driver.Cloning == nil {
		conn, err := r.Connect(ctx, doc)
		if err != nil {
			return nil, err
		}
		defer func() { _ = conn.Close() }()
		return nil, conn.Check(ctx)
	}
	conn, err := r.Administrate(ctx, doc)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Check(ctx); err != nil {
		return nil, err
	}
	rights, err := conn.Rights(ctx, r.Twin(doc.Text("username")))
	slices.Sort(rights)
	return rights, err
}
