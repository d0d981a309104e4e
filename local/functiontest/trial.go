package functiontest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/rig"
)

// RunTrials has Secrets Manager ask, with each strategy, whether a secret could be rotated (RotateImmediately=false). A
// good one can, without a refused login; a wrong password and a missing administrator are found; and nothing changes.
func RunTrials(t *testing.T, h Harness) {
	for _, by := range strategies() {
		t.Run(by, func(t *testing.T) {
			s := h.direct(t, by)
			counted := s.count(t, 0)
			s.user(t).tries(t, "")
			if _, refused := counted(); s.Logins != nil && refused != 0 {
				t.Errorf("%d logins were refused", refused)
			}
			s.user(t, set("password", "not-the-password")).tries(t, "Rotation.LoginRefused")
			if log := s.function.Log(); !strings.Contains(log, `"rotor":"`+serve.Version+`"`) || !strings.Contains(log, `"Version":"`+serve.Version+`"`) {
				t.Errorf("the version of Rotor is not in the log's first line or in the metrics:\n%s", log)
			}
			if by != "single-user" {
				s.user(t, set("masterarn", "")).tries(t, "Rotation.BadSecret")
			}
		})
	}
}

func set(name, value string) func(secret.Document) secret.Document {
	return func(d secret.Document) secret.Document { return d.With(name, value) }
}

// tries makes a trial, which ends with a class, "" being success, and changes neither the secret nor the user.
func (u *user) tries(t *testing.T, class string) {
	t.Helper()
	labels, values := u.state(t)
	before := len(u.function.Log())
	n, err := u.rig.Try(t.Context(), u.arn, u.function)
	wantTold(t, u.logged(t, before), class)
	if got := rig.ErrorType(err); got != class || class == "" && err != nil {
		t.Errorf("the trial ended with %q, want %q: %v", got, class, err)
	}
	for _, s := range n.Steps {
		if slices.Contains(s.Operations(), "PutSecretValue") || slices.Contains(s.Operations(), "UpdateSecretVersionStage") {
			t.Errorf("the trial asked for %v", s.Operations())
		}
	}
	nowLabels, nowValues := u.state(t)
	for _, label := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
		if nowLabels[label] != labels[label] {
			t.Errorf("the trial moved %s", label)
		}
	}
	if !maps.Equal(nowValues, values) {
		t.Error("the trial wrote to the secret")
	}
	if rights, err := u.Login(t.Context(), u.User.Text("username"), u.User.Text("password")); err != nil || rights != u.rights {
		t.Errorf("after the trial, with the rights\n%s\nwhich were\n%s\n%v", rights, u.rights, err)
	}
}

// logged is what the function has logged of one step since its log had that many bytes. The answer may be here before it.
func (u *user) logged(t *testing.T, before int) string {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		log := u.function.Log()[before:]
		whole := strings.Contains(log, `"message":"step `) && strings.Contains(log, `"CloudWatchMetrics"`) && strings.HasSuffix(log, "\n")
		if whole || time.Since(began) > patience { // the test says what is missing
			return log
		}
	}
}

// wantTold checks that a function's log is JSON, line by line, and tells of a failure of that class once, "" being none.
func wantTold(t *testing.T, log, class string) {
	t.Helper()
	var failures []string
	for line := range strings.Lines(log) {
		var said struct{ Class, ErrorType string }
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Errorf("no JSON: %s", line)
		}
		if c := cmp.Or(said.Class, said.ErrorType); c != "" && !strings.Contains(line, `"CloudWatchMetrics"`) {
			failures = append(failures, c)
		}
	}
	if class == "" && len(failures) > 0 || class != "" && !slices.Equal(failures, []string{class}) {
		t.Errorf("the log tells of %q, want %q once:\n%s", failures, class, log)
	}
}

// state is where the labels of u's secret are, and the values that they are on.
func (u *user) state(t *testing.T) (local.Labels, map[string]string) {
	t.Helper()
	labels, err := u.rig.Labels(t.Context(), u.arn)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for label := range labels {
		values[label] = string(u.value(t.Context(), label).Bytes())
	}
	return labels, values
}
