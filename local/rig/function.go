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
	config local.FunctionConfig
	log    buffer

	mu   sync.Mutex // held while the process is replaced
	host *local.Function
}

// Start starts a function that talks to the stand-in, and returns when it is ready. Env's SECRETS_MANAGER_ENDPOINT is
// the rig's unless c has one; what the function writes goes to c.Log too. An init error is a [*local.FunctionError].
// Of functions with the same name, which makes the ARN, the last one is invoked.
func (r *Rig) Start(c local.FunctionConfig) (*Function, error) {
	f := &Function{config: c}
	f.log.tee = c.Log
	f.config.Log = &f.log
	f.config.Env = map[string]string{"SECRETS_MANAGER_ENDPOINT": r.URL}
	maps.Copy(f.config.Env, c.Env)
	host, err := local.StartFunction(f.config)
	if err != nil {
		return nil, fmt.Errorf("starting the function: %w", err)
	}
	f.host = host
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.functions[host.ARN()]; before != nil {
		err = before.close()
	}
	r.functions[host.ARN()] = f
	return f, err
}

// ARN is what RotateSecret calls the function.
func (f *Function) ARN() string { return f.current().ARN() }

// Facts measures the present process.
func (f *Function) Facts() local.Facts { return f.current().Facts() }

// Invoke sends one event past Secrets Manager.
func (f *Function) Invoke(ctx context.Context, event string) error {
	_, err := f.current().Invoke(ctx, []byte(event))
	return err
}

// Log is all that the function has written to standard output and standard error, over all its processes.
func (f *Function) Log() string { return f.log.String() }

// Restart kills the process with SIGKILL, whatever it is doing, and starts a new one: the next invocation is a cold
// one. An invocation in progress fails; one that comes meanwhile waits.
func (f *Function) Restart() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.host.Close(); err != nil {
		return err
	}
	host, err := local.StartFunction(f.config)
	if err == nil {
		f.host = host
	}
	return err
}

func (f *Function) current() *local.Function {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.host
}

func (f *Function) close() error { return f.current().Close() }

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
