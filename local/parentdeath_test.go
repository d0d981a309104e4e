package local_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
)

const hostMode = "LOCAL_TEST_HOST"

// runHost starts a function, tells its process id and hangs until it is killed.
func runHost() {
	self, _ := os.Executable()
	f, err := local.StartFunction(local.FunctionConfig{Bootstrap: self, Env: map[string]string{bootstrapMode: "serve"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	pid, err := f.Invoke(context.Background(), []byte("stubborn"))
	fmt.Println(string(pid), err)
	select {}
}

func TestProcessDiesWithAHostThatIsKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can tie a process to its parent")
	}
	host := exec.Command(must(os.Executable())(t))
	host.Env = append(os.Environ(), hostMode+"=1")
	out := must(host.StdoutPipe())(t)
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if err := host.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = host.Wait()
	pid, err := strconv.Atoi(strings.Fields(line + " -")[0])
	if err != nil {
		t.Fatalf("the host said %q", line)
	}
	wantDead(t, pid)
}
