// Package databasetest is the conformance suite of database drivers: a driver
// is done when it passes [Run] against a real server.
package databasetest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A Harness is a driver and a server to try it on.
type Harness struct {
	Driver database.Driver
	// Server says in a few words which server it is: "MySQL 8.0.33".
	Server string
	// Real says that the server is somebody else's software. An imitation proves
	// less.
	Real bool
	// New makes a user of that name, or of a name of its own choice if name is
	// empty, that no other fixture shares, and an administrator.
	New func(t *testing.T, name string) Fixture
	// Overlap says that single users' old passwords stay valid until the next
	// rotation.
	Overlap bool
	// Unmarked says that the server has no place for a mark: see
	// [database.Standing].
	Unmarked bool
	// NoOverlap asks for the opposite: see [database.Config].
	NoOverlap bool
	// Databases says that the secret's dbname is where a session is, and has to be
	// there.
	Databases bool
	// NoSweep leaves out the faults at every point, which take most of the time,
	// what any rotator promises, what messages say to do, and most of the hard names: one server of a kind
	// is enough for them, unless a sweep of all servers is wanted. See [Run].
	NoSweep bool
	// Names are user names that are hard to quote, none longer than a clone's
	// may be less the suffix.
	Names []string
}

// A Fixture is two secrets on one server.
type Fixture struct {
	// User is the secret to rotate; its masterarn is "admin".
	User secret.Document
	// Admin is the administrator's secret.
	Admin secret.Document
	// Roots holds the authority that signed the server's certificate. It is nil
	// for a server without TLS.
	Roots *x509.CertPool
	// Probe, if set, proves with statements that the user of a secret may do
	// all that the fixture's user could do at first.
	Probe func(ctx context.Context, doc secret.Document) error
}

// Run checks that the harness's driver does what package database promises, and
// with it what any rotator does (see [rotationtest.Run]), with each strategy that
// it can follow. [rotationtest.WantedSweep] says which faults are put at every
// point. Do not call it from a parallel test.
func Run(t *testing.T, h Harness) {
	for _, strategy := range []string{"single-user", "single-user-by-administrator", "alternating-users"} {
		s, err := database.ParseStrategy(strategy)
		if err != nil {
			t.Fatal(err)
		}
		if s == database.AlternatingUsers && h.Driver.Cloning == nil {
			continue
		}
		t.Run(strategy, func(t *testing.T) {
			suite := suite{h, strategy, s}
			t.Run("HealthyRotationsRefuseNoLogin", suite.healthy)
			t.Run("ThePlanIsWhatIsSent", suite.plans)
			t.Run("HardNames", suite.names)
			if h.chosen(rotationtest.WantedSweep()) {
				t.Run("AsAnyRotator", suite.promises)
			}
			t.Run("AStrangerIsNotTakenForATwin", suite.strangers)
			if h.sweeps(rotationtest.WantedSweep()) {
				t.Run("WhatAMessageSaysHelps", suite.remedies)
				t.Run("CrashAnywhere", suite.sweep)
			}
		})
	}
}

// sweeps reports whether faults are put at every point.
func (h Harness) sweeps(wanted rotationtest.Sweeping) bool {
	return wanted != rotationtest.NoSweep && h.chosen(wanted)
}

// chosen reports whether this server is the one of its kind for what takes long.
func (h Harness) chosen(wanted rotationtest.Sweeping) bool {
	return !h.NoSweep || wanted == rotationtest.DyingEverywhere || wanted == rotationtest.FullSweep
}

type suite struct {
	Harness
	name     string // the strategy's
	strategy database.Strategy
}

// A stage is one secret, its rotator and its engine.
type stage struct {
	Fixture
	store    rotationtest.Store
	calls    rotationtest.Faults // of the store
	driver   rotationtest.Faults // of the driver
	wire     wire                // what the driver writes
	rotator  *database.Rotator   // without faults or counting
	engine   *rotation.Engine
	logins   atomic.Int32
	refusals atomic.Int32
	version  int
	sent     rotation.Plan // what the last setSecret sent
}

func (s suite) stage(t *testing.T, user string) *stage {
	t.Helper()
	st := &stage{Fixture: s.New(t, user)}
	st.store.Add("user", st.User)
	st.store.Add("admin", st.Admin)
	roots := func() (*x509.CertPool, error) { return st.Roots, nil }
	st.rotator = s.rotator(t, s.Driver, roots, nil)
	st.engine = &rotation.Engine{
		Store:   st.calls.Store(&st.store),
		Rotator: s.rotator(t, Intercept(s.Driver, st.watch), roots, st.wire.dial),
		Clock:   &rotationtest.Clock{},
		Log:     slog.New(slog.DiscardHandler),
		Observe: func(o rotation.Outcome) {
			if o.Event.Step == rotation.SetSecret {
				st.sent = o.Plan
			}
		},
		Public: s.Driver.Fields,
	}
	return st
}

func (s suite) rotator(t *testing.T, d database.Driver, roots func() (*x509.CertPool, error), dial func(context.Context, string, string) (net.Conn, error)) *database.Rotator {
	t.Helper()
	g, err := password.New(password.Default(), d.Password)
	if err != nil {
		t.Fatal(err)
	}
	r, err := database.New(database.Config{Driver: d, Strategy: s.strategy, Password: g.Generate, Dial: dial, NoOverlap: s.NoOverlap, Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// watch counts logins, and puts the faults of the driver.
func (st *stage) watch(_ context.Context, call string, effect func() error) error {
	if call != "Connect" {
		return st.driver.Do(call, effect)
	}
	st.logins.Add(1)
	return st.driver.Do(call, func() error {
		err := effect()
		if errors.Is(err, database.ErrLoginRefused) {
			st.refusals.Add(1)
		}
		return err
	})
}

// rotate runs one whole rotation, or what is left of the one under way.
func (st *stage) rotate(ctx context.Context) error {
	if st.store.Value("user", rotation.Pending).IsZero() {
		st.version++
	}
	return rotationtest.Rotate(ctx, st.engine, &st.store, "user", fmt.Sprint("v", st.version))
}

// works reports whether the secret's version of a stage logs in and can do its
// work.
func (st *stage) works(ctx context.Context, label string) error {
	_, err := st.look(ctx, label)
	if err != nil || st.Probe == nil {
		return err
	}
	return st.Probe(ctx, st.store.Value("user", label))
}

// look logs in with the secret's version of a stage, and returns its user's
// rights.
func (st *stage) look(ctx context.Context, label string) ([]string, error) {
	doc := st.store.Value("user", label)
	if doc.IsZero() {
		return nil, fmt.Errorf("there is no %s version", label)
	}
	return look(ctx, st.rotator, doc)
}

// rights are those of the current version's user.
func (st *stage) rights(t *testing.T) []string {
	t.Helper()
	rights, err := st.look(t.Context(), rotation.Current)
	if err != nil {
		t.Fatal(err)
	}
	return rights
}
