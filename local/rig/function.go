package rig

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"sync"

	"github.com/seed492efc12/rotor/local"
)

// A Function is a rotation function's process under the runtime host.
type Function struct {
	*local.Function
	log buffer
}

// Start starts a function that talks to the stand-in, and returns when it is ready. Env's SECRETS_MANAGER_ENDPOINT is
// the rig's unless c has one; what the function writes goes to c.Log too. An init error is a [*local.FunctionError].
// Of functions with the same name, which makes the ARN, the last one is invoked.
func (r *Rig) Start(c local.FunctionConfig) (*Function, error) {
	f := &Function{}
	f.log.tee = c.Log
	c.Log = &f.log
	env := map[string]string{"SECRETS_MANAGER_ENDPOINT": r.URL}
	maps.Copy(env, c.Env)
	c.Env = env
	host, err := local.StartFunction(c)
	if err != nil {
		return nil, fmt.Errorf("starting the function: %w", err)
	}
	f.Function = host
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.started[host.ARN()]; before != nil {
		err = before.Close()
	}
	r.started[host.ARN()] = f
	r.Functions.Add(host)
	return f, err
}

// Invoke sends one event past Secrets Manager.
func (f *Function) Invoke(ctx context.Context, event string) error {
	_, err := f.Function.Invoke(ctx, []byte(event))
	return err
}

// Log is all that the function has written to standard output and standard error, over all its processes.
func (f *Function) Log() string { return f.log.String() }

// A buffer keeps what is written to it, and may be read meanwhile.
type buffer struct {
	tee io.Writer
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all.Write(p)
	if b.tee != nil {
		return b.tee.Write(p)
	}
	return len(p), nil
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}
