package main

import (
	"context"
	"errors"
	"time"

	"github.com/seed492efc12/rotor/local"
)

// hello invokes four times where the others rotate.
func (r *results) hello(ctx context.Context, f *functionResult) error {
	result := &rotationResult{name: "hello, four invocations"}
	r.rotations = append(r.rotations, result)
	for range r.runs {
		if err := result.hello(ctx, f.bootstrap); err != nil {
			return err
		}
	}
	return nil
}

func (result *rotationResult) hello(ctx context.Context, bootstrap string) (err error) {
	function, err := local.StartFunction(local.FunctionConfig{Bootstrap: bootstrap})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, function.Close()) }()
	four := func() (time.Duration, error) {
		begin := time.Now()
		for range 4 {
			if _, err := function.Invoke(ctx, []byte(`{}`)); err != nil {
				return 0, err
			}
		}
		return time.Since(begin), nil
	}
	wall, err := four()
	if err != nil {
		return err
	}
	cold := function.Facts()
	result.cold.add(cold.Init+wall, cold.CPU)
	if wall, err = four(); err != nil {
		return err
	}
	warm := function.Facts()
	result.warm.add(wall, warm.CPU-cold.CPU)
	result.memory = max(result.memory, warm.PeakRSS)
	return nil
}
