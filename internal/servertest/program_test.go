package servertest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// holdServer makes this test binary start a server, print its process, and wait to be killed.
const holdServer = "ROTOR_SERVERTEST_HOLD_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(holdServer) == "" {
		os.Exit(m.Run())
	}
	p := patient
	if os.Getenv(holdServer) == "preparing" {
		p.Prepare = "echo preparing; sleep 1000"
	}
	r, err := p.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(r.Output.Since(0))
	select {}
}

// patient is a server that says its process, and then does nothing.
var patient = Program{
	Name: "patient", Files: map[string]string{"greeting": "hello"}, Prepare: "mkdir data", Signal: "TERM",
	Command: func(string, int) []string {
		return []string{"sh", "-c", "cat greeting; ls; echo $$ ready; exec sleep 1000"}
	},
	Ready: func(output string) bool { return strings.Contains(output, "ready") },
}

func TestAServerHasItsFilesAndLeavesNothingBehindButItsLog(t *testing.T) {
	temporary := openFolder(t)
	r, err := patient.Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"hello", "data\n", "ready"} {
		if !strings.Contains(r.Log.Since(0), want) {
			t.Errorf("the log does not hold %q:\n%s", want, r.Log.Since(0))
		}
	}
	wantEmpty(t, temporary)
}

func TestAServerEndsWithTheProcessThatStartedIt(t *testing.T) {
	for _, when := range []string{"running", "preparing"} {
		t.Run(when, func(t *testing.T) {
			temporary := openFolder(t)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), holdServer+"="+when)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			server := 0
			if when == "running" {
				server = processOf(t, bufio.NewScanner(out))
			} else {
				awaitFile(t, filepath.Join(temporary, "rotor-patient-*", "output"))
			}
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
			_ = cmd.Wait()
			awaitEmpty(t, temporary)
			if server != 0 && syscall.Kill(server, 0) == nil {
				t.Error("the server outlived its process")
			}
		})
	}
}

// processOf reads the line by which the server says that it is ready.
func processOf(t *testing.T, lines *bufio.Scanner) int {
	t.Helper()
	for lines.Scan() {
		if number, ok := strings.CutSuffix(lines.Text(), " ready"); ok {
			process, err := strconv.Atoi(strings.TrimPrefix(number, "hello"))
			if err != nil {
				t.Fatal(err)
			}
			return process
		}
	}
	t.Fatal("the server did not start")
	return 0
}

func TestAServerThatCannotStartSaysWhyAndLeavesNothingBehind(t *testing.T) {
	for name, change := range map[string]func(*Program){
		"in its preparation": func(p *Program) { p.Prepare = "echo not today; false" },
		"itself": func(p *Program) {
			p.Command = func(string, int) []string { return []string{"sh", "-c", "echo not today"} }
		},
		"for want of files": func(p *Program) { p.Fill = func(string) error { return fmt.Errorf("not today") } },
	} {
		t.Run(name, func(t *testing.T) {
			temporary, p := openFolder(t), patient
			change(&p)
			if _, err := p.Start(); err == nil || !strings.Contains(err.Error(), "not today") {
				t.Errorf("got %v", err)
			}
			wantEmpty(t, temporary)
		})
	}
}

func TestATakenPortIsNotTheEnd(t *testing.T) {
	temporary, p := openFolder(t), patient
	var ports []int
	p.Command = func(_ string, port int) []string {
		if ports = append(ports, port); len(ports) < attempts {
			return []string{"sh", "-c", "echo taken"}
		}
		return patient.Command("", 0)
	}
	p.Taken = func(output string) bool { return strings.Contains(output, "taken") }
	r, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil || r.Port != ports[len(ports)-1] {
		t.Errorf("port %d of %v, %v", r.Port, ports, err)
	}
	ports = nil
	p.Command = func(string, int) []string { ports = append(ports, 0); return []string{"sh", "-c", "echo taken"} }
	if _, err := p.Start(); err == nil || len(ports) != attempts {
		t.Errorf("%d attempts, %v", len(ports), err)
	}
	wantEmpty(t, temporary)
}

// openFolder makes a folder like /tmp the temporary one; the parent of t.TempDir is closed to the server's user.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "servertest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", folder)
	return folder
}

func wantEmpty(t *testing.T, folder string) {
	t.Helper()
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// awaitEmpty waits for the supervisor, which removes the folder after the server has ended.
func awaitEmpty(t *testing.T, folder string) {
	t.Helper()
	within(t, "files are left behind", func() bool {
		entries, err := os.ReadDir(folder)
		return err == nil && len(entries) == 0
	})
}

func awaitFile(t *testing.T, pattern string) {
	t.Helper()
	within(t, "no "+pattern, func() bool {
		found, _ := filepath.Glob(pattern)
		if len(found) == 0 {
			return false
		}
		text, _ := os.ReadFile(found[0])
		return strings.Contains(string(text), "preparing")
	})
}

func within(t *testing.T, complaint string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(complaint)
		}
	}
}

func TestASeedIsMadeOnceAndNeverHalf(t *testing.T) {
	openFolder(t)
	keep := openFolder(t)
	p := patient
	p.Seed = filepath.Join(keep, "seed")
	p.Prepare = "mkdir data && echo made >data/note && echo preparing"
	p.Command = func(string, int) []string { return []string{"sh", "-c", "cat data/note; echo ready; exec sleep 1000"} }
	for n, prepares := range []bool{true, false} {
		r, err := p.Start()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
		if log := r.Log.Since(0); strings.Contains(log, "preparing") != prepares || !strings.Contains(log, "made") {
			t.Errorf("start %d: %s", n, log)
		}
	}
	if entries, err := os.ReadDir(keep); err != nil || len(entries) != 1 {
		t.Errorf("kept: %v, %v", entries, err)
	}
	failing := openFolder(t)
	p.Seed, p.Prepare = filepath.Join(failing, "seed"), "mkdir data && false"
	if _, err := p.Start(); err == nil {
		t.Error("it started")
	}
	wantEmpty(t, failing)
}
