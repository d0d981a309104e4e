package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/local/functiontest"
)

// wantNothingSensitive searches text for every password and every RotationToken.
func (w *world) wantNothingSensitive(t *testing.T, text string) {
	t.Helper()
	for _, line := range functiontest.Find(text, append(w.RotationTokens(), w.passwords...)...) {
		t.Errorf("there is a password or a RotationToken in: %s", line)
	}
}

// metrics are the steps of all lines in the embedded metric format in a log.
func metrics(t *testing.T, log string) (steps []string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var m struct {
			Aws *struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace string
					Metrics   []struct{ Name string }
				}
			} `json:"_aws"`
			Step     string
			Duration *float64
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Errorf("a line of the log is not JSON: %s", line)
			continue
		}
		if m.Aws == nil {
			continue
		}
		if m.Aws.Timestamp == 0 || len(m.Aws.CloudWatchMetrics) == 0 || m.Aws.CloudWatchMetrics[0].Namespace == "" || m.Duration == nil {
			t.Errorf("incomplete metrics: %s", line)
		}
		steps = append(steps, m.Step)
	}
	return steps
}
