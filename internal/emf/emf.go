// Package emf writes CloudWatch's embedded metric format: lines of a log that
// CloudWatch makes metrics of, in the namespace Rotor.
// Source: CloudWatch user guide, "Specification: Embedded metric format".
package emf

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// namespace is where CloudWatch keeps the metrics.
const namespace = "Rotor"

// A Metric is one value. Unit is one of CloudWatch's, such as Count, Milliseconds or
// None.
type Metric struct {
	Name  string
	Unit  string
	Value float64 `json:"-"` // a member of the line
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []Metric
}

// Line is one line, with its end. Each metric is kept once for each set of dimensions;
// an empty set is the metric without any. Fields are what else the line says; the
// dimensions' values, which are strings, are among them. A value that is no number is
// an error.
func Line(now time.Time, dimensions [][]string, fields map[string]any, metrics []Metric) ([]byte, error) {
	line := maps.Clone(fields)
	for _, m := range metrics {
		line[m.Name] = m.Value
	}
	line["_aws"] = map[string]any{
		"Timestamp":         now.UnixMilli(),
		"CloudWatchMetrics": []directive{{namespace, dimensions, metrics}},
	}
	text, err := json.Marshal(line)
	if err != nil {
		return nil, fmt.Errorf("writing metrics: %w", err)
	}
	return append(text, '\n'), nil
}
