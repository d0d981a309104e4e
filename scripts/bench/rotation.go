package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/rig"
	"github.com/seed492efc12/rotor/scripts/servers"
)

// rotate measures an engine's rotations by every strategy.
func (r *results) rotate(ctx context.Context, f *functionResult) (err error) {
	if f.engine == engines[0] {
		return r.hello(ctx, f)
	}
	t, err := servers.Open(ctx, f.engine.name)
	if errors.Is(err, servers.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	r.servers = append(r.servers, t.Name)
	for _, s := range strategies {
		one, err := rotations(ctx, f, t, s, r.runs)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.rotations = append(r.rotations, one)
	}
	return nil
}

// A session is one strategy's function at work.
type session struct {
	*rig.Rig
	function *rig.Function
	target   *servers.Server
	arn      string
	result   *rotationResult
}

func rotations(ctx context.Context, f *functionResult, t *servers.Server, by strategy, runs int) (result *rotationResult, err error) {
	s := &session{target: t, result: &rotationResult{name: f.engine.name + ", " + by.name, want: &by}}
	if s.Rig, err = rig.Open(local.Options{Retries: -1}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.prepare(ctx, f, by); err != nil {
		return nil, err
	}
	for range runs {
		if err := s.cold(ctx); err != nil {
			return nil, err
		}
	}
	for range runs {
		if err := s.warm(ctx); err != nil {
			return nil, err
		}
	}
	s.result.memory = s.function.Facts().PeakRSS
	// The next strategy goes on where this one ended.
	value, err := s.Value(ctx, s.arn, "AWSCURRENT")
	if err != nil {
		return nil, err
	}
	return s.result, json.Unmarshal([]byte(value), &t.User)
}

// prepare makes the secrets and the function, and rotates until nothing is done for the first time: both of two users
// exist then.
func (s *session) prepare(ctx context.Context, f *functionResult, by strategy) error {
	administrator, err := s.store(ctx, "administrator", s.target.Administrator)
	if err != nil {
		return err
	}
	user := maps.Clone(s.target.User)
	user["masterarn"] = administrator
	if s.arn, err = s.store(ctx, "app", user); err != nil {
		return err
	}
	env := maps.Clone(s.target.Env)
	env["ROTATION_STRATEGY"] = by.name
	if s.function, err = s.Start(local.FunctionConfig{Bootstrap: f.bootstrap, Env: env}); err != nil {
		return err
	}
	for range 2 {
		if _, err := s.Rotate(ctx, s.arn, s.function); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) store(ctx context.Context, name string, fields map[string]any) (arn string, err error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return "", err
	}
	return s.CreateSecret(ctx, name, string(text))
}

// cold rotates with a fresh process: its start counts too.
func (s *session) cold(ctx context.Context) error {
	if err := s.function.Restart(); err != nil {
		return err
	}
	n, err := s.counted(ctx)
	facts := s.function.Facts()
	s.result.cold.add(facts.Init+n.Duration, facts.CPU)
	s.result.connections.cold = max(s.result.connections.cold, n.NewConnections)
	return err
}

func (s *session) warm(ctx context.Context) error {
	before := s.function.Facts().CPU
	n, err := s.counted(ctx)
	s.result.warm.add(n.Duration, s.function.Facts().CPU-before)
	s.result.connections.warm = max(s.result.connections.warm, n.NewConnections)
	return err
}

// counted rotates and keeps the highest counts.
func (s *session) counted(ctx context.Context) (rig.Rotation, error) {
	accepted, refused := s.target.Logins()
	n, err := s.Rotate(ctx, s.arn, s.function)
	a, r := s.target.Logins()
	s.result.logins, s.result.refused = max(s.result.logins, a-accepted), max(s.result.refused, r-refused)
	s.result.calls = max(s.result.calls, n.Calls())
	return n, err
}
