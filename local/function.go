package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// FunctionConfig describes a Lambda function on this machine. Only Bootstrap is required, and that only to run it.
type FunctionConfig struct {
	// Bootstrap is the path of the executable, the one that is deployed.
	Bootstrap string
	// Emulator is put before Bootstrap, such as {"qemu-aarch64-static"} to run an arm64 one.
	Emulator []string
	// Env is added to the environment that Lambda gives, and overrides it; only AWS_LAMBDA_RUNTIME_API cannot be
	// set. Nothing of this program's own environment is passed on.
	Env map[string]string
	// Name, Region and Account make the ARN. Defaults: function, us-east-1, 123456789012.
	Name, Region, Account string
	// Aliases are names of its version $LATEST, the only one.
	Aliases []string
	// Description and Runtime are what the Lambda API tells of it. Default: none, and provided.al2023.
	Description, Runtime string
	// MemoryMB is what the function is told that it has. It is not enforced. Default: 128.
	MemoryMB int
	// Timeout limits each invocation (default 30 s), InitTimeout the time from start to the first request for an
	// invocation (default 10 s, as on Lambda).
	Timeout, InitTimeout time.Duration
	// Log gets all that the process writes to stdout and stderr, one write at a time. It is complete when Close
	// has returned. Default: discarded.
	Log io.Writer
}

func (c FunctionConfig) withDefaults() FunctionConfig {
	c.Env = maps.Clone(c.Env)
	c.Emulator = slices.Clone(c.Emulator)
	c.Aliases = slices.Clone(c.Aliases)
	c.Name = firstOf(c.Name, "function")
	c.Region = firstOf(c.Region, "us-east-1")
	c.Account = firstOf(c.Account, "123456789012")
	c.Runtime = firstOf(c.Runtime, "provided.al2023")
	if c.MemoryMB == 0 {
		c.MemoryMB = 128
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.InitTimeout == 0 {
		c.InitTimeout = 10 * time.Second
	}
	return c
}

// Function hosts a bootstrap: it starts the process, serves it the Lambda Runtime API on a free port of 127.0.0.1,
// and starts a fresh one when it has ended or been killed. It is one execution environment, so it runs one
// invocation at a time; it is safe for concurrent use, and makes callers wait for their turn.
type Function struct {
	config FunctionConfig
	since  time.Time
	log    io.Writer
	// turn has room for one: who has put a token into it may use the process.
	turn chan struct{}

	mu      sync.Mutex
	closed  bool
	process *process // the present or the last one, nil before the first
	starts  int
}

// StartFunction starts the process and returns when it asks for its first invocation. A bootstrap that cannot be
// started, ends, reports an init error or does not ask within InitTimeout is a [*FunctionError]; then nothing is left
// running. Close the function when done.
//
// On Linux the process also dies when this program does, however that happens. Its own children then do not, unless
// they notice that the Runtime API is gone.
func StartFunction(c FunctionConfig) (*Function, error) {
	if c.Bootstrap == "" {
		return nil, errors.New("FunctionConfig.Bootstrap is empty")
	}
	path, err := filepath.Abs(c.Bootstrap)
	if err != nil {
		return nil, fmt.Errorf("locating the bootstrap: %w", err)
	}
	if _, ok := c.Env[variableAPI]; ok {
		return nil, errors.New("FunctionConfig.Env must not set " + variableAPI)
	}
	c.Bootstrap = path
	f := newFunction(c)
	if _, err := f.running(); err != nil {
		return nil, err
	}
	return f, nil
}

// DeclareFunction makes a function that is known and described, and never runs, whatever its Runtime is: to invoke it is
// a [*FunctionError], Runtime.InvalidEntrypoint. Bootstrap, Emulator and Log are not used.
func DeclareFunction(c FunctionConfig) *Function {
	c.Bootstrap = ""
	return newFunction(c)
}

func newFunction(c FunctionConfig) *Function {
	f := &Function{config: c.withDefaults(), since: time.Now(), turn: make(chan struct{}, 1)}
	if c.Log != nil {
		f.log = &lockedWriter{to: c.Log}
	}
	return f
}

// ARN is the function's ARN, without version or alias.
func (f *Function) ARN() string { return f.config.arn() }

// Invoke sends one event and returns the response. It waits for its turn, then starts a fresh process if there is
// none: an earlier one may have exited or been killed. [*FunctionError] tells of an error of the function, of its
// initialisation, of a process that ended (Runtime.ExitError) or took longer than the time-out (Sandbox.Timedout;
// the process is killed). If ctx ends during the invocation, the process is killed and ctx's error returned.
// Events and responses may have up to 6 MiB and need not be text.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("the event has %d bytes, more than the %d that Lambda takes", len(payload), maxPayload)
	}
	return f.invoke(ctx, newInvocation(f.ARN(), payload))
}

func (f *Function) invoke(ctx context.Context, i *invocation) ([]byte, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the function: %w", ctx.Err())
	}
	for {
		p, err := f.running()
		if err != nil {
			return nil, err
		}
		response, err := p.invoke(ctx, i, f.config.Timeout)
		// A process that ended while idle is no business of this invocation's.
		if err != errGone {
			return response, err
		}
	}
}

// running returns the process, after starting and initialising one if there is none.
func (f *Function) running() (*process, error) {
	p, fresh, err := f.start()
	if err != nil || !fresh {
		return p, err
	}
	return p, p.initialised(f.config.InitTimeout)
}

func (f *Function) start() (p *process, fresh bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false, errors.New("the function is closed")
	}
	if f.process != nil && f.process.alive() {
		return f.process, false, nil
	}
	p, err = startProcess(f.config, f.log)
	if err != nil {
		return nil, false, err
	}
	f.process = p
	f.starts++
	return p, true, nil
}

// Restart kills the process, whatever it is doing, and returns when a new one is ready: the next invocation is a cold
// one. An invocation in progress fails; one that comes meanwhile waits.
func (f *Function) Restart() error {
	f.mu.Lock()
	if f.process != nil {
		f.process.kill()
	}
	f.mu.Unlock()
	f.turn <- struct{}{}
	defer func() { <-f.turn }()
	_, err := f.running()
	return err
}

// Close kills the process and everything in its process group, and returns when it is gone. An invocation in
// progress ends with an error, as do later ones. It may be called more than once.
func (f *Function) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.process != nil {
		f.process.kill()
	}
	return nil
}

// Facts are measurements of a function's present process, or of its last one.
type Facts struct {
	// Starts counts the processes started so far.
	Starts int
	// Init is the time from the start of the process to its first request for an invocation.
	Init time.Duration
	// CPU is the user and system time that the process has used so far. While it runs this needs Linux.
	CPU time.Duration
	// PeakRSS is the most memory, in bytes, that it had in RAM when last looked at: by Facts, or before it was
	// killed. It needs Linux.
	PeakRSS int64
}

// Facts measures now. It may be called at any time, also after Close.
func (f *Function) Facts() Facts {
	f.mu.Lock()
	defer f.mu.Unlock()
	facts := Facts{Starts: f.starts}
	if f.process != nil {
		f.process.measure(&facts)
	}
	return facts
}
