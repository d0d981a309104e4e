package main_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// wantNothingSensitive searches text for every password and every RotationToken.
func (w *world) wantNothingSensitive(t *testing.T, text string) {
	t.Helper()
	for _, secret := range append(w.passwords, w.RotationTokens()...) {
		for _, form := range forms(t, secret) {
			for line := range strings.Lines(text) {
				if strings.Contains(line, form) {
					t.Errorf("there is a password or a RotationToken in: %s", strings.ReplaceAll(line, form, "[HERE]"))
				}
			}
		}
	}
}

// forms are the ways to write a text: as it is, in JSON, with and without the care for HTML, in SQL, and in a URL.
func forms(t *testing.T, text string) []string {
	t.Helper()
	escaped := strings.Trim(string(must(json.Marshal(text))(t)), `"`)
	plain := strings.NewReplacer(`\u003c`, `<`, `\u003e`, `>`, `\u0026`, `&`).Replace(escaped)
	return []string{text, escaped, plain, strings.ReplaceAll(text, `'`, `''`), url.QueryEscape(text), url.PathEscape(text)}
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
