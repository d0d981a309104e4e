package postgrestest

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/internal/servertest"
)

func TestServersAndTheirFilesEndWithTheProcessThatStartedThem(t *testing.T) {
	Newest(t) // there is one
	for name, wait := range map[string]func(t *testing.T, folder string, out *bufio.Reader) (port string){
		"killed when the server runs":    readPort,
		"killed while the server starts": awaitFolder,
	} {
		t.Run(name, func(t *testing.T) {
			folder := openFolder(t)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), holdServer+"=1", "TMPDIR="+folder)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			port := wait(t, folder, bufio.NewReader(out))
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
			cmd.Wait()
			awaitEmpty(t, folder)
			if conn, err := net.Dial("tcp", net.JoinHostPort(servertest.Host, port)); err == nil && port != "" {
				conn.Close()
				t.Error("the server outlived its process")
			}
		})
	}
}

func readPort(t *testing.T, _ string, out *bufio.Reader) string {
	t.Helper()
	line, err := out.ReadString('\n')
	if _, bad := strconv.Atoi(strings.TrimSpace(line)); err != nil || bad != nil {
		t.Fatalf("the process that holds a server said %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// awaitFolder returns when initdb is at work.
func awaitFolder(t *testing.T, folder string, _ *bufio.Reader) (port string) {
	t.Helper()
	for range 1000 {
		if made, _ := filepath.Glob(filepath.Join(folder, "*", "data")); len(made) > 0 {
			return ""
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("initdb did not start")
	return ""
}

// openFolder makes a folder like /tmp; the parent of t.TempDir is closed to the server's user.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "postgrestest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return folder
}

// awaitEmpty waits for the supervisor to clean up. It removes the folder after the server has ended.
func awaitEmpty(t *testing.T, folder string) {
	t.Helper()
	for range 200 {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("files were left behind")
}

func TestCloseLeavesNothingBehindButTheLog(t *testing.T) {
	Newest(t) // there is one
	folder := openFolder(t)
	t.Setenv("TMPDIR", folder)
	s, err := Best(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if accepted, refused := s.Logins(); accepted != 0 || refused != 0 {
		t.Errorf("a new server has seen %d and %d logins", accepted, refused)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if !strings.Contains(s.Log(), "ready to accept connections") {
		t.Error("the log is gone")
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	Newest(t) // there is one
	folder := openFolder(t)
	t.Setenv("TMPDIR", folder)
	_, err := Best(Config{Options: servertest.Options{Settings: map[string]string{"work_mem": "much"}}})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "work_mem": "much"`) {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
