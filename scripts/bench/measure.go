package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/scripts/engines"
)

// A results is all that was measured, engines in the order of their table.
type results struct {
	runs      int
	functions []*functionResult
	rotations []*rotationResult
	servers   []string
}

// A functionResult is a binary and its start.
type functionResult struct {
	name       string // hello, or an engine's
	bootstrap  string
	size, zip  int64
	start, cpu []time.Duration // from the start of the process to its first request for an invocation
	memory     int64           // the most, started only
}

// A rotationResult is a strategy's rotations; hello's are four invocations.
type rotationResult struct {
	name        string
	cold, warm  costs
	memory      int64 // the most, over one cold and all warm rotations
	calls       int   // the most of any rotation
	logins      int
	refused     int // the most of any rotation
	connections struct{ cold, warm int }
	want        *strategy // nil for hello
}

// costs are of one kind of rotation, by run.
type costs struct{ wall, cpu []time.Duration }

func (c *costs) add(wall, cpu time.Duration) {
	c.wall, c.cpu = append(c.wall, wall), append(c.cpu, cpu)
}

func measure(ctx context.Context, folder string, runs int) (*results, error) {
	r := &results{runs: runs}
	if err := r.build(ctx, hello, "github.com/seed492efc12/rotor/scripts/bench/hello", folder); err != nil {
		return nil, err
	}
	for _, e := range engines.All() {
		if err := r.build(ctx, e.Name, e.Function(), folder); err != nil {
			return nil, err
		}
	}
	if err := r.starts(ctx); err != nil {
		return nil, err
	}
	for _, f := range r.functions {
		if err := r.rotate(ctx, f); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", f.name, err)
		}
	}
	return r, nil
}

// build builds a function, to be measured.
func (r *results) build(ctx context.Context, name, function, folder string) error {
	bootstrap, err := rig.Build(ctx, function, filepath.Join(folder, name))
	if err != nil {
		return err
	}
	info, err := os.Stat(bootstrap)
	if err != nil {
		return err
	}
	zip, err := zippedSize(bootstrap)
	r.functions = append(r.functions, &functionResult{name: name, bootstrap: bootstrap, size: info.Size(), zip: zip})
	return err
}

// starts starts all functions in turn, so that a disturbance of the machine strikes all.
func (r *results) starts(ctx context.Context) error {
	for range r.runs + 1 {
		for _, f := range r.functions {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			facts, err := start(f.bootstrap)
			if err != nil {
				return err
			}
			f.start, f.cpu, f.memory = append(f.start, facts.Init), append(f.cpu, facts.CPU), max(f.memory, facts.PeakRSS)
		}
	}
	for _, f := range r.functions { // the first start read the file
		f.start, f.cpu = f.start[1:], f.cpu[1:]
	}
	return nil
}

func start(bootstrap string) (local.Facts, error) {
	f, err := local.StartFunction(local.FunctionConfig{Bootstrap: bootstrap})
	if err != nil {
		return local.Facts{}, err
	}
	facts := f.Facts()
	return facts, f.Close()
}
