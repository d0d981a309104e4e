package local

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// process is one run of a bootstrap, with the Runtime API that serves it.
type process struct {
	cmd     *exec.Cmd
	api     *runtimeAPI
	started time.Time
	// exited is closed when the process has ended and been waited for.
	exited chan struct{}

	mu sync.Mutex
	// gone is set before the process is waited for; until then its id cannot be another's. It also keeps peak, the
	// most memory seen, as it is.
	gone bool
	peak int64
}

// startProcess starts a bootstrap and does not wait for its initialisation.
func startProcess(c FunctionConfig, log io.Writer) (*process, error) {
	if c.Bootstrap == "" {
		return nil, &FunctionError{Type: typeNoEntrypoint, Message: "the function is declared, and has no bootstrap"}
	}
	if info, err := os.Stat(c.Bootstrap); err != nil || info.IsDir() {
		return nil, &FunctionError{Type: typeNoEntrypoint, Message: fmt.Sprintf("no bootstrap at %s", c.Bootstrap)}
	}
	api, err := newRuntimeAPI()
	if err != nil {
		return nil, err
	}
	p := &process{api: api, exited: make(chan struct{})}
	p.cmd = command(c, api.address(), log)
	started := make(chan error)
	go p.live(started)
	if err := <-started; err != nil {
		api.close()
		return nil, &FunctionError{Type: typeNoEntrypoint, Message: err.Error()}
	}
	return p, nil
}

func command(c FunctionConfig, api string, log io.Writer) *exec.Cmd {
	argv := append(append([]string{}, c.Emulator...), c.Bootstrap)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = c.taskRoot()
	cmd.Env = c.environment(api)
	cmd.Stdout, cmd.Stderr = log, log
	// A grandchild that left the process group may hold the pipes open; it must not hold us up.
	cmd.WaitDelay = time.Second
	tieToParent(cmd)
	return cmd
}

// live starts the process and waits for its end, all on one thread: Linux ends the child when the thread that started
// it ends (prctl(2), PR_SET_PDEATHSIG), which must not happen while the program lives.
func (p *process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.started = time.Now()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.reap()
	p.api.close()
	close(p.exited)
}

// initialised waits for the first request for an invocation. Whatever comes instead is an error, after which the
// process is gone.
func (p *process) initialised(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case <-p.api.ready:
		return nil
	case failure := <-p.api.initError:
		err = failure
	case <-p.exited:
		err = p.exitError("init")
		select { // A bootstrap that reports its error and exits has failed by that error.
		case failure := <-p.api.initError:
			err = failure
		default:
		}
	case <-timer.C:
		err = &FunctionError{Type: typeTimedOut,
			Message: fmt.Sprintf("Error: the bootstrap did not ask for an invocation within %.2f seconds", limit.Seconds())}
	}
	p.kill()
	return err
}

// invoke runs one invocation. If it returns any error but errGone or the function's own, the process is gone.
func (p *process) invoke(ctx context.Context, i *invocation, timeout time.Duration) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	i.deadline, _ = limited.Deadline()
	err := p.api.offer(limited, i, p.exited)
	if err == nil {
		select {
		case o := <-i.done:
			return o.response, o.err
		case <-p.exited:
			return afterExit(i, p.exitError(i.id))
		case <-limited.Done():
			err = limited.Err()
		}
	}
	if err == errGone {
		return nil, err
	}
	p.kill()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("invoking the function: %w", ctx.Err())
	}
	return nil, &FunctionError{Type: typeTimedOut,
		Message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", i.id, timeout.Seconds())}
}

// afterExit prefers the answer of a process that answered before it ended.
func afterExit(i *invocation, exit error) ([]byte, error) {
	select {
	case o := <-i.done:
		return o.response, o.err
	default:
		return nil, exit
	}
}

// exitError describes the end of a process in Lambda's words. p.exited is closed.
func (p *process) exitError(id string) error {
	reason := "Runtime exited without providing a reason"
	if !p.cmd.ProcessState.Success() {
		reason = "Runtime exited with error: " + p.cmd.ProcessState.String()
	}
	return &FunctionError{Type: typeExited, Message: "RequestId: " + id + " Error: " + reason, ExitCode: p.cmd.ProcessState.ExitCode()}
}

// kill ends the process and its group, and returns when it is gone.
func (p *process) kill() {
	p.mu.Lock()
	if !p.gone {
		p.peak = max(p.peak, peakRSS(p.cmd.Process.Pid))
		killGroup(p.cmd.Process)
	}
	p.mu.Unlock()
	<-p.exited
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// measure fills in what there is to know of the process.
func (p *process) measure(f *Facts) {
	f.Init = p.initTime()
	if cpu, peak, running := p.sample(); running {
		f.CPU, f.PeakRSS = cpu, peak
		return
	}
	<-p.exited
	f.CPU, f.PeakRSS = p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime(), p.peak
}

// sample measures the process if it is still there to be measured.
func (p *process) sample() (cpu time.Duration, peak int64, running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, 0, false
	}
	p.peak = max(p.peak, peakRSS(p.cmd.Process.Pid))
	return cpuTime(p.cmd.Process.Pid), p.peak, true
}

func (p *process) initTime() time.Duration {
	p.api.mu.Lock()
	defer p.api.mu.Unlock()
	if p.api.readyAt.IsZero() {
		return 0
	}
	return p.api.readyAt.Sub(p.started)
}

// lockedWriter keeps the lines of a process and of its successor from mixing within a write.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}
