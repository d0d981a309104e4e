package rotation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// An Engine runs rotation steps. Store, Rotator, Clock and Log are required.
type Engine struct {
	Store   Store
	Rotator Rotator
	Clock   Clock
	Log     *slog.Logger
	// Public are fields of secrets, beside the well-known ones such as host and
	// username, that errors and the log may quote. All others are hidden.
	Public []string
	// Observe, if set, is told how each step ended.
	Observe func(Outcome)

	mu      sync.Mutex
	written map[version]bool // those whose values this engine's createSecret wrote
}

// A version is one of a secret's.
type version struct{ secret, token string }

// An Outcome is how a step ended.
type Outcome struct {
	Event    Event
	Err      *Error // nil if the step's effect is in place
	Took     time.Duration
	Attempts int
	Gauges   map[string]float64
	Plan     Plan // what was sent to the target
}

// The limits of the engine's patience. A step ends margin before the context
// does, so that the error is reported and not cut off; of a short time it
// keeps a fifth back.
const (
	firstWait = 200 * time.Millisecond
	lastWait  = 3200 * time.Millisecond
	margin    = time.Second
)

// HandleJSON runs the step that an event in JSON asks for, as [Engine.Handle]
// does. An event that cannot be read ends with class BadEvent.
func (e *Engine) HandleJSON(ctx context.Context, payload []byte) error {
	ev, err := ParseEvent(payload)
	return e.handle(ctx, ev, err)
}

// Handle runs one step. It returns an *[Error], or nil once the step's effect
// is in place, whichever run put it there. It never panics, and neither its
// error nor the log carries a sensitive value of a secret that it read.
func (e *Engine) Handle(ctx context.Context, ev Event) error {
	return e.handle(ctx, ev, ev.validate())
}

func (e *Engine) handle(ctx context.Context, ev Event, invalid error) error {
	ctx, cancel := withMargin(ctx)
	defer cancel()
	r := &run{Engine: e, ev: ev, invalid: invalid, redactor: &redactor{token: ev.RotationToken, public: e.Public}, report: &Report{}}
	log, start := e.Log.With("rotation", ev), e.Clock.Now()
	out := Outcome{Event: ev}
	if err := r.retry(ctx, log, &out.Attempts); err != nil {
		out.Err = newError(ev, err, r.redact)
	}
	out.Took = e.Clock.Now().Sub(start)
	r.tell(ctx, log, &out)
	if e.Observe != nil {
		e.Observe(out)
	}
	if out.Err != nil {
		return out.Err // never a nil *Error in an interface
	}
	return nil
}

// tell logs how the step ended.
func (r *run) tell(ctx context.Context, log *slog.Logger, out *Outcome) {
	said := r.report.take()
	out.Gauges, out.Plan = said.gauges, said.plan
	for _, n := range said.notes {
		log.Log(ctx, n.level, "note", "note", r.redact(n.text))
	}
	if n := len(said.changes); n > 0 {
		log.InfoContext(ctx, "changed", "count", n, "changes", r.redact(listing(said.changes)))
	}
	if e := out.Err; e != nil {
		log.ErrorContext(ctx, "step failed", "class", e.Class, "cause", e.Cause, "remedy", e.Remedy, "durationMs", out.Took.Milliseconds(), "attempts", out.Attempts)
		return
	}
	log.InfoContext(ctx, "step done", "durationMs", out.Took.Milliseconds(), "attempts", out.Attempts)
}

// mostChanges is how many changes one line tells: a new clone of a user with many
// rights has thousands.
const mostChanges = 50

func listing(changes []string) string {
	if n := len(changes) - mostChanges; n > 0 {
		return strings.Join(changes[:mostChanges], "; ") + fmt.Sprintf("; and %d more", n)
	}
	return strings.Join(changes, "; ")
}

// withMargin returns ctx with a deadline that leaves time to report.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	left := time.Until(deadline)
	return context.WithDeadline(ctx, deadline.Add(-min(margin, left/5)))
}

// retry is the only retry loop in the framework. It runs the whole step again,
// which every step allows, and only where a Fault says that this may help.
func (r *run) retry(ctx context.Context, log *slog.Logger, attempts *int) error {
	var failed error // how the attempt before this one ended
	for wait := firstWait; ; wait *= 2 {
		*attempts++
		err := r.safely(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return timedOut(err, failed)
		}
		if !Retryable(err) || wait > lastWait {
			return err
		}
		log.WarnContext(ctx, "step will be retried", "cause", r.redact(err.Error()), "waitMs", wait.Milliseconds())
		if r.Clock.Sleep(ctx, wait) != nil {
			return timedOut(err, nil)
		}
		failed = err
	}
}

// timedOut says that time ran out, and during what. An attempt that was cut off
// knows less than the one before it, if that one failed by itself. A Fault's own
// class is kept where it says more than that time ran out.
func timedOut(err, before error) error {
	for _, cause := range []error{err, before} {
		var f *Fault
		if errors.As(cause, &f) && f.Class != Unreachable && f.Class != StoreUnavailable {
			return cause
		}
	}
	if before != nil {
		err = before
	}
	remedy := Timeout.Remedy()
	if f := (*Fault)(nil); errors.As(err, &f) {
		remedy = cmp.Or(f.Remedy, f.Class.Remedy()) + " " + remedy
	}
	return &Fault{Class: Timeout, Err: fmt.Errorf("the function's time was up before the step was done: %w", err), Remedy: remedy}
}
