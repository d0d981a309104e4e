package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
)

// A task is to rotate by one strategy.
type task struct {
	host
	engine, strategy string
	times            int
	server           *servertest.Example
	user             map[string]any // a secret of the server's, as it is now
}

// rotate rotates the user's secret that many times.
func (t task) rotate(ctx context.Context) (err error) {
	s, err := open(t.host)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	back, administrator, user, err := t.reachable()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, back()) }()
	if user["masterarn"], err = s.create(ctx, "administrator", administrator); err != nil {
		return err
	}
	secret, err := s.create(ctx, "app", user)
	if err != nil {
		return err
	}
	if err := t.begin(ctx, s, t.server.Env); err != nil {
		return err
	}
	for range t.times {
		fields, err := s.rotate(ctx, secret)
		if err != nil {
			return err
		}
		if err := t.check(ctx, fields, s.function.log.String()); err != nil {
			return err
		}
		t.user["username"], t.user["password"] = fields["username"], fields["password"]
	}
	fmt.Printf("%s, %s: rotated %dx on %s, %s\n", t.engine, t.strategy, t.times, t.server.Name(), s.function.how)
	return nil
}

// begin readies the stand-in's function.
func (t task) begin(ctx context.Context, s *standIn, env map[string]string) (err error) {
	env = maps.Clone(env)
	env["SECRETS_MANAGER_ENDPOINT"] = s.url
	s.function, err = t.start(ctx, t.engine, t.strategy, env)
	return err
}

// check sees that the password is a new one, that it logs in, and that the
// function wrote neither it nor the one before.
func (t task) check(ctx context.Context, fields map[string]any, log string) error {
	before, after := servertest.Text(t.user, "password"), servertest.Text(fields, "password")
	if before == after {
		return errors.New("the password is the one before")
	}
	if err := t.server.Login(ctx, fields); err != nil {
		return fmt.Errorf("logging in with the new password: %w", err)
	}
	if strings.Contains(log, before) || strings.Contains(log, after) {
		return errors.New("the function wrote a password")
	}
	return nil
}

// reachable are the server's secrets as the host's functions need them. Where
// the server does not listen for them, a listener that back closes does.
func (t task) reachable() (back func() error, administrator, user map[string]any, err error) {
	administrator, user = maps.Clone(t.server.Administrator), maps.Clone(t.user)
	if t.address == "127.0.0.1" {
		return func() error { return nil }, administrator, user, nil
	}
	listener, err := forward(t.host, net.JoinHostPort(fmt.Sprint(user["host"]), fmt.Sprint(user["port"])))
	if err != nil {
		return nil, nil, nil, err
	}
	for _, secret := range []map[string]any{administrator, user} {
		secret["host"], secret["port"], secret["tlsServerName"] = t.address, port(listener), "localhost"
	}
	return listener.Close, administrator, user, nil
}

// unreachable rotates where no server is: setSecret must say so.
func (t task) unreachable(ctx context.Context) (err error) {
	s, err := open(t.host)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	nobody, release, err := servertest.DeafPort()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	secret, err := s.create(ctx, "app", map[string]any{
		"engine": t.engine, "host": t.address, "port": nobody, "dbname": "shop", "username": "app", "password": "initial-password",
	})
	if err != nil {
		return err
	}
	if err := t.begin(ctx, s, map[string]string{}); err != nil {
		return err
	}
	_, err = s.rotate(ctx, secret)
	var failure *local.FunctionError
	if !errors.As(err, &failure) || failure.Type != "Rotation.Unreachable" || !strings.Contains(err.Error(), "setSecret") {
		return fmt.Errorf("rotating without a server ended in %v, and not in setSecret's Rotation.Unreachable", err)
	}
	fmt.Printf("%s: NOT ROTATED, there is no server for it; it made a password, and setSecret failed as it must (%s), %s\n", t.engine, failure.Type, s.function.how)
	return nil
}
