// Package emftest reads the embedded metric format as CloudWatch is documented to, and
// refuses what it would.
// Source: CloudWatch user guide, "Specification: Embedded metric format", with its
// schema.
package emftest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The specification's limits.
const (
	mostMetrics    = 100
	mostDimensions = 30
	longestValue   = 1024 // of a dimension, in characters
)

var unit = regexp.MustCompile(`^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Percent|Count|Count/Second|None)$`)

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []struct{ Name, Unit string }
}

// Values are metrics' values: by "Stuck" for one without dimensions, by
// "Stuck Function=f" for one with.
type Values map[string]float64

// Read returns the metrics of a line of the log, and the line's members. A line that is
// no such format has none.
func Read(line []byte) (Values, map[string]any, error) {
	var members map[string]any
	if json.Unmarshal(line, &members) != nil || members["_aws"] == nil {
		return nil, nil, nil
	}
	var meta struct {
		Timestamp         *int64
		CloudWatchMetrics []directive
	}
	raw, err := json.Marshal(members["_aws"])
	if err != nil {
		return nil, nil, err
	}
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&meta); err != nil {
		return nil, nil, err
	}
	if meta.Timestamp == nil || *meta.Timestamp < 1e11 {
		return nil, nil, errors.New("there is no Timestamp in milliseconds")
	}
	all := Values{}
	for _, d := range meta.CloudWatchMetrics {
		if err := d.read(members, all); err != nil {
			return nil, nil, fmt.Errorf("%w in %s", err, line)
		}
	}
	return all, members, nil
}

func (d directive) read(members map[string]any, all Values) error {
	if d.Namespace == "" || len(d.Dimensions) == 0 || len(d.Metrics) > mostMetrics {
		return fmt.Errorf("the namespace is %q, sets of dimensions are %d, metrics %d", d.Namespace, len(d.Dimensions), len(d.Metrics))
	}
	for _, set := range d.Dimensions {
		if set == nil || len(set) > mostDimensions {
			return fmt.Errorf("the dimensions are %v", set)
		}
		suffix := ""
		for _, name := range set {
			value, ok := members[name].(string)
			if !ok || strings.TrimSpace(value) == "" || len(value) > longestValue {
				return fmt.Errorf("the dimension %s is %v", name, members[name])
			}
			suffix += " " + name + "=" + value
		}
		for _, m := range d.Metrics {
			value, ok := members[m.Name].(float64)
			_, twice := all[m.Name+suffix]
			if !ok || twice || !unit.MatchString(m.Unit) {
				return fmt.Errorf("the metric %s is %v, its unit %q, said twice: %v", m.Name, members[m.Name], m.Unit, twice)
			}
			all[m.Name+suffix] = value
		}
	}
	return nil
}
