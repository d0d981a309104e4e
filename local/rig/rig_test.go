package rig_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// build builds the tests' function, once, beside the test binary: go test removes both.
var build = sync.OnceValues(func() (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	return rig.Build(context.Background(), "./testdata/rotate", binary+".function")
})

// open starts the tests' function.
func open(t *testing.T, o local.Options) (*rig.Rig, *rig.Function) {
	t.Helper()
	bootstrap, err := build()
	if err != nil {
		t.Fatal(err)
	}
	r, err := rig.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	f, err := r.Start(local.FunctionConfig{Bootstrap: bootstrap})
	if err != nil {
		t.Fatal(err)
	}
	return r, f
}

func TestARotationIsToldStepByStep(t *testing.T) {
	delay := func(string, int) *local.Fault { return &local.Fault{Delay: 200 * time.Millisecond} }
	r, f := open(t, local.Options{Intercept: delay})
	arn, err := r.CreateSecret(t.Context(), "counter", `{"n":"1"}`)
	if err != nil {
		t.Fatal(err)
	}
	cold, err := r.Rotate(t.Context(), "counter", f)
	if err != nil {
		t.Fatal(err)
	}
	warm, err := r.Rotate(t.Context(), arn, f)
	if err != nil {
		t.Fatal(err)
	}
	if cold.NewConnections == 0 || warm.NewConnections != 0 {
		t.Errorf("%d new connections cold, %d warm; want some and none", cold.NewConnections, warm.NewConnections)
	}
	var names []string
	for _, s := range warm.Steps {
		names = append(names, s.Name)
	}
	if want := []string{"createSecret", "setSecret", "testSecret", "finishSecret"}; !slices.Equal(names, want) {
		t.Errorf("steps are %v", names)
	}
	set := warm.Steps[1]
	if want := []string{"DescribeSecret", "GetSecretValue", "GetSecretValue"}; !slices.Equal(slices.Sorted(slices.Values(set.Operations())), want) {
		t.Errorf("setSecret calls %v", set.Operations())
	}
	if set.Concurrent() != 3 || warm.Calls() != 11 {
		t.Errorf("%d concurrent calls, %d in all; want 3 and 11", set.Concurrent(), warm.Calls())
	}
	if warm.Labels["AWSCURRENT"] != warm.Token || warm.Labels["AWSPENDING"] != "" {
		t.Errorf("labels are %v", warm.Labels)
	}
	if len(r.RotationTokens()) != 2 || !strings.Contains(f.Log(), "counting") {
		t.Errorf("%d RotationTokens, log %q", len(r.RotationTokens()), f.Log())
	}
	value, err := r.Value(t.Context(), arn, "AWSCURRENT")
	if err != nil || value != `{"n":"3"}` {
		t.Errorf("value %s, %v", value, err)
	}
}

func TestAFailureNamesItsType(t *testing.T) {
	r, f := open(t, local.Options{Retries: -1})
	arn, err := r.CreateSecret(t.Context(), "counter", `{"n":"many"}`)
	if err != nil {
		t.Fatal(err)
	}
	failed, err := r.Rotate(t.Context(), arn, f)
	if rig.ErrorType(err) != "Rotation.BadSecret" || len(failed.Steps) != 1 {
		t.Errorf("got %v after %d steps", err, len(failed.Steps))
	}
	if _, err := rig.Build(t.Context(), "./testdata/nothing", t.TempDir()); err == nil {
		t.Error("a package that does not exist was built")
	}
}

func TestATrialRunsTestSecretOnly(t *testing.T) {
	r, f := open(t, local.Options{})
	arn, err := r.CreateSecret(t.Context(), "counter", `{"n":"1"}`)
	if err != nil {
		t.Fatal(err)
	}
	trial, err := r.Try(t.Context(), arn, f)
	if err != nil || len(trial.Steps) != 1 || trial.Steps[0].Name != "testSecret" {
		t.Errorf("got %v, %v", trial.Steps, err)
	}
}

func TestARestartIsAColdStart(t *testing.T) {
	r, f := open(t, local.Options{})
	arn, err := r.CreateSecret(t.Context(), "counter", `{"n":"1"}`)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Restart(); err != nil {
			t.Fatal(err)
		}
		if n, err := r.Rotate(t.Context(), arn, f); err != nil || n.NewConnections == 0 {
			t.Errorf("%d new connections, %v", n.NewConnections, err)
		}
	}
}
