// Package watcher writes how the secrets of a region stand with their rotations as
// metrics, by the same code as rotor status, and a line of the log for each secret that
// somebody must act on. It reads no value.
package watcher

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/seed492efc12/rotor/internal/fleet"
)

// A Watcher looks at one region.
type Watcher struct {
	Place fleet.Place
	Logs  fleet.Logs
	Out   io.Writer // the metrics
	Log   *slog.Logger
	Now   func() time.Time
}

// reserve is how long before the function's time-out the logs are no longer waited
// for, so that what is known is written.
const reserve = 10 * time.Second

// Watch looks once. An error is that the secrets could not be listed, or the metrics
// not be written: then there are none. Where the functions or a log cannot be read, the
// log says so, and the metrics that depend on it are left out.
func (w Watcher) Watch(ctx context.Context) error {
	now := w.Now()
	secrets, unread, err := w.Place.Look(ctx, nil, now)
	if err != nil {
		return err
	}
	s := survey{secrets: secrets, unlisted: unread != nil, now: now}
	if unread != nil {
		w.Log.WarnContext(ctx, "the functions are not known", "cause", unread.Error())
	}
	for _, err := range w.explain(ctx, secrets, now) {
		s.unread++
		w.Log.WarnContext(ctx, "a function's log is not known", "cause", err.Error())
	}
	fleet.Sort(secrets) // the logs have told of more states
	for _, one := range secrets {
		if one.State.Bad() {
			w.Log.WarnContext(ctx, "somebody must act", about(one)...)
		}
	}
	lines, err := s.lines()
	if err != nil {
		return err
	}
	if _, err := w.Out.Write(lines); err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	return nil
}

// explain adds to the secrets what the functions' logs say.
func (w Watcher) explain(ctx context.Context, secrets []fleet.Secret, now time.Time) []error {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-reserve))
		defer cancel()
	}
	return fleet.Explain(ctx, w.Logs, secrets, now)
}

// about is what the log says of a secret; times are UTC.
func about(s fleet.Secret) (fields []any) {
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, name, value)
		}
	}
	date := func(name string, t time.Time) {
		if !t.IsZero() {
			add(name, t.UTC().Format(time.RFC3339))
		}
	}
	add("state", string(s.State))
	add("secret", s.Name)
	add("arn", s.ARN)
	date("since", s.Since)
	date("rotated", s.Rotated)
	date("next", s.Next)
	add("function", s.Function.Name())
	if t := s.Trouble; t != nil {
		add("class", t.Class)
		add("cause", t.Cause)
		add("remedy", t.Remedy)
	}
	return fields
}
