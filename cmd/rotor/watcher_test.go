package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/internal/emf/emftest"
	"github.com/seed492efc12/rotor/internal/fleet"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
)

const scheduled = `{"version":"0","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012","region":"eu-west-1","detail":{}}`

// A look is what the built function wrote in one invocation.
type look struct {
	values emftest.Values
	acts   map[string]fleet.State // by the secret's name
	text   string
	err    error
}

// watchOnce invokes the watcher, as deployed, in an account.
func watchOnce(t *testing.T, a *account) look {
	t.Helper()
	var out bytes.Buffer
	f, err := local.StartFunction(local.FunctionConfig{
		Bootstrap: functiontest.Bootstrap(t, "github.com/seed492efc12/rotor/functions/watcher"),
		Name:      "rotor-watcher", Region: "eu-west-1", Timeout: time.Minute, Log: &out,
		Env: map[string]string{"AWS_ENDPOINT_URL": a.url, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, failed := f.Invoke(t.Context(), []byte(scheduled))
	if err := f.Close(); err != nil { // then all is written
		t.Error(err)
	}
	w := look{values: emftest.Values{}, acts: map[string]fleet.State{}, text: out.String(), err: failed}
	for line := range strings.Lines(w.text) {
		some, _, err := emftest.Read([]byte(line))
		if err != nil {
			t.Error(err)
		}
		maps.Copy(w.values, some)
		var l struct{ Message, Msg, State, Secret string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Message+l.Msg == "somebody must act" {
			w.acts[l.Secret] = fleet.State(l.State)
		}
	}
	return w
}

// told are the state of each secret, as the watcher tells it: with the logs, trials
// that failed too.
func (s *stage) told(logs bool) map[string]fleet.State {
	told := maps.Clone(s.states)
	for name := range told {
		if logs && strings.Contains(name, "/trial/") {
			told[name] = fleet.Failed
		}
	}
	return told
}

// theWatcherSaysTheSame compares the metrics and the log with the states that the test
// made.
func theWatcherSaysTheSame(t *testing.T, f *stage, a *account) {
	a.counted()
	w := watchOnce(t, a)
	t.Logf("calls: %v\n%s", a.counted(), w.text[strings.Index(w.text, `{"CertificateDays`):])
	w.isOf(t, f, true)
	if days, told := w.values["CertificateDays"]; !told || days != 0 { // of the servers' certificates, which end in a day
		t.Errorf("the first certificate ends in %v days (%v)", days, told)
	}
	t.Run("throttled", func(t *testing.T) {
		a.spoiling(t, func(_ string, n int) (string, string) {
			if n%3 == 1 {
				return "ThrottlingException", "Rate exceeded"
			}
			return "", ""
		})
		w := watchOnce(t, a)
		if calls := a.counted(); calls["ListSecrets"] < 6 || calls["StartQuery"] < 6 {
			t.Errorf("calls are %v", calls)
		}
		w.isOf(t, f, true)
	})
	denied := func(t *testing.T, operation string) look {
		a.spoiling(t, func(called string, _ int) (string, string) {
			if called == operation {
				return "AccessDeniedException", "not authorized to perform: " + operation
			}
			return "", ""
		})
		return watchOnce(t, a)
	}
	for _, operation := range []string{"StartQuery", "GetQueryResults"} {
		t.Run(operation+" denied", func(t *testing.T) {
			w := denied(t, operation)
			w.isOf(t, f, false)
			for name := range w.values {
				if strings.HasPrefix(name, "CertificateDays") || name == "FailedTrial" {
					t.Errorf("%s was made up", name)
				}
			}
			if n := w.values["LogsUnread"]; n != 4 || strings.Count(w.text, "not authorized to perform: "+operation) != 4 {
				t.Errorf("%v logs were not read: %s", n, w.text)
			}
		})
	}
	t.Run("ListSecrets denied", func(t *testing.T) {
		w := denied(t, "ListSecrets")
		if w.err == nil || !strings.Contains(w.err.Error(), "listing the secrets: ") || len(w.values) > 0 {
			t.Errorf("%v, %v", w.err, w.values)
		}
	})
	for _, p := range f.passwords {
		if strings.Contains(w.text, p) {
			t.Error("the watcher wrote a password")
		}
	}
}

// isOf compares what was written with the secrets' states.
func (w look) isOf(t *testing.T, f *stage, logs bool) {
	t.Helper()
	if w.err != nil {
		t.Error(w.err)
	}
	want := emftest.Values{"Secrets": float64(len(f.states)), "Stuck": 0, "FunctionGone": 0, "Overdue": 0, "Never": 0, "SwitchedOff": 0, "OldestRotationDays": 40}
	if logs {
		want["LogsUnread"], want["FailedTrial"] = 0, 0
	}
	metric := map[fleet.State]string{fleet.Stuck: "Stuck", fleet.Gone: "FunctionGone", fleet.Failed: "FailedTrial", fleet.Overdue: "Overdue", fleet.Never: "Never", fleet.Off: "SwitchedOff"}
	for name, state := range f.told(logs) {
		if state.Bad() != (w.acts[name] == state) || !state.Bad() && w.acts[name] != "" {
			t.Errorf("%s is %q, and the log says %q", name, state, w.acts[name])
		}
		if state.Bad() {
			want[metric[state]]++
		}
		if engine, _, _ := strings.Cut(name, "/"); state == fleet.Stuck {
			want[fmt.Sprintf("Stuck Function=rotor-%s", engine)]++
		}
	}
	for _, engine := range []string{"postgres", "mysql", "documentdb"} {
		want["OldestRotationDays Function=rotor-"+engine] = 40
		want["OldestRotationDays Function=old-"+engine] = 10
		want["Stuck Function=old-"+engine] = 0
	}
	for name, n := range want {
		if got, told := w.values[name]; !told || got != n {
			t.Errorf("%s is %v (%v), want %v", name, got, told, n)
		}
	}
}
