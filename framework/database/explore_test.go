package database_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
)

// A stage is a secret, its user and an administrator, on which several processes work.
type stage struct {
	databasetest.Memory
	store    rotationtest.Store
	strategy database.Strategy
	engines  int
}

func newStage(s database.Strategy, overlap bool) *stage {
	w := &stage{strategy: s}
	w.Overlap = overlap
	f := w.Fixture("app")
	w.store.Add("user", f.User)
	w.store.Add("admin", f.Admin)
	return w
}

// engine is that of one process, whose calls go through do. Its passwords are its own, in whatever order processes make
// theirs.
func (w *stage) engine(do func(call string, effect func() error) error) *rotation.Engine {
	w.engines++
	name, n := w.engines, 0
	c := database.Config{Strategy: w.strategy, Roots: func() (*x509.CertPool, error) { return x509.NewCertPool(), nil },
		Password: func() string { n++; return fmt.Sprintf("new-password-%d-%d", name, n) }}
	c.Driver = databasetest.Intercept(w.Driver(), func(_ context.Context, call string, effect func() error) error { return do(call, effect) })
	r, err := database.New(c)
	if err != nil {
		panic(err)
	}
	return &rotation.Engine{Store: rotationtest.Intercept(&w.store, do), Rotator: r, Clock: &rotationtest.Clock{}, Log: slog.New(slog.DiscardHandler)}
}

// process runs steps of a rotation until one fails.
func (w *stage) process(version string, steps ...rotation.Step) func(*rotationtest.Gate) {
	var gate *rotationtest.Gate
	var wrote atomic.Bool // which the engine remembers from one step to the next
	e := w.engine(func(call string, effect func() error) error {
		err := gate.Do(call, effect)
		if err == nil && strings.HasPrefix(call, "Put ") {
			wrote.Store(true) // of calls that are made at once
		}
		return err
	})
	return func(g *rotationtest.Gate) {
		gate = g
		for _, step := range steps {
			g.Forgets(fmt.Sprintf("all but that %s is next, and whether it wrote the version: %v", step, wrote.Load()))
			if e.Handle(context.Background(), rotation.Event{Step: step, SecretID: "user", Token: version}) != nil {
				return
			}
		}
	}
}

// state is all that processes can see and change.
func (w *stage) state() string { return w.store.State() + w.Memory.State() }

func processes(all ...func(*rotationtest.Gate)) []func(*rotationtest.Gate) { return all }

func straight(_ string, effect func() error) error { return effect() }

// works reports whether a version's credential logs in and has its rights.
func (w *stage) works(label string) bool {
	doc := w.store.Value("user", label)
	if doc.IsZero() {
		return false
	}
	c := database.Config{Driver: w.Driver(), Strategy: w.strategy, Password: func() string { return "" }, Roots: func() (*x509.CertPool, error) { return x509.NewCertPool(), nil }}
	r, err := database.New(c)
	if err != nil {
		panic(err)
	}
	conn, err := r.Connect(context.Background(), doc)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return len(w.Rights(doc.Text("username"))) == 2
}

// alive is the promise that holds at every moment.
func (w *stage) alive() error {
	if w.works(rotation.Current) || w.strategy != database.AlternatingUsers && !w.Overlap && w.works(rotation.Pending) {
		return nil
	}
	return errors.New("locked out")
}

// follow does what the error says about an edit of AWSCURRENT.
func (w *stage) follow(err error) {
	if strings.Contains(err.Error(), "put it into AWSCURRENT") {
		w.store.Write("user", "v0", w.store.Value("user", rotation.Current).With("password", w.store.Value("user", rotation.Pending).Text("password")))
	}
	w.store.End("user")
}

// converges runs what is left of the rotation, and the next one.
func (w *stage) converges() error {
	e := w.engine(straight)
	status, err := w.store.Status(context.Background(), "user")
	if err != nil {
		return err
	}
	for version, labels := range status.Stages {
		if slices.Contains(labels, rotation.Pending) && !slices.Contains(labels, rotation.Current) {
			if err := w.ends(e, version); err != nil {
				return err
			}
		}
	}
	return w.ends(e, "the last")
}

// ends runs a rotation to its end, doing what it says.
func (w *stage) ends(e *rotation.Engine, version string) error {
	err := rotationtest.Rotate(context.Background(), e, &w.store, "user", version)
	if err != nil && strings.Contains(err.Error(), "update-secret-version-stage") {
		w.follow(err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("does not converge: %w", err)
	}
	if !w.works(rotation.Current) {
		return errors.New("the new password does not work")
	}
	return nil
}

const cancelled = "the rotation is cancelled"

// A scenario is what is done before, and the world that is explored then.
type scenario func(w *stage) (before []rotation.Step, world rotationtest.World)

func scenarios() map[string]scenario {
	all := rotation.Steps()
	return map[string]scenario{
		"createSecret twice": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return nil, rotationtest.World{Actors: processes(w.process("v1", all[0]), w.process("v1", all[0]))}
		},
		"setSecret twice": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return all[:1], rotationtest.World{Actors: processes(w.process("v1", all[1]), w.process("v1", all[1]))}
		},
		"testSecret twice": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return all[:2], rotationtest.World{Actors: processes(w.process("v1", all[2]), w.process("v1", all[2]))}
		},
		"finishSecret twice": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return all[:3], rotationtest.World{Actors: processes(w.process("v1", all[3]), w.process("v1", all[3]))}
		},
		"setSecret beside the rest": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return all[:1], rotationtest.World{Actors: processes(w.process("v1", all[1]), w.process("v1", all[1:]...))}
		},
		"two whole rotations": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return nil, rotationtest.World{Actors: processes(w.process("v1", all...), w.process("v1", all...))}
		},
		"the administrator is rotated": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return nil, rotationtest.World{Safe: 1, Actors: processes(w.process("v1", all...), func(g *rotationtest.Gate) {
				_ = g.Do("the administrator's password changes", func() error { w.SetPassword("root", "another"); return nil })
				_ = g.Do("its secret follows", func() error {
					w.store.Write("admin", "v0", w.store.Value("admin", rotation.Current).With("password", "another"))
					return nil
				})
			})}
		},
		cancelled: func(w *stage) ([]rotation.Step, rotationtest.World) {
			return nil, rotationtest.World{Safe: 1, Actors: processes(w.process("v1", all...), func(g *rotationtest.Gate) {
				_ = g.Do("somebody takes AWSPENDING off", func() error { w.store.End("user"); return nil })
			})}
		},
		"AWSCURRENT is edited": func(w *stage) ([]rotation.Step, rotationtest.World) {
			return nil, rotationtest.World{Safe: 1, Actors: processes(w.process("v1", all...), func(g *rotationtest.Gate) {
				_ = g.Do("somebody edits AWSCURRENT", func() error {
					w.store.Write("user", "v0", w.store.Value("user", rotation.Current).With("note", "mended"))
					return nil
				})
			})}
		},
	}
}

// Two processes of one rotation, a death at any call, what an operator does meanwhile: in every order of their calls.
func TestEveryInterleavingKeepsThePromises(t *testing.T) {
	for name, scene := range scenarios() {
		for by, strategy := range map[string]database.Strategy{"single-user": database.SingleUser, "single-user-by-administrator": database.SingleUserByAdministrator, "alternating-users": database.AlternatingUsers} {
			for _, overlap := range []bool{false, true} {
				if name == cancelled && strategy != database.AlternatingUsers && !overlap {
					continue // AWSPENDING may be what works: who takes it off has to put it into AWSCURRENT
				}
				t.Run(fmt.Sprintf("%s/%s,overlap=%v", name, by, overlap), func(t *testing.T) {
					e := rotationtest.Exploration{Deaths: 1, Switches: switches(), New: func() rotationtest.World {
						w := newStage(strategy, overlap)
						w.store.Begin("user", "v1")
						before, world := scene(w)
						for _, step := range before {
							if err := w.engine(straight).Handle(context.Background(), rotation.Event{Step: step, SecretID: "user", Token: "v1"}); err != nil {
								panic(err)
							}
						}
						world.Always, world.Finally, world.State = w.alive, w.converges, w.state
						return world
					}}
					t.Logf("GUARANTEE every-interleaving/schedules strategy=%s overlap=%v scenario=%q bound=%d points=%d", by, overlap, name, e.Switches, e.Run(t))
				})
			}
		}
	}
}

// switches bounds the search where it has to be quick.
func switches() int {
	switch rotationtest.WantedSweep() {
	case rotationtest.FullSweep, rotationtest.DyingEverywhere:
		return -1
	case rotationtest.NoSweep:
		return 0
	}
	return 1
}
