package serve

import (
	"io"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/emf"
)

// metrics writes one line for each step in the embedded metric format, which
// CloudWatch turns into metrics.
type metrics struct {
	engine string
	out    io.Writer
	now    func() time.Time
}

// observe writes the line of one outcome.
func (m metrics) observe(o rotation.Outcome) {
	fields := map[string]any{
		"Engine":  m.engine,
		"Version": Version,
		"Step":    string(o.Event.Step),
		"Secret":  o.Event.SecretID,
	}
	dimensions := [][]string{{"Engine"}, {"Engine", "Step"}}
	failures := emf.Metric{Name: "Failures", Unit: "Count"}
	if o.Err != nil {
		failures.Value, fields["Class"] = 1, string(o.Err.Class)
		dimensions = append(dimensions, []string{"Engine", "Class"})
	}
	all := []emf.Metric{
		{Name: "Duration", Unit: "Milliseconds", Value: float64(o.Took.Microseconds()) / 1000},
		{Name: "Attempts", Unit: "Count", Value: float64(o.Attempts)},
		failures,
	}
	for name, value := range o.Gauges {
		all = append(all, emf.Metric{Name: name, Unit: "None", Value: value})
	}
	line, err := emf.Line(m.now(), dimensions, fields, all)
	if err != nil {
		return // a gauge that is no number; the step's outcome is in the log
	}
	_, _ = m.out.Write(line)
}
