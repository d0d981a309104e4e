package rotation

import (
	"fmt"
	"log/slog"
	"sync"
)

// A Report collects what a step has to say besides its error. A nil *Report
// drops it. It is safe for concurrent use.
type Report struct {
	mu        sync.Mutex
	rehearsal bool
	reported
}

// Rehearsal is the Report of a step that is to change nothing: it goes the whole
// way of a real one, asks the target what that one asks, and holds back what would
// change it.
func Rehearsal() *Report { return &Report{rehearsal: true} }

// Rehearses reports whether the step is to change nothing.
func (r *Report) Rehearses() bool { return r != nil && r.rehearsal }

// Sends is asked for leave to send what changes the target, immediately before it
// is sent. The statement has no password in it, nor what is made of one, nor
// anything made at random: a rehearsal and the real step say the same. False is a
// rehearsal's answer: the caller does not send it, and goes on as though it had,
// and had succeeded.
func (r *Report) Sends(statement string) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan.Statements = append(r.plan.Statements, statement)
	return !r.rehearsal
}

// Rights says which rights the user gains and loses by what is sent.
func (r *Report) Rights(gains, loses []string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan.Gains, r.plan.Loses = gains, loses
}

// For says who gets the next credential.
func (r *Report) For(user string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan.User = user
}

// Plan is what was sent so far, or would have been.
func (r *Report) Plan() Plan {
	if r == nil {
		return Plan{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plan
}

// reported is what a Report has collected.
type reported struct {
	notes   []note
	changes []string
	gauges  map[string]float64
	plan    Plan
}

// A Plan is what a step sends to the target to change it, or would send.
type Plan struct {
	// User is who gets the next credential.
	User string `json:"user,omitempty"`
	// Statements are in the order in which they are sent, each as it is but for the
	// credentials in it.
	Statements []string `json:"statements,omitempty"`
	// Gains and Loses are rights that the user gains and loses by them.
	Gains []string `json:"gains,omitempty"`
	Loses []string `json:"loses,omitempty"`
}

type note struct {
	level slog.Level
	text  string
}

// Notef adds a line to the step's log, as a warning: somebody should do something.
func (r *Report) Notef(format string, args ...any) { r.note(slog.LevelWarn, format, args) }

// Remarkf adds a line to the step's log, as information: it is so, and nobody can
// do anything about it.
func (r *Report) Remarkf(format string, args ...any) { r.note(slog.LevelInfo, format, args) }

func (r *Report) note(level slog.Level, format string, args []any) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, note{level, fmt.Sprintf(format, args...)})
}

// Changed adds what the step has changed in the target besides the credential,
// such as a statement without a password. All of a step's changes are one line of
// its log: whoever wonders later who revoked something finds it there.
func (r *Report) Changed(what string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, what)
}

// Gauge adds a number to the step's metrics. A later value of the same name
// replaces an earlier one.
func (r *Report) Gauge(name string, value float64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gauges == nil {
		r.gauges = map[string]float64{}
	}
	r.gauges[name] = value
}

// take returns what was collected, and keeps none of it: a client library may
// still be closing a connection, and report on that.
func (r *Report) take() (all reported) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, r.reported = r.reported, reported{}
	return all
}
