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
	if r.ev.Step == CreateSecret || r.ev.Step == SetSecret || r.ev.Step == TestSecret && !r.hasWritten(r.ev) {
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
	v.SecretID, v.Version, v.CurrentVersion, v.Others, v.Report = r.ev.SecretID, r.ev.Token, status.version(Current), others{r}, r.report
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

// same reports whether AWSPENDING's value is AWSCURRENT's. If finished, that is so
// because another run has moved the label since the status was read.
func (r *run) same(ctx context.Context, v Versions) (same, finished bool, err error) {
	if !alike(v.Current, v.Pending) {
		return false, false, nil
	}
	now, err := r.Store.Status(ctx, r.ev.SecretID)
	return true, err == nil && now.version(Current) == r.ev.Token, err
}

// alike reports whether two values are there, and the same.
func alike(a, b secret.Document) bool {
	return !a.IsZero() && !b.IsZero() && bytes.Equal(a.Bytes(), b.Bytes())
}

func (v Versions) unchanged() error {
	return Fail(BadSecret, "AWSPENDING has AWSCURRENT's value: the rotation would change nothing").With(v.GiveUp())
}

func (r *run) create(ctx context.Context, v Versions) error {
	next, err := r.Rotator.Next(ctx, v)
	r.hide(next)
	if err != nil {
		return err
	}
	if err := r.Store.Put(ctx, r.ev, next); err != nil {
		return err
	}
	r.wrote(r.ev)
	return nil
}

// mostWritten bounds what an engine remembers. Forgetting costs a call.
const mostWritten = 1000

// wrote remembers that this engine wrote the value of the event's version: then it
// is no trial's.
func (e *Engine) wrote(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.written == nil || len(e.written) >= mostWritten {
		e.written = map[version]bool{}
	}
	e.written[version{ev.SecretID, ev.Token}] = true
}

func (e *Engine) hasWritten(ev Event) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.written[version{ev.SecretID, ev.Token}]
}

func (r *run) set(ctx context.Context, v Versions) error {
	if v.Pending.IsZero() {
		return r.noValue().Again() // createSecret wrote it: the read lags behind
	}
	same, finished, err := r.same(ctx, v)
	switch {
	case err != nil || finished:
		return err
	case same:
		return v.unchanged()
	}
	return r.Rotator.Set(ctx, v)
}

// test runs a trial where the version has no value, or AWSCURRENT's: which of the
// two Secrets Manager gives it is not documented.
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
	same, finished, err := r.same(ctx, v)
	switch {
	case err != nil || finished:
		return err
	case !same && !v.Pending.IsZero():
		return r.Rotator.Test(ctx, v)
	}
	v.Pending = secret.Document{}
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
	return Fail(NotReady, "Version %s has no value.", r.ev.Token).With(NotReady.Remedy() + " " + rotating(r.ev.SecretID))
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
