package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/local"
)

// bootstrap configures this test binary as a function.
func bootstrap(t *testing.T, mode string) local.FunctionConfig {
	t.Helper()
	return local.FunctionConfig{Bootstrap: must(os.Executable())(t), Env: map[string]string{
		bootstrapMode: mode,
		"GORACE":      "atexit_sleep_ms=0", // A race-enabled program otherwise takes a second to exit.
	}}
}

func start(t *testing.T, c local.FunctionConfig) *local.Function {
	t.Helper()
	f := must(local.StartFunction(c))(t)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		wantNoChildren(t)
	})
	return f
}

// wantNoChildren fails if any child process of this one is left.
func wantNoChildren(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	tasks := must(filepath.Glob("/proc/self/task/*/children"))(t)
	for _, task := range tasks {
		if children, err := os.ReadFile(task); err == nil && len(children) > 0 {
			t.Errorf("processes %s are left", children)
		}
	}
}

func wantFunctionError(t *testing.T, err error, errorType, text string) *local.FunctionError {
	t.Helper()
	var f *local.FunctionError
	if !errors.As(err, &f) {
		t.Fatalf("got error %v, want a FunctionError", err)
	}
	if f.Type != errorType || !strings.Contains(f.Message, text) {
		t.Errorf("got %q %q, want %q %q", f.Type, f.Message, errorType, text)
	}
	return f
}

func TestInvokeReturnsWhatTheFunctionAnswersByteForByte(t *testing.T) {
	var log bytes.Buffer
	c := bootstrap(t, "serve")
	c.Log = &log
	f := start(t, c)
	for name, payload := range map[string][]byte{
		"text":      []byte(`{"a": 1}`),
		"empty":     {},
		"not UTF-8": {0xff, 0xfe, 0, 0x80},
		"6 MiB":     bytes.Repeat([]byte("0123456789abcdef"), 6<<20/16),
	} {
		t.Run(name, func(t *testing.T) {
			if got := must(f.Invoke(t.Context(), payload))(t); !bytes.Equal(got, payload) {
				t.Errorf("%d bytes came back as %d", len(payload), len(got))
			}
		})
	}
	if _, err := f.Invoke(t.Context(), make([]byte, 6<<20+1)); err == nil {
		t.Error("an event of more than 6 MiB was taken")
	}
	f.Close()
	if strings.Count(log.String(), "echo on stdout\n") != 4 || strings.Count(log.String(), "echo on stderr\n") != 4 {
		t.Errorf("the log is %q", log.String())
	}
}

func TestProcessGetsLambdaEnvironmentAndHeadersAndNothingOfOurs(t *testing.T) {
	t.Setenv("ROTOR_PARENT_SECRET", "hunter2")
	c := bootstrap(t, "serve")
	c.Name, c.Region, c.Account, c.MemoryMB, c.Timeout = "rotate", "eu-west-1", "111122223333", 256, 5*time.Second
	c.Env["EXTRA"], c.Env["AWS_LAMBDA_LOG_FORMAT"] = "yes", "Text"
	f := start(t, c)
	var facts struct {
		Headers map[string][]string
		Env     []string
	}
	before := time.Now()
	if err := json.Unmarshal(must(f.Invoke(t.Context(), []byte("facts")))(t), &facts); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AWS_LAMBDA_FUNCTION_NAME=rotate", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "_HANDLER=bootstrap", "TZ=:UTC", "AWS_LAMBDA_LOG_FORMAT=Text", "EXTRA=yes",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/rotate", "LAMBDA_TASK_ROOT=" + filepath.Dir(c.Bootstrap),
	} {
		if !slices.Contains(facts.Env, want) {
			t.Errorf("%s is missing from %q", want, facts.Env)
		}
	}
	for _, prefix := range []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_LAMBDA_LOG_STREAM_NAME="} {
		if !slices.ContainsFunc(facts.Env, func(v string) bool { return strings.HasPrefix(v, prefix) }) {
			t.Errorf("%s is missing", prefix)
		}
	}
	if strings.Contains(strings.Join(facts.Env, "\n"), "hunter2") {
		t.Error("our own environment was passed on")
	}
	header := func(name string) string { return strings.Join(facts.Headers[name], "") }
	if header("Lambda-Runtime-Invoked-Function-Arn") != f.ARN() || f.ARN() != "arn:aws:lambda:eu-west-1:111122223333:function:rotate" {
		t.Errorf("ARN is %s", f.ARN())
	}
	deadline := must(strconv.ParseInt(header("Lambda-Runtime-Deadline-Ms"), 10, 64))(t)
	if left := time.UnixMilli(deadline).Sub(before); left < 4*time.Second || left > 6*time.Second {
		t.Errorf("the deadline is %v away", left)
	}
	if len(header("Lambda-Runtime-Aws-Request-Id")) != 36 || !strings.HasPrefix(header("Lambda-Runtime-Trace-Id"), "Root=1-") {
		t.Errorf("headers are %v", facts.Headers)
	}
}

func TestFunctionErrorsKeepTypeMessageAndStackTrace(t *testing.T) {
	f := start(t, bootstrap(t, "serve"))
	_, err := f.Invoke(t.Context(), []byte(`error {"errorMessage":"no route","errorType":"Rotation.Unreachable","stackTrace":null}`))
	if e := wantFunctionError(t, err, "Rotation.Unreachable", "no route"); e.StackTrace != nil {
		t.Errorf("stack trace is %s", e.StackTrace)
	}
	_, err = f.Invoke(t.Context(), []byte("error not JSON \xff"))
	wantFunctionError(t, err, "Header.Type", "not JSON \uFFFD")
	if starts := f.Facts().Starts; starts != 1 {
		t.Errorf("an error cost %d starts", starts-1)
	}
	_, err = f.Invoke(t.Context(), []byte("panic"))
	if e := wantFunctionError(t, err, "string", "boom"); string(e.StackTrace) != `[{"line":7}]` {
		t.Errorf("stack trace is %s", e.StackTrace)
	}
	_, err = f.Invoke(t.Context(), []byte("large"))
	wantFunctionError(t, err, "Function.ResponseSizeTooLarge", "6291456")
	if starts := f.Facts().Starts; starts != 2 {
		t.Errorf("%d starts, want a fresh process after the panic", starts)
	}
}

func TestProcessThatEndsIsReportedAndReplaced(t *testing.T) {
	f := start(t, bootstrap(t, "serve"))
	for i, test := range []struct {
		event, text string
		code        int
	}{
		{"exit", "Runtime exited with error: exit status 5", 5},
		{"exitzero", "Runtime exited without providing a reason", 0},
		{"die", "signal: killed", -1},
	} {
		_, err := f.Invoke(t.Context(), []byte(test.event))
		if e := wantFunctionError(t, err, "Runtime.ExitError", test.text); e.ExitCode != test.code {
			t.Errorf("exit code %d", e.ExitCode)
		}
		if got := string(must(f.Invoke(t.Context(), []byte("hello")))(t)); got != "hello" || f.Facts().Starts != i+2 {
			t.Errorf("after %s: %q, %d starts", test.event, got, f.Facts().Starts)
		}
	}
	must(f.Invoke(t.Context(), []byte("idleexit")))(t)
	if got := string(must(f.Invoke(t.Context(), []byte("hello")))(t)); got != "hello" {
		t.Errorf("after an exit while idle: %q", got)
	}
}

func TestTimeoutKillsTheProcessAndTheNextInvocationGetsAFreshOne(t *testing.T) {
	c := bootstrap(t, "serve")
	c.Timeout = 300 * time.Millisecond
	f := start(t, c)
	begin := time.Now()
	_, err := f.Invoke(t.Context(), []byte("hang"))
	wantFunctionError(t, err, "Sandbox.Timedout", "Task timed out after 0.30 seconds")
	if took := time.Since(begin); took < c.Timeout || took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	wantNoChildren(t)
	if got := string(must(f.Invoke(t.Context(), []byte("hello")))(t)); got != "hello" || f.Facts().Starts != 2 {
		t.Errorf("got %q after %d starts", got, f.Facts().Starts)
	}
}

func TestInvokeEndsWithItsContext(t *testing.T) {
	f := start(t, bootstrap(t, "serve"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, []byte("hang")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Invoke(ctx, []byte("hello")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	must(f.Invoke(t.Context(), []byte("hello")))(t)
}

func TestInvocationsRunOneAtATime(t *testing.T) {
	f := start(t, bootstrap(t, "serve"))
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			want := fmt.Sprint("event ", i)
			if got, err := f.Invoke(t.Context(), []byte(want)); err != nil || string(got) != want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	group.Wait()
	if starts := f.Facts().Starts; starts != 1 {
		t.Errorf("%d starts", starts)
	}
}

func TestRuntimeAPIRefusesWrongRequestsOfTheRuntime(t *testing.T) {
	f := start(t, bootstrap(t, "serve"))
	if got := string(must(f.Invoke(t.Context(), []byte("wrongid")))(t)); got != "400 403" {
		t.Errorf("an unknown id and a second next were answered %s", got)
	}
}

func TestFailedInitialisationIsReportedAndLeavesNothingRunning(t *testing.T) {
	folder := t.TempDir()
	notExecutable := filepath.Join(folder, "bootstrap")
	if err := os.WriteFile(notExecutable, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	silent := bootstrap(t, "silent")
	silent.InitTimeout = 100 * time.Millisecond
	for name, test := range map[string]struct {
		config          local.FunctionConfig
		errorType, text string
	}{
		"missing":        {local.FunctionConfig{Bootstrap: filepath.Join(folder, "none")}, "Runtime.InvalidEntrypoint", "none"},
		"a folder":       {local.FunctionConfig{Bootstrap: folder}, "Runtime.InvalidEntrypoint", ""},
		"not executable": {local.FunctionConfig{Bootstrap: notExecutable}, "Runtime.InvalidEntrypoint", "permission denied"},
		"exits":          {bootstrap(t, "exit"), "Runtime.ExitError", "exit status 3"},
		"init error":     {bootstrap(t, "initerror"), "Rotation.BadConfig", "PASSWORD_LENGTH"},
		"never asks":     {silent, "Sandbox.Timedout", "did not ask for an invocation within 0.10 seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := local.StartFunction(test.config)
			if f != nil {
				t.Error("there is a function all the same")
			}
			wantFunctionError(t, err, test.errorType, test.text)
			wantNoChildren(t)
		})
	}
	for name, c := range map[string]local.FunctionConfig{
		"no bootstrap": {}, "reserved variable": {Bootstrap: "x", Env: map[string]string{"AWS_LAMBDA_RUNTIME_API": "x"}},
	} {
		if _, err := local.StartFunction(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestFactsMeasureStartCPUAndMemory(t *testing.T) {
	f := start(t, bootstrap(t, "slow"))
	idle := f.Facts()
	if idle.Starts != 1 || idle.Init < 50*time.Millisecond || idle.Init > 10*time.Second {
		t.Errorf("facts are %+v", idle)
	}
	for range 20 {
		must(f.Invoke(t.Context(), []byte(strings.Repeat("x", 100000))))(t)
	}
	busy := f.Facts()
	if runtime.GOOS == "linux" && (busy.CPU <= idle.CPU || idle.CPU <= 0 || busy.PeakRSS < 1<<20 || busy.PeakRSS > 1<<30) {
		t.Errorf("facts went from %+v to %+v", idle, busy)
	}
	f.Close()
	if after := f.Facts(); after.CPU < busy.CPU || after.PeakRSS < busy.PeakRSS {
		t.Errorf("after Close the facts are %+v, before %+v", after, busy)
	}
}

func TestEmulatorIsPutBeforeTheBootstrap(t *testing.T) {
	c := bootstrap(t, "")
	c.Emulator = []string{"env", bootstrapMode + "=serve"}
	f := start(t, c)
	if got := string(must(f.Invoke(t.Context(), []byte("hello")))(t)); got != "hello" {
		t.Errorf("got %q", got)
	}
}

func TestCloseKillsTheProcessWithItsChildrenAndEndsInvocations(t *testing.T) {
	f := start(t, bootstrap(t, "serve"))
	child := must(strconv.Atoi(string(must(f.Invoke(t.Context(), []byte("child")))(t))))(t)
	ended := make(chan error)
	go func() {
		_, err := f.Invoke(t.Context(), []byte("hang"))
		ended <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the invocation in progress succeeded")
	}
	if _, err := f.Invoke(t.Context(), nil); err == nil {
		t.Error("a closed function was invoked")
	}
	wantDead(t, child)
}

// wantDead waits a little for a process to end; a zombie that init has not yet taken in is dead.
func wantDead(t *testing.T, pid int) {
	t.Helper()
	for range 200 {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if syscall.Kill(pid, 0) != nil || err != nil || strings.Contains(string(status), "State:\tZ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("process %d is alive", pid)
}

func TestRotationRunsAgainstARealProcess(t *testing.T) {
	functions := new(local.Functions)
	var steps []local.Step
	s := serve(t, local.Options{Invoke: functions, Retries: -1, OnStep: func(step local.Step) { steps = append(steps, step) }})
	f := start(t, bootstrap(t, "serve"))
	functions.Add(f)
	s.create(t, "n", "v")
	in := rotateInput("n", "two", f.ARN())
	must(s.RotateSecret(t.Context(), in))(t)
	// The test bootstrap answers every event and does nothing, so the rotation must not count as done.
	if err := s.Wait(t.Context(), "n", token("two")); err == nil || len(steps) != 4 {
		t.Errorf("ran %d steps: %v", len(steps), err)
	}
	if _, err := s.RotateSecret(t.Context(), rotateInput("n", "two", f.ARN()+"x")); err == nil {
		t.Error("an unknown function was accepted")
	}
}
