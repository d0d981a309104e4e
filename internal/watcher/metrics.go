package watcher

import (
	"maps"
	"slices"
	"time"

	"github.com/seed492efc12/rotor/internal/emf"
	"github.com/seed492efc12/rotor/internal/fleet"
)

// A survey is what is known of a region.
type survey struct {
	secrets  []fleet.Secret
	unlisted bool // the functions are not known
	unread   int  // of how many functions the log is not known
	now      time.Time
}

// counts are the metrics that say how many secrets are in a state: in each for which
// somebody must act.
var counts = []struct {
	state fleet.State
	name  string
}{
	{fleet.Stuck, "Stuck"},
	{fleet.Gone, "FunctionGone"},
	{fleet.Failed, "FailedTrial"},
	{fleet.Overdue, "Overdue"},
	{fleet.Never, "Never"},
	{fleet.Off, "SwitchedOff"},
}

// lines are the metrics: a line of the whole region, without a dimension, and one of
// each rotation function, which has those alone that alarms are made of: CloudWatch
// keeps, and AWS charges for, each metric of each function.
func (s survey) lines() ([]byte, error) {
	metrics, fields := s.ages(s.secrets)
	metrics = append(metrics, emf.Metric{Name: "Secrets", Unit: "Count", Value: float64(len(s.secrets))},
		emf.Metric{Name: "LogsUnread", Unit: "Count", Value: float64(s.unread)})
	for _, c := range counts {
		if n := number(s.secrets, c.state); n > 0 || s.knows(c.state) {
			metrics = append(metrics, emf.Metric{Name: c.name, Unit: "Count", Value: n})
		}
	}
	all, err := emf.Line(s.now, [][]string{{}}, fields, metrics)
	if err != nil {
		return nil, err
	}
	of := map[string][]fleet.Secret{}
	for _, one := range s.secrets {
		if name := one.Function.Name(); name != "" {
			of[name] = append(of[name], one)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		metrics, fields := s.ages(of[name])
		fields["Function"] = name
		metrics = append(metrics, emf.Metric{Name: "Stuck", Unit: "Count", Value: number(of[name], fleet.Stuck)})
		line, err := emf.Line(s.now, [][]string{{"Function"}}, fields, metrics)
		if err != nil {
			return nil, err
		}
		all = append(all, line...)
	}
	return all, nil
}

// knows reports whether no secret in a state means that there is none.
func (s survey) knows(state fleet.State) bool {
	switch state {
	case fleet.Gone:
		return !s.unlisted
	case fleet.Failed:
		return !s.unlisted && s.unread == 0
	}
	return true
}

func number(secrets []fleet.Secret, state fleet.State) (n float64) {
	for _, s := range secrets {
		if s.State == state {
			n++
		}
	}
	return n
}

// ages are how long ago the oldest rotation ended well, of the secrets whose rotation
// is on, and when the first certificate ends, both in whole days, and the names of the
// two secrets. What is not known is left out.
func (s survey) ages(secrets []fleet.Secret) (metrics []emf.Metric, fields map[string]any) {
	fields = map[string]any{}
	var oldest, first fleet.Secret
	for _, one := range secrets {
		if rotates(one) && !one.Rotated.IsZero() && (oldest.Rotated.IsZero() || one.Rotated.Before(oldest.Rotated)) {
			oldest = one
		}
		if c := one.Certificate; !c.IsZero() && (first.Certificate.IsZero() || c.Before(first.Certificate)) {
			first = one
		}
	}
	if n := fleet.Days(oldest.Rotated, s.now); n != nil {
		metrics = append(metrics, emf.Metric{Name: "OldestRotationDays", Unit: "None", Value: float64(*n)})
		fields["OldestRotationSecret"] = oldest.Name
	}
	if n := fleet.Days(s.now, first.Certificate); n != nil {
		metrics = append(metrics, emf.Metric{Name: "CertificateDays", Unit: "None", Value: float64(*n)})
		fields["CertificateSecret"] = first.Name
	}
	return metrics, fields
}

// rotates reports whether a function rotates the secret by itself.
func rotates(s fleet.Secret) bool {
	return s.Function.ARN != "" && !slices.Contains([]fleet.State{fleet.Off, fleet.ByAService, fleet.Replica}, s.State)
}
