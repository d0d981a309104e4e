package rotationtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// ErrInjected is the error that Faults returns.
var ErrInjected = errors.New("injected fault")

// Faults names each call made through it, "Put#1" for the first Put, and fails
// the one named At: before the call has its effect or, if Late, after, as when
// a reply is lost. If Transient, the error is one that the engine retries by
// itself. If Lasting, no later call gets through either, until Revive: as if the
// function had died or, where the call went to no Store, as if the target were
// down, and then the Store goes on. The zero Faults fails nothing and only keeps
// the names. It is safe for concurrent use.
type Faults struct {
	At        string
	Late      bool
	Transient bool
	Lasting   bool

	mu    sync.Mutex
	count map[string]int
	names []string
	dead  bool // nothing gets through
	down  bool // nothing but a Store's calls gets through
}

// Do runs call as one of the given kind, which is no kind of [Faults.Store]'s.
func (f *Faults) Do(kind string, call func() error) error {
	here, dead := f.name(kind)
	if !here && !dead {
		return call()
	}
	if here && f.Late {
		_ = call() // its reply is lost
	}
	if f.Transient {
		return &rotation.Fault{Class: rotation.Unknown, Err: ErrInjected, Transient: true}
	}
	return ErrInjected
}

// name names a call, and reports whether it is the one to fail and whether it
// does not get through because of an earlier one.
func (f *Faults) name(kind string) (here, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[kind]++
	name := fmt.Sprintf("%s#%d", kind, f.count[kind])
	f.names = append(f.names, name)
	here, dead = name == f.At, f.dead || f.down && !ofStore(kind)
	if here && f.Lasting {
		f.dead, f.down = ofStore(kind), !ofStore(kind)
	}
	return here, dead
}

// Revive ends a lasting fault.
func (f *Faults) Revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead, f.down = false, false
}

// Names are the calls that were made so far, in their order; those made at
// once are in no certain order.
func (f *Faults) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.names)
}

// Fired reports whether the call At was made.
func (f *Faults) Fired() bool { return slices.Contains(f.Names(), f.At) }

// Store passes every call to s through f.
func (f *Faults) Store(s rotation.Store) rotation.Store { return Intercept(s, f.Do) }

// ofStore reports whether a call of a kind, or of that name, went to a Store.
func ofStore(kind string) bool {
	method, _, _ := strings.Cut(kind, " ")
	return slices.Contains([]string{"Status", "Get", "Put", "Promote"}, method)
}

// Intercept passes every call to s through do, which gets its name, such as "Get
// user AWSCURRENT", and its effect.
func Intercept(s rotation.Store, do func(call string, effect func() error) error) rotation.Store {
	return intercepted{s, do}
}

type intercepted struct {
	store rotation.Store
	do    func(call string, effect func() error) error
}

func (s intercepted) Status(ctx context.Context, id string) (st rotation.Status, err error) {
	err = s.do("Status "+id, func() error { st, err = s.store.Status(ctx, id); return err })
	return st, err
}

func (s intercepted) Get(ctx context.Context, id, stage, version string) (d secret.Document, err error) {
	err = s.do("Get "+id+" "+stage, func() error { d, err = s.store.Get(ctx, id, stage, version); return err })
	return d, err
}

func (s intercepted) Put(ctx context.Context, e rotation.Event, d secret.Document) error {
	return s.do("Put "+e.SecretID, func() error { return s.store.Put(ctx, e, d) })
}

func (s intercepted) Promote(ctx context.Context, id, from, to string) error {
	return s.do("Promote "+id, func() error { return s.store.Promote(ctx, id, from, to) })
}
