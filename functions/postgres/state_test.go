package main_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// A state is a secret at one time, to see later what has changed.
type state struct {
	arn      string
	value    string
	labels   local.Labels
	requests int // made so far
}

func (w *world) state(t *testing.T, arn string) state {
	t.Helper()
	labels, err := w.Labels(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	value, _ := w.Value(t.Context(), arn, "AWSCURRENT") // a binary one is empty here, and its label tells
	w.mu.Lock()
	defer w.mu.Unlock()
	return state{arn, value, labels, len(w.requests)}
}

// writes are the operations since a state that could have changed a secret's versions.
func (w *world) writes(since state) (operations []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, q := range w.requests[since.requests:] {
		if q.Operation == "PutSecretValue" || q.Operation == "UpdateSecretVersionStage" {
			operations = append(operations, q.Operation)
		}
	}
	return operations
}

// wantUnwritten fails if anything was written since a state.
func (w *world) wantUnwritten(t *testing.T, before state) {
	t.Helper()
	w.wantKept(t, before)
	if writes := w.writes(before); len(writes) > 0 {
		t.Errorf("written: %v", writes)
	}
}

// wantKept fails if AWSCURRENT or AWSPREVIOUS have changed.
func (w *world) wantKept(t *testing.T, before state) {
	t.Helper()
	now := w.state(t, before.arn)
	for _, stage := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
		if now.labels[stage] != before.labels[stage] {
			t.Errorf("%s has moved", stage)
		}
	}
	if now.value != before.value {
		t.Error("the value of AWSCURRENT has changed")
	}
}

// A failure is how a rotation must end.
type failure struct {
	class string // the Lambda error type
	says  string // a part of the message
	// put says that createSecret is done before it fails: a pending version is there, which nobody uses.
	put bool
}

// wantRefused rotates a secret, which must fail and leave everything as it was.
func (w *world) wantRefused(t *testing.T, arn string, f *rig.Function, want failure) rig.Rotation {
	t.Helper()
	before := w.state(t, arn)
	n, err := w.Rotate(t.Context(), arn, f)
	w.wantFailure(t, err, want)
	w.wantKept(t, before)
	var writes []string
	if want.put {
		writes = []string{"PutSecretValue"}
	}
	if got := w.writes(before); !slices.Equal(got, writes) {
		t.Errorf("written: %v, want %v", got, writes)
	}
	return n
}

// wantFailure checks an error that the function returned.
func (w *world) wantFailure(t *testing.T, err error, want failure) {
	t.Helper()
	if err == nil {
		t.Fatal("it succeeded")
	}
	if got := rig.ErrorType(err); got != want.class {
		t.Errorf("error type %q, want %q", got, want.class)
	}
	if !strings.Contains(err.Error(), want.says) {
		t.Errorf("the message does not say %q", want.says)
	}
	w.wantNothingSensitive(t, err.Error())
	t.Log(err)
}
