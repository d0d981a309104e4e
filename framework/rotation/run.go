package rotation

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/seed492efc12/rotor/framework/secret"
)

// A run is one step under way.
type run struct {
	*Engine
	*redactor
	ev      Event
	invalid error // what is wrong with ev, or nil
	report  *Report
}

// lag is how long the engine gives a value that was just written to show.
const lag = 300 * time.Millisecond

func (r *run) step(ctx context.Context) error {
	if r.invalid != nil {
		return r.invalid
	}
	var status Status
	var v Versions
	reads := []func() error{func() (err error) { status, err = r.Store.Status(ctx, r.ev.SecretID); return err }}
	if r.ev.Step == CreateSecret || r.ev.Step == SetSecret {
		reads = append(reads, func() (err error) { v.Current, err = r.get(ctx, Current, ""); return err })
	}
	if r.ev.Step != CreateSecret {
		reads = append(reads, func() (err error) { v.Pending, err = r.optional(ctx, Pending, r.ev.Token); return err })
	}
	errs := concurrently(reads...)
	if errs[0] != nil {
		return errs[0]
	}
	if todo, err := plan(status, r.ev); err != nil || !todo {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if r.finished(v) {
		return nil
	}
	v.SecretID, v.Version, v.Others, v.Report = r.ev.SecretID, r.ev.Token, others{r}, r.report
	switch r.ev.Step {
	case CreateSecret:
		return r.create(ctx, v)
	case SetSecret:
		return r.set(ctx, v)
	case TestSecret:
		return r.test(ctx, v)
	default:
		return r.finish(ctx, status, v)
	}
}

// finished reports whether another run has moved the label while this one was
// reading: the status was read before, and the current version after that.
func (r *run) finished(v Versions) bool {
	return r.ev.Step == SetSecret && !v.Pending.IsZero() && bytes.Equal(v.Current.Bytes(), v.Pending.Bytes())
}

func (r *run) create(ctx context.Context, v Versions) error {
	next, err := r.Rotator.Next(ctx, v)
	r.hide(next)
	if err != nil {
		return err
	}
	return r.Store.Put(ctx, r.ev, next)
}

func (r *run) set(ctx context.Context, v Versions) error {
	if v.Pending.IsZero() {
		return r.noValue().Again() // createSecret wrote it: the read lags behind
	}
	return r.Rotator.Set(ctx, v)
}

func (r *run) test(ctx context.Context, v Versions) (err error) {
	if v.Pending.IsZero() {
		// Either there is no value because this is a trial, or the read lags.
		if err := r.Clock.Sleep(ctx, lag); err != nil {
			return err
		}
		if v.Pending, err = r.optional(ctx, Pending, r.ev.Token); err != nil {
			return err
		}
	}
	if !v.Pending.IsZero() {
		return r.Rotator.Test(ctx, v)
	}
	if v.Current, err = r.get(ctx, Current, ""); err != nil {
		return err
	}
	return r.Rotator.Preflight(ctx, v)
}

func (r *run) finish(ctx context.Context, status Status, v Versions) error {
	if v.Pending.IsZero() {
		return r.noValue().Again()
	}
	err := r.Store.Promote(ctx, r.ev.SecretID, status.version(Current), r.ev.Token)
	if err == nil {
		return nil
	}
	// Another run may have been first, or the reply was lost.
	if now, statusErr := r.Store.Status(ctx, r.ev.SecretID); statusErr == nil && now.version(Current) == r.ev.Token {
		return nil
	}
	return err
}

func (r *run) noValue() *Fault {
	return Fail(NotReady, "Version %s has no value.", r.ev.Token)
}

// get reads a version of the secret under rotation and hides its values.
func (r *run) get(ctx context.Context, stage, version string) (secret.Document, error) {
	return r.read(ctx, r.ev.SecretID, stage, version)
}

func (r *run) read(ctx context.Context, id, stage, version string) (secret.Document, error) {
	d, err := r.Store.Get(ctx, id, stage, version)
	r.hide(d)
	return d, err
}

// optional is get, but a version that does not exist is an absent document.
func (r *run) optional(ctx context.Context, stage, version string) (secret.Document, error) {
	d, err := r.get(ctx, stage, version)
	if errors.Is(err, ErrNotFound) {
		return secret.Document{}, nil
	}
	return d, err
}

// others implements Others for a run.
type others struct{ r *run }

func (o others) Current(ctx context.Context) (secret.Document, error) {
	return o.r.get(ctx, Current, "")
}

func (o others) Previous(ctx context.Context) (secret.Document, error) {
	return o.r.optional(ctx, Previous, "")
}

func (o others) Lookup(ctx context.Context, id string) (secret.Document, error) {
	return o.r.read(ctx, id, Current, "")
}

func (o others) Tags(ctx context.Context, id string) (map[string]string, error) {
	s, err := o.r.Store.Status(ctx, id)
	return s.Tags, err
}
