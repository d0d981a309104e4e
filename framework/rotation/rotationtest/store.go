// Package rotationtest tests rotators. A rotator is done when it passes [Run],
// the conformance suite of everything that implements [rotation.Rotator]; for
// drivers of databases databasetest has a suite that knows more. A store, a
// clock, a driver of whole rotations and a fault injector are for tests of one's
// own.
package rotationtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// Function is what a Store says of each secret: the ARN of the function that
// rotates it.
const Function = "arn:aws:lambda:eu-west-1:111122223333:function:rotate"

// Store is a rotation.Store in memory that stages versions as Secrets Manager
// does. The zero Store is empty and ready to use, by several goroutines.
type Store struct {
	mu      sync.Mutex
	secrets map[string]*entry
}

type entry struct {
	values map[string]secret.Document // version -> value
	stages map[string]string          // stage -> version
	tags   map[string]string
	off    bool
}

// Add adds a secret with one current version, "v0". Rotation is on.
func (s *Store) Add(id string, d secret.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets == nil {
		s.secrets = map[string]*entry{}
	}
	s.secrets[id] = &entry{values: map[string]secret.Document{"v0": d}, stages: map[string]string{rotation.Current: "v0"}}
}

// Tag sets a tag of a secret.
func (s *Store) Tag(id, key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.secrets[id]
	e.tags = maps.Clone(e.tags)
	if e.tags == nil {
		e.tags = map[string]string{}
	}
	e.tags[key] = value
}

// SetRotation turns rotation of a secret on or off.
func (s *Store) SetRotation(id string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[id].off = !on
}

// Begin starts a rotation: it stages version as pending, with no value yet.
func (s *Store) Begin(id, version string) { s.Stage(id, rotation.Pending, version) }

// End ends a rotation: it takes the pending label off.
func (s *Store) End(id string) { s.Stage(id, rotation.Pending, "") }

// Stage moves a label to a version, or takes it off if version is empty.
func (s *Store) Stage(id, stage, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version == "" {
		delete(s.secrets[id].stages, stage)
		return
	}
	s.secrets[id].stages[stage] = version
}

// Write gives a version a value, whatever it had before.
func (s *Store) Write(id, version string, d secret.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[id].values[version] = d
}

// Remove removes a version, as Secrets Manager does when a trial has ended.
func (s *Store) Remove(id, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.secrets[id].values, version)
	maps.DeleteFunc(s.secrets[id].stages, func(_, of string) bool { return of == version })
}

// Value returns the value that carries a stage; it is absent if there is none.
func (s *Store) Value(id, stage string) secret.Document {
	d, err := s.Get(context.Background(), id, stage, "")
	if err != nil {
		return secret.Document{}
	}
	return d
}

// State tells all that is in the store, values included: it is the same text as
// long as nothing was changed.
func (s *Store) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(s.secrets)) {
		e := s.secrets[id]
		fmt.Fprintln(&b, id, e.stages, e.tags, e.off) // maps are printed in order
		for _, version := range slices.Sorted(maps.Keys(e.values)) {
			fmt.Fprintf(&b, "%s %s\n", version, e.values[version].Bytes())
		}
	}
	return b.String()
}

// Status implements rotation.Store.
func (s *Store) Status(_ context.Context, id string) (rotation.Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.secrets[id]
	if !ok {
		return rotation.Status{}, missing("secret " + id)
	}
	st := rotation.Status{RotationEnabled: !e.off, Function: Function, Stages: map[string][]string{}, Tags: maps.Clone(e.tags)}
	for stage, version := range e.stages {
		st.Stages[version] = append(st.Stages[version], stage)
	}
	return st, nil
}

// Get implements rotation.Store.
func (s *Store) Get(_ context.Context, id, stage, version string) (secret.Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.secrets[id]
	if !ok || e.stages[stage] == "" || version != "" && e.stages[stage] != version {
		return secret.Document{}, missing(stage + " of " + id)
	}
	d, ok := e.values[e.stages[stage]]
	if !ok {
		return secret.Document{}, missing("value of " + stage + " of " + id)
	}
	return d, nil
}

// Put implements rotation.Store.
func (s *Store) Put(_ context.Context, ev rotation.Event, d secret.Document) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.secrets[ev.SecretID]
	if !ok {
		return missing("secret " + ev.SecretID)
	}
	if e.values[ev.Token].IsZero() {
		e.values[ev.Token], e.stages[rotation.Pending] = d, ev.Token
	}
	return nil
}

// Promote implements rotation.Store.
func (s *Store) Promote(_ context.Context, id, from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.secrets[id]
	if !ok {
		return missing("secret " + id)
	}
	if e.stages[rotation.Current] != from {
		return rotation.Fail(rotation.NotReady, "%s is not staged %s", from, rotation.Current)
	}
	e.stages[rotation.Previous], e.stages[rotation.Current] = from, to
	return nil
}

func missing(what string) error {
	return &rotation.Fault{Class: rotation.BadSecret, Err: fmt.Errorf("%s: %w", what, rotation.ErrNotFound)}
}

// Clock never waits: Sleep moves its time on. The zero Clock starts at the
// zero time.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// Now implements rotation.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Sleep implements rotation.Clock.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	return ctx.Err()
}
