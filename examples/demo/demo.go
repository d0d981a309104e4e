package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"time"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/scripts/engines"
)

// A demo is everything that runs.
type demo struct {
	*rig.Rig
	*servertest.Example
	engine    engines.Engine
	product   engines.Product
	out       *screen
	folder    string // the built function
	bootstrap string
	functions []*rig.Function
	live      live     // what they write
	passwords []string // all that there have been
	begin     servertest.Mark

	single, alternating map[string]any // secrets, without the administrator's ARN
	closers             []func() error
}

// open starts everything but the functions, which differ in their settings, and says what it started.
func open(ctx context.Context, e engines.Engine, p engines.Product, out *screen) (d *demo, err error) {
	d = &demo{engine: e, product: p, out: out}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if err = d.openServer(ctx); err != nil {
		return d, err
	}
	if d.folder, err = os.MkdirTemp("", "rotor-demo-"); err != nil {
		return d, err
	}
	d.closers = append(d.closers, func() error { return os.RemoveAll(d.folder) })
	start := time.Now()
	if d.bootstrap, err = rig.Build(ctx, e.Function(), d.folder); err != nil {
		return d, err
	}
	built := time.Since(start)
	if d.Rig, err = rig.Open(local.Options{Retries: -1}); err != nil {
		return d, err
	}
	d.closers = append(d.closers, d.Rig.Close)
	return d, d.introduce(built)
}

func (d *demo) introduce(built time.Duration) error {
	info, err := os.Stat(d.bootstrap)
	if err != nil {
		return err
	}
	d.out.fact("server", "%s at %s:%d, TLS verified", d.Name(), d.Host, d.Port)
	d.out.fact("secrets", "a stand-in for AWS Secrets Manager at %s", d.URL)
	d.out.fact("function", "%s, as deployed: %.1f MiB, built in %.1f s", "functions/"+d.engine.Name, float64(info.Size())/(1<<20), built.Seconds())
	return nil
}

// close ends everything, the last thing started first.
func (d *demo) close() (err error) {
	for len(d.closers) > 0 {
		last := len(d.closers) - 1
		err = errors.Join(err, d.closers[last]())
		d.closers = d.closers[:last]
	}
	return err
}

// start starts the function with a strategy.
func (d *demo) start(strategy string) (*rig.Function, error) {
	env := maps.Clone(d.Env)
	env["ROTATION_STRATEGY"] = strategy
	f, err := d.Start(local.FunctionConfig{Bootstrap: d.bootstrap, Name: "demo-" + strategy, Env: env, Log: &d.live})
	if err == nil {
		d.functions = append(d.functions, f)
	}
	return f, err
}

// store makes a secret.
func (d *demo) store(ctx context.Context, name string, fields map[string]any) (arn string, err error) {
	d.passwords = append(d.passwords, password(fields))
	text, err := json.Marshal(fields)
	if err != nil {
		return "", err
	}
	return d.CreateSecret(ctx, name, string(text))
}

// read is what a version of a secret holds.
func (d *demo) read(ctx context.Context, arn, stage string) (fields map[string]any, err error) {
	value, err := d.Value(ctx, arn, stage)
	if err == nil {
		err = json.Unmarshal([]byte(value), &fields)
	}
	d.passwords = append(d.passwords, password(fields))
	return fields, err
}

func password(fields map[string]any) string { return servertest.Text(fields, "password") }
func user(fields map[string]any) string     { return servertest.Text(fields, "username") }

// The users that the demo rotates.
const (
	singleUser      = "rotor_single"
	alternatingUser = "rotor_app"
)

// openServer starts a server, and makes the users. The server's log counts from then on: what made them holds their
// passwords.
func (d *demo) openServer(ctx context.Context) (err error) {
	if d.Example, err = openProduct(ctx, d.product, d.out); err != nil {
		return err
	}
	d.closers = append(d.closers, func() error { return d.Example.Close(context.WithoutCancel(ctx)) })
	if d.single, err = d.User(ctx, singleUser); err != nil {
		return fmt.Errorf("making a user: %w", err)
	}
	if d.alternating, err = d.User(ctx, alternatingUser); err != nil {
		return fmt.Errorf("making a user: %w", err)
	}
	d.Begin()
	d.begin = d.Mark()
	return nil
}

// rotate rotates a secret, shows how, and returns its value before and after.
func (d *demo) rotate(ctx context.Context, arn string, f *rig.Function, v *versions) (before, after map[string]any, err error) {
	if before, err = d.read(ctx, arn, "AWSCURRENT"); err != nil {
		return nil, nil, err
	}
	accepted, refused := d.Logins()
	n, err := d.Rotate(ctx, arn, f)
	d.out.rotation(n, v)
	if err != nil {
		return nil, nil, err
	}
	if d.HasLog() {
		a, r := d.Logins()
		d.out.line("  %d calls to Secrets Manager, %d logins to the database, %d refused", n.Calls(), a-accepted, r-refused)
	}
	after, err = d.read(ctx, arn, "AWSCURRENT")
	return before, after, err
}
