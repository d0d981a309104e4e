package servertest

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed supervise.sh
var supervise string

// Two patiences: a server starts in seconds and stops in a tenth, on an idle
// machine.
const (
	startPatience = 2 * time.Minute
	stopPatience  = 30 * time.Second
)

// attempts is how often a server is started on another port, when something else
// took the port meanwhile.
const attempts = 3

// A Program is a real server that can be started.
type Program struct {
	// Name begins the name of its folder: "mysql".
	Name string
	// Files are in its folder before it starts.
	Files map[string]string
	// Fill puts more into the folder. It may be nil.
	Fill func(folder string) error
	// Prepare is a shell script that makes the server's data, in the folder and as
	// the server's user. It may be empty.
	Prepare string
	// Seed is a folder that keeps what Prepare makes in the folder "data", for the
	// next server to start from: it must hold nothing that is this server's alone. If
	// it is empty, or its parent cannot be written to, nothing is kept.
	Seed string
	// Command is what runs in the folder, on the port.
	Command func(folder string, port int) []string
	// Env is added to a small environment, for Prepare too.
	Env []string
	// Signal ends the server at once, such as QUIT.
	Signal string
	// LogFile is a file in the folder to which the server itself writes what it
	// does. If it is empty, what it prints is its log.
	LogFile string
	// Ready says whether the server accepts connections, from what it printed:
	// asking by a login would count as one, and would fail where the certificate is
	// meant to be bad.
	Ready func(output string) bool
	// Taken says whether it ended because its port was taken.
	Taken func(output string) bool
}

// A Process is a real server that runs. It ends with this process, however that
// ends.
type Process struct {
	Folder string // its files, gone after Stop
	Port   int
	Output *Log // what it prints
	Log    *Log // statements and logins: LogFile, or else Output

	name  string
	leash io.Closer // closing it ends the server: see supervise.sh
	ended chan struct{}
}

// errPortTaken is the one failure that another port mends.
var errPortTaken = errors.New("the port is taken")

// Start makes a folder, runs the server in it on a free port, and returns when
// the server accepts connections. An error holds what the server printed.
func (p Program) Start() (*Process, error) {
	for attempt := 1; ; attempt++ {
		run, err := p.launch()
		if err == nil {
			return run, nil
		}
		if attempt == attempts || !errors.Is(err, errPortTaken) {
			return nil, fmt.Errorf("starting %s: %w", p.Name, err)
		}
	}
}

// launch starts the process and waits until it accepts connections.
func (p Program) launch() (run *Process, err error) {
	s := p.plant()
	defer func() { s.harvest(err == nil) }()
	folder, err := newFolder(p.Name, p.Files)
	if err != nil {
		return nil, err
	}
	if p.Fill != nil {
		if err := p.Fill(folder); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
	}
	r, err := p.spawn(folder)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := p.await(r); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// spawn runs supervise.sh, which holds the server.
func (p Program) spawn(folder string) (r *Process, err error) {
	r = &Process{Folder: folder, name: p.Name, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.closeLogs())
		}
	}()
	if r.Port, err = freePort(); err != nil {
		return nil, err
	}
	if r.Output, err = newLog(filepath.Join(folder, "output")); err != nil {
		return nil, err
	}
	r.Log = r.Output
	if p.LogFile != "" {
		if r.Log, err = newLog(filepath.Join(folder, p.LogFile)); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("sh", append([]string{"-c", supervise, "supervise.sh", folder, p.Signal, p.Prepare}, p.Command(folder, r.Port)...)...)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + folder}, p.Env...)
	cmd.Stdout, cmd.Stderr = r.Output.file, r.Output.file
	if err := demote(cmd); err != nil {
		return nil, err
	}
	if r.leash, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(r.ended)
		_ = cmd.Wait() // how it ended is in its output
	}()
	return r, nil
}

// await returns when the server says that it is ready.
func (p Program) await(r *Process) error {
	deadline := time.Now().Add(startPatience)
	for time.Now().Before(deadline) {
		select {
		case <-r.ended:
			text := r.Output.Since(0)
			if p.Taken != nil && p.Taken(text) {
				return fmt.Errorf("%w:\n%s", errPortTaken, text)
			}
			return fmt.Errorf("the server ended:\n%s", text)
		case <-time.After(5 * time.Millisecond):
		}
		if p.Ready(r.Output.Since(0)) {
			return nil
		}
	}
	return fmt.Errorf("the server was not ready after %v:\n%s", startPatience, r.Output.Since(0))
}

// Stop ends the server and waits until its files are gone. What it logged stays
// readable.
func (r *Process) Stop() error {
	err := r.leash.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil // it has ended already
	}
	select {
	case <-r.ended:
	case <-time.After(stopPatience):
		return fmt.Errorf("%s on port %d did not stop within %v", r.name, r.Port, stopPatience)
	}
	// The supervisor, who may be another user, empties the folder, but cannot remove
	// it where the temporary folder is not open to all.
	return errors.Join(err, os.RemoveAll(r.Folder), r.closeLogs())
}

// closeLogs closes what is open.
func (r *Process) closeLogs() error {
	var errs []error
	for _, l := range []*Log{r.Output, r.Log} {
		if l != nil {
			errs = append(errs, l.close())
		}
	}
	return errors.Join(errs...)
}
