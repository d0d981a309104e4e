package main_test

import (
	"testing"

	"github.com/seed492efc12/rotor/local/functiontest"
)

// wantNothingSensitive searches text for every password and every RotationToken.
func (w *world) wantNothingSensitive(t *testing.T, text string) {
	t.Helper()
	for _, line := range functiontest.Find(text, append(w.RotationTokens(), w.passwords...)...) {
		t.Errorf("there is a password or a RotationToken in: %s", line)
	}
}
