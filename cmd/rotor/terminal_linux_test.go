package main_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seed492efc12/rotor/internal/fleet"
)

// onTerminal runs rotor on a terminal, and returns what that shows.
func (s *shell) onTerminal(t *testing.T, env []string, args ...string) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), s.path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = slices.Concat(s.env, env), screen, screen
	err = cmd.Start()
	_ = screen.Close() // only rotor has it now, so that reading ends with rotor
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := io.ReadAll(master) // EIO is the end
	_ = cmd.Wait()
	return string(shown)
}

func TestColoursAreOnATerminalOnly(t *testing.T) {
	s := open(t, "eu-west-1")
	if err := s.create(t.Context(), "app", map[string]any{"key": "value"}, fleet.Gone); err != nil {
		t.Fatal(err)
	}
	if err := s.rotate(t.Context(), "app", "arn:aws:lambda:eu-west-1:123456789012:function:gone", false); err != nil {
		t.Fatal(err)
	}
	sh := newShell(t, map[string]*account{"default": newAccount(t, map[string]*region{"eu-west-1": s.region})})
	for _, c := range []struct {
		env      string
		coloured bool
	}{{"TERM=xterm", true}, {"TERM=dumb", false}, {"NO_COLOR=1", false}} {
		shown := sh.onTerminal(t, []string{"TERM=xterm", c.env}, "status")
		if !strings.Contains(shown, "function gone") || strings.Contains(shown, "\x1b[") != c.coloured {
			t.Errorf("with %s: %q", c.env, shown)
		}
	}
	if shown, _, status := sh.run(t, "status"); status != 2 || strings.Contains(shown, "\x1b") {
		t.Errorf("status %d: %q", status, shown)
	}
}
