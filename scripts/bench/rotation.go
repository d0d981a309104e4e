package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/scripts/engines"
)

// rotate measures an engine's rotations by every strategy, on each of its products.
func (r *results) rotate(ctx context.Context, f *functionResult) (err error) {
	if f.name == hello {
		return r.hello(ctx, f)
	}
	e, err := engines.Find(f.name)
	if err != nil {
		return err
	}
	for _, p := range e.Products {
		if p.Example == nil {
			continue
		}
		if err := r.product(ctx, f, p); err != nil {
			return fmt.Errorf("%s: %w", p.Title, err)
		}
	}
	return nil
}

// product measures rotations of a product's users.
func (r *results) product(ctx context.Context, f *functionResult, p engines.Product) (err error) {
	t, err := p.Example(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close(context.WithoutCancel(ctx))) }()
	r.servers = append(r.servers, t.Name())
	for n, s := range strategies {
		user, err := t.User(ctx, fmt.Sprint("app", n))
		if err != nil {
			return err
		}
		one := &rotationResult{name: p.Title + ", " + s.name, want: &s}
		if err := one.rotations(ctx, f, t, user, r.runs); err != nil {
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
	target   *servertest.Example
	arn      string
	result   *rotationResult
}

// rotations measures those of one user by one strategy.
func (result *rotationResult) rotations(ctx context.Context, f *functionResult, t *servertest.Example, user map[string]any, runs int) (err error) {
	s := &session{target: t, result: result}
	if s.Rig, err = rig.Open(local.Options{Retries: -1}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.prepare(ctx, f, user); err != nil {
		return err
	}
	for range runs {
		if err := s.cold(ctx); err != nil {
			return err
		}
	}
	for range runs {
		if err := s.warm(ctx); err != nil {
			return err
		}
	}
	result.memory = s.function.Facts().PeakRSS
	return nil
}

// prepare makes the secrets and the function, and rotates until nothing is done for the first time: both of two users
// exist then.
func (s *session) prepare(ctx context.Context, f *functionResult, user map[string]any) error {
	administrator, err := s.store(ctx, "administrator", s.target.Administrator)
	if err != nil {
		return err
	}
	user = maps.Clone(user)
	user["masterarn"] = administrator
	if s.arn, err = s.store(ctx, "app", user); err != nil {
		return err
	}
	env := maps.Clone(s.target.Env)
	env["ROTATION_STRATEGY"] = s.result.want.name
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
