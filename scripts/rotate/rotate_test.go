package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

func TestTheSAMCLIsOutputTellsErrors(t *testing.T) {
	if err := answer([]byte(" null\n"), nil); err != nil {
		t.Error(err)
	}
	var failure *local.FunctionError
	err := answer([]byte(`{"errorType":"Rotation.TLS","errorMessage":"m"}`), nil)
	if !errors.As(err, &failure) || failure.Type != "Rotation.TLS" || failure.Message != "m" {
		t.Errorf("got %v", err)
	}
	for _, out := range []string{"", "{}", "Runtime exited", `"null"`} {
		if answer([]byte(out), nil) == nil {
			t.Errorf("%q passed for success", out)
		}
	}
}

func TestAnExecutableForNoKnownMachineIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := emulator(path); err == nil {
		t.Error("a script passed for a function")
	}
}

func TestWithoutAServerOnlyUnreachableIsRight(t *testing.T) {
	dist := t.TempDir()
	loopback := host{start: process{dist: dist}.start, listen: "127.0.0.1", address: "127.0.0.1"}
	for _, engine := range []string{"postgres", "mysql"} { // the second gets the first's function, which refuses its secret
		if _, err := rig.Build(t.Context(), "github.com/seed492efc12/rotor/functions/postgres", filepath.Join(dist, engine)); err != nil {
			t.Fatal(err)
		}
		err := task{host: loopback, engine: engine, strategy: "single-user"}.unreachable(t.Context())
		if right := err == nil; right != (engine == "postgres") {
			t.Errorf("%s: got %v", engine, err)
		}
	}
}

func TestARotationCountsOnlyIfItsPasswordLogsIn(t *testing.T) {
	dist := t.TempDir()
	if _, err := rig.Build(t.Context(), "github.com/seed492efc12/rotor/functions/redshift", filepath.Join(dist, "redshift")); err != nil {
		t.Fatal(err)
	}
	server, err := redshifttest.Example(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close(context.Background())
	user, err := server.User(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	far := host{start: process{dist: dist}.start, listen: "127.0.0.1", address: "localhost"} // by way of a forwarder
	rotation := task{host: far, engine: "redshift", strategy: "alternating-users", times: 2, server: server, user: user}
	first := user["password"]
	if err := rotation.rotate(t.Context()); err != nil {
		t.Error(err)
	}
	if user["username"] != "app" || user["password"] == first {
		t.Errorf("two rotations ended with %v, or with its first password", user["username"])
	}
	if rotation.user, err = server.User(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("refused")
	server.Login = func(context.Context, map[string]any) error { return refusal }
	if err := rotation.rotate(t.Context()); !errors.Is(err, refusal) {
		t.Errorf("a password that is refused passed: %v", err)
	}
}

func TestAPasswordInTheLogIsSeen(t *testing.T) {
	accepted := func(context.Context, map[string]any) error { return nil }
	rotation := task{user: map[string]any{"password": "old"}, server: &servertest.Example{Login: accepted}}
	for log, seen := range map[string]bool{"all is well": false, "it was old": true, "it is new": true} {
		if err := rotation.check(t.Context(), map[string]any{"password": "new"}, log); (err != nil) != seen {
			t.Errorf("%q: got %v", log, err)
		}
	}
	if rotation.check(t.Context(), map[string]any{"password": "old"}, "") == nil {
		t.Error("an unchanged password passed")
	}
}
