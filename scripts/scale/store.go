package main

import (
	"context"
	"sync"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
)

// roundTrip is what a call of Secrets Manager takes.
const roundTrip = 10 * time.Millisecond

// A store is Secrets Manager with its quotas. Reads, which a step makes at once, only note that time has to pass; the
// step's next call that has an effect lets it pass.
type store struct {
	rotationtest.Store
	loop  *loop
	write *bucket

	mu        sync.Mutex
	reads     map[string]*bucket
	calls     int
	throttled int
}

func newStore(l *loop) *store {
	return &store{loop: l, write: newBucket(writeQuota), reads: map[string]*bucket{
		"DescribeSecret": newBucket(readQuota), "GetSecretValue": newBucket(readQuota),
	}}
}

// allow counts a call, and refuses it as package secretsmanager says that the service does.
func (s *store) allow(operation string, b *bucket) error {
	s.calls++
	if b.take(s.loop.now) {
		return nil
	}
	s.throttled++
	return rotation.Fail(rotation.Throttled, "calling %s of Secrets Manager: ThrottlingException: Rate exceeded", operation).Again()
}

func (s *store) read(ctx context.Context, operation string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	invoked(ctx).owes = roundTrip
	return s.allow(operation, s.reads[operation])
}

// Status implements rotation.Store.
func (s *store) Status(ctx context.Context, id string) (rotation.Status, error) {
	if err := s.read(ctx, "DescribeSecret"); err != nil {
		return rotation.Status{}, err
	}
	return s.Store.Status(ctx, id)
}

// Get implements rotation.Store.
func (s *store) Get(ctx context.Context, id, stage, version string) (secret.Document, error) {
	if err := s.read(ctx, "GetSecretValue"); err != nil {
		return secret.Document{}, err
	}
	return s.Store.Get(ctx, id, stage, version)
}

// Put implements rotation.Store.
func (s *store) Put(ctx context.Context, e rotation.Event, d secret.Document) error {
	return s.writes(ctx, "PutSecretValue", func() error { return s.Store.Put(ctx, e, d) })
}

// Promote implements rotation.Store.
func (s *store) Promote(ctx context.Context, id, from, to string) error {
	return s.writes(ctx, "UpdateSecretVersionStage", func() error { return s.Store.Promote(ctx, id, from, to) })
}

func (s *store) writes(ctx context.Context, operation string, effect func() error) error {
	return invoked(ctx).call(ctx, roundTrip, func() error {
		if err := s.allow(operation, s.write); err != nil {
			return err
		}
		return effect()
	})
}
