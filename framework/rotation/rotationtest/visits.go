package rotationtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A visit is one call of a rotator's method.
type visit struct {
	method   string
	calls    []string // to the target, if no other visit was under way
	said     string   // the error and its remedy
	panicked bool
}

// visits are those of one rotator.
type visits struct {
	mu  sync.Mutex
	all []visit
}

func (v *visits) add(one visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all = append(v.all, one)
}

// calls counts those that the visits of a method made to the target.
func (v *visits) calls(method string) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.all {
		if one.method == method {
			n += len(one.calls)
		}
	}
	return n
}

// wrong says what no visit may do.
func (v *visits) wrong(seen *sightings) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.all {
		if one.panicked {
			return fmt.Errorf("%s panicked", one.method)
		}
		if seen.in(one.said) {
			return fmt.Errorf("a credential, or half of it, is in an error of %s", one.method)
		}
	}
	return nil
}

// again reports whether a visit made a call of the same kind after the one that
// failed.
func (v *visits) again(failed string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.all {
		for i, name := range one.calls {
			if name == failed && slices.ContainsFunc(one.calls[i+1:], func(later string) bool { return kind(later) == kind(failed) }) {
				return true
			}
		}
	}
	return false
}

// kind takes the number off the name of a call.
func kind(name string) string { return name[:strings.LastIndex(name, "#")] }

// watching returns a rotator that does what r does, and notes each visit.
func watching(r rotation.Rotator, v *visits, f *Faults) rotation.Rotator {
	return watched{r, v, f}
}

type watched struct {
	rotation.Rotator
	visits *visits
	faults *Faults
}

func (w watched) note(method string, call func() error) (err error) {
	before := len(w.faults.Names())
	one := visit{method: method, panicked: true}
	defer func() {
		one.calls = slices.DeleteFunc(w.faults.Names()[before:], ofStore)
		w.visits.add(one)
	}()
	err = call()
	one.panicked, one.said = false, said(err)
	return err
}

// said is all the text of an error.
func said(err error) string {
	if err == nil {
		return ""
	}
	var f *rotation.Fault
	if errors.As(err, &f) {
		return err.Error() + "\n" + f.Remedy
	}
	return err.Error()
}

func (w watched) Next(ctx context.Context, v rotation.Versions) (next secret.Document, err error) {
	err = w.note("Next", func() error { next, err = w.Rotator.Next(ctx, v); return err })
	return next, err
}

func (w watched) Set(ctx context.Context, v rotation.Versions) error {
	return w.note("Set", func() error { return w.Rotator.Set(ctx, v) })
}

func (w watched) Test(ctx context.Context, v rotation.Versions) error {
	return w.note("Test", func() error { return w.Rotator.Test(ctx, v) })
}

func (w watched) Preflight(ctx context.Context, v rotation.Versions) error {
	return w.note("Preflight", func() error { return w.Rotator.Preflight(ctx, v) })
}

func (w watched) Plan(ctx context.Context, v rotation.Versions) error {
	return w.note("Plan", func() error { return w.Rotator.Plan(ctx, v) })
}

func (w watched) Try(ctx context.Context, label string, value secret.Document, r *rotation.Report) (user string, err error) {
	err = w.note("Try", func() error { user, err = w.Rotator.Try(ctx, label, value, r); return err })
	return user, err
}
