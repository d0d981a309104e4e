package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// readsLogs is what status --why says that it waits for.
const readsLogs = "eu-west-1: reading the functions' logs, by CloudWatch Logs Insights\n"

// interrupted runs rotor, presses Ctrl-C as soon as it waits, and returns what it
// wrote and its exit status.
func (s *shell) interrupted(t *testing.T, waits func() bool, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), s.path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for !waits() {
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// Ctrl-C ends what waits for AWS, and it is said what goes on without rotor.
func TestCtrlCEndsWhatWaits(t *testing.T) {
	s := open(t, "eu-west-1")
	arn := s.declare("rotor-many", "Rotor "+serve.Version+": rotates secrets of nothing.", "provided.al2023", "eu-west-1")
	if err := s.create(t.Context(), "app", map[string]any{"key": "value"}, fleet.OK); err != nil {
		t.Fatal(err)
	}
	if err := s.rotate(t.Context(), "app", arn, false); err != nil {
		t.Fatal(err)
	}
	a := newAccount(t, map[string]*region{"eu-west-1": s.region})
	sh := newShell(t, map[string]*account{"default": a})
	called := func(operation string, n int) func() bool {
		a.counted()
		return func() bool {
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.calls[operation] >= n
		}
	}
	s.logs.slow = true
	out, stderr, status := sh.interrupted(t, called("GetQueryResults", 2), "status", "--why")
	if out != "" || stderr != readsLogs+"rotor: interrupted\n" || status != exitUnknown {
		t.Errorf("status %d, %q, %s", status, out, stderr)
	}
	s.hold = make(chan struct{})
	defer close(s.hold)
	out, stderr, status = sh.interrupted(t, called("DescribeSecret", 3), "rotate", "app")
	if out != "" || !strings.Contains(stderr, "rotor: app: interrupted; the rotation goes on by itself: rotor status app ") || status != exitUnknown {
		t.Errorf("status %d, %q, %s", status, out, stderr)
	}
}
