package serve

import (
	"encoding/json"
	"io"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// namespace is where CloudWatch keeps the metrics.
const namespace = "Rotor"

// metrics writes one line for each step in the embedded metric format, which
// CloudWatch turns into metrics.
// Source: CloudWatch user guide, "Specification: Embedded metric format".
type metrics struct {
	engine string
	out    io.Writer
	now    func() time.Time
}

type metric struct {
	Name string
	Unit string
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

// observe writes the line of one outcome.
func (m metrics) observe(o rotation.Outcome) {
	line := map[string]any{
		"Engine":   m.engine,
		"Version":  Version,
		"Step":     string(o.Event.Step),
		"Secret":   o.Event.SecretID,
		"Duration": float64(o.Took.Microseconds()) / 1000,
		"Attempts": o.Attempts,
		"Failures": 0,
	}
	all := []metric{{"Duration", "Milliseconds"}, {"Attempts", "Count"}, {"Failures", "Count"}}
	dimensions := [][]string{{"Engine"}, {"Engine", "Step"}}
	if o.Err != nil {
		line["Failures"], line["Class"] = 1, string(o.Err.Class)
		dimensions = append(dimensions, []string{"Engine", "Class"})
	}
	for name, value := range o.Gauges {
		line[name] = value
		all = append(all, metric{name, "None"})
	}
	line["_aws"] = map[string]any{
		"Timestamp":         m.now().UnixMilli(),
		"CloudWatchMetrics": []directive{{namespace, dimensions, all}},
	}
	text, err := json.Marshal(line)
	if err != nil {
		return // a gauge that is no number; the step's outcome is in the log
	}
	_, _ = m.out.Write(append(text, '\n'))
}
