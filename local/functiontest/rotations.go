package functiontest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/local/rig"
)

// A cost is what a healthy rotation takes by a strategy.
type cost struct {
	calls  int // of Secrets Manager, at most
	logins int
}

// atOnce is how many requests to Secrets Manager are made at one time, at most: connections are kept.
const atOnce = 3

// costs are those of the nth rotation. Where the server has no place for a mark, the password in AWSPREVIOUS proves whose
// the other user is, but for the first, which finds no clone.
func (h Harness) costs(by string, n int) cost {
	switch by {
	case alternating:
		if h.Unmarked && n > 0 {
			return cost{14, 6}
		}
		return cost{13, 5}
	case "single-user":
		return cost{11, 3}
	default:
		return cost{12, 4}
	}
}

// RunRotations rotates users three times in a row with each strategy, straight on the server. It checks what that
// costs, that no login is refused, that the passwords work which are to work and no others, and that none is seen.
func RunRotations(t *testing.T, h Harness) {
	for _, by := range strategies() {
		t.Run(by, func(t *testing.T) { h.rotations(t, by) })
	}
}

func (h Harness) rotations(t *testing.T, by string) {
	s := h.direct(t, by)
	u := s.user(t)
	since := s.listen()
	history := []secret.Document{u.value(t.Context(), "AWSCURRENT")}
	connections := 0
	for n := range 3 {
		want := h.costs(by, n)
		counted := s.count(t, want.logins)
		done, err := s.rig.Rotate(t.Context(), u.arn, s.function)
		if err != nil {
			t.Fatalf("%v\n%s", err, s.function.Log())
		}
		wantCalls(t, done, want.calls)
		connections += done.NewConnections
		if accepted, refused := counted(); accepted != want.logins || refused != 0 {
			t.Errorf("%d logins and %d refused, want %d and 0", accepted, refused, want.logins)
		}
		history = append(history, u.value(t.Context(), "AWSCURRENT"))
		u.wantTurn(t, history)
	}
	if connections > atOnce {
		t.Errorf("%d connections to Secrets Manager: at most %d requests are made at one time", connections, atOnce)
	}
	u.wantUnseen(t, map[string]string{"the function's output": s.function.Log(), "the server's log": since()}, passwords(history)...)
	if h.Told != nil {
		h.Told(t, by, s.function.Log())
	}
	if got, want := metrics(t, s.function.Log()), slices.Repeat(steps(), 3); !slices.Equal(got, want) {
		t.Errorf("metrics of the steps %v", got)
	}
}

// count begins to count logins; without a log of the server's it says what is wanted.
func (s *stage) count(t *testing.T, want int) func() (accepted, refused int) {
	t.Helper()
	if s.Logins == nil {
		t.Logf("not covered: the log of %s is out of reach", s.Server)
		return func() (int, int) { return want, 0 }
	}
	return s.Logins()
}

// wantCalls checks what a rotation asked of Secrets Manager.
func wantCalls(t *testing.T, n rig.Rotation, most int) {
	t.Helper()
	if n.Calls() > most {
		t.Errorf("%d calls of Secrets Manager, want at most %d", n.Calls(), most)
	}
	var names []string
	for _, s := range n.Steps {
		names = append(names, s.Name)
		for _, q := range s.Requests {
			if q.RotationToken != (q.Operation == "PutSecretValue") {
				t.Errorf("%s with RotationToken: %v", q.Operation, q.RotationToken)
			}
		}
	}
	if !slices.Equal(names, steps()) {
		t.Errorf("the steps were %v", names)
	}
}

// wantTurn checks which of the values that a secret has had log in: the last one and, where users alternate or their
// passwords overlap, the one before it.
func (u *user) wantTurn(t *testing.T, history []secret.Document) {
	t.Helper()
	for i, d := range history {
		age := len(history) - 1 - i
		valid := age == 0 || age == 1 && (u.by == alternating || slices.Contains(u.Overlaps, u.by))
		rights, err := u.Login(t.Context(), d.Text("username"), d.Text("password"))
		switch {
		case valid && err != nil:
			t.Errorf("the password of %d rotations ago does not work: %v", age, err)
		case valid && rights != u.rights:
			t.Errorf("with the password of %d rotations ago the rights are\n%s\nand were\n%s", age, rights, u.rights)
		case !valid && err == nil:
			t.Errorf("the password of %d rotations ago still works", age)
		case !valid && !u.Refused(err):
			t.Errorf("the password of %d rotations ago is not refused: %v", age, err)
		}
	}
}

func passwords(history []secret.Document) (all []string) {
	for _, d := range history {
		all = append(all, d.Text("password"))
	}
	return all
}

// metrics are the steps of all lines in the embedded metric format in a log, each line of which is JSON.
func metrics(t *testing.T, log string) (steps []string) {
	t.Helper()
	for line := range strings.Lines(log) {
		step, err := metric(line)
		if err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if step != "" {
			steps = append(steps, step)
		}
	}
	return steps
}

// metric is the step that a line of the log measures, "" if it measures none.
func metric(line string) (step string, err error) {
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
	if json.Unmarshal([]byte(line), &m) != nil {
		return "", errors.New("a line of the log is not JSON")
	}
	if m.Aws == nil {
		return "", nil
	}
	if m.Aws.Timestamp == 0 || len(m.Aws.CloudWatchMetrics) == 0 || m.Aws.CloudWatchMetrics[0].Namespace == "" || m.Duration == nil {
		return m.Step, errors.New("incomplete metrics")
	}
	return m.Step, nil
}
