package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/framework/local"
	"github.com/seed492efc12/rotor/framework/local/rig"
)

// A demo is everything that runs.
type demo struct {
	*rig.Rig
	engine    engine
	out       *screen
	database  *database
	folder    string // the built function
	bootstrap string
	functions []*rig.Function
	passwords []string // all that there have been
	closers   []func() error
}

// open starts everything but the functions, which differ in their settings, and says what it started.
func open(ctx context.Context, e engine, out *screen) (d *demo, err error) {
	d = &demo{engine: e, out: out}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.database, err = e.open(ctx); err != nil {
		return d, fmt.Errorf("starting a server: %w", err)
	}
	d.closers = append(d.closers, d.database.close)
	if d.folder, err = os.MkdirTemp("", "rotor-demo-"); err != nil {
		return d, err
	}
	d.closers = append(d.closers, func() error { return os.RemoveAll(d.folder) })
	start := time.Now()
	if d.bootstrap, err = rig.Build(ctx, e.function, d.folder); err != nil {
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
	d.out.fact("server", "%s", d.database.name)
	if d.database.advice != "" {
		d.out.fact("", "%s", d.database.advice)
	}
	d.out.fact("secrets", "a stand-in for AWS Secrets Manager at %s", d.URL)
	d.out.fact("function", "%s, as deployed: %.1f MiB, built in %.1f s", d.engine.function[strings.Index(d.engine.function, "functions/"):], float64(info.Size())/(1<<20), built.Seconds())
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
	env := maps.Clone(d.database.env)
	env["ROTATION_STRATEGY"] = strategy
	f, err := d.Start(local.FunctionConfig{Bootstrap: d.bootstrap, Name: "demo-" + strategy, Env: env})
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

func password(fields map[string]any) string { return fmt.Sprint(fields["password"]) }
func user(fields map[string]any) string     { return fmt.Sprint(fields["username"]) }

// rotate rotates a secret, shows how, and returns its value before and after.
func (d *demo) rotate(ctx context.Context, arn string, f *rig.Function, v *versions) (before, after map[string]any, err error) {
	if before, err = d.read(ctx, arn, "AWSCURRENT"); err != nil {
		return nil, nil, err
	}
	accepted, refused := d.database.logins()
	n, err := d.Rotate(ctx, arn, f)
	d.out.rotation(n, v)
	if err != nil {
		return nil, nil, err
	}
	if d.database.log() != "" {
		a, r := d.database.logins()
		d.out.line("  %d calls to Secrets Manager, %d logins to the database, %d refused", n.Calls(), a-accepted, r-refused)
	}
	after, err = d.read(ctx, arn, "AWSCURRENT")
	return before, after, err
}
