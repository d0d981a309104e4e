package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// Direct is an Asker in this process: it answers what a function would, by the
// function's own code.
type Direct struct {
	reader   *reader
	engine   *rotation.Engine
	function string
	within   time.Duration
}

// A Place is where a Direct stands in for a function.
type Place struct {
	Store rotation.Store
	// Function is the ARN of the function that is stood in for, and Within how long
	// it may take for an answer.
	Function string
	Within   time.Duration
	// Unattached is the ARN of a secret that need not name the function. It may be
	// empty.
	Unattached string
}

// NewDirect returns a Direct of what make makes of a store. The store that make gets
// writes nothing.
func NewDirect(p Place, make func(rotation.Store) (*rotation.Engine, error)) (*Direct, error) {
	r := &reader{place: p}
	e, err := make(r)
	if err != nil {
		return nil, err
	}
	return &Direct{reader: r, engine: e, function: p.Function, within: p.Within}, nil
}

// Ask implements Asker. If a secret could not be read from here, which says nothing of
// what the function may read, its error is a [*ReadError].
func (d *Direct) Ask(ctx context.Context, ask rotation.Ask, secretARN, label string) (rotation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, d.within)
	defer cancel()
	a := d.engine.Ask(ctx, rotation.Question{Ask: ask, SecretID: secretARN, Label: label, Function: d.function})
	if err := d.reader.taken(); err != nil {
		return rotation.Answer{}, err
	}
	return a, nil
}

// A ReadError is why a secret could not be read from here.
type ReadError struct {
	Action string // the permission that reading it takes
	Denied bool   // whether that is missing
	Err    error
}

func (e *ReadError) Error() string { return e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

// A reader is the store of a Direct. It remembers the first failure that is of this
// side, and none of the secret's.
type reader struct {
	place  Place
	mu     sync.Mutex
	failed *ReadError
}

// Status implements rotation.Store.
func (r *reader) Status(ctx context.Context, id string) (rotation.Status, error) {
	s, err := r.place.Store.Status(ctx, id)
	if err == nil && id == r.place.Unattached {
		s.Function = r.place.Function
	}
	return s, r.seen("secretsmanager:DescribeSecret", err)
}

// Get implements rotation.Store.
func (r *reader) Get(ctx context.Context, id, stage, version string) (secret.Document, error) {
	d, err := r.place.Store.Get(ctx, id, stage, version)
	return d, r.seen("secretsmanager:GetSecretValue", err)
}

// seen remembers err if it is of this side.
func (r *reader) seen(action string, err error) error {
	var f *rotation.Fault
	if !errors.As(err, &f) {
		return err
	}
	switch f.Class {
	case rotation.AccessDenied, rotation.StoreUnavailable, rotation.Throttled:
	default:
		return err
	}
	if strings.Contains(err.Error(), "KMS") || strings.Contains(err.Error(), "DecryptionFailure") {
		action = "kms:Decrypt"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = &ReadError{action, f.Class == rotation.AccessDenied, fmt.Errorf("reading a secret from here: %w", err)}
	}
	return err
}

// taken returns what was remembered, and forgets it.
func (r *reader) taken() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	failed := r.failed
	r.failed = nil
	if failed == nil {
		return nil
	}
	return failed
}

var errReadOnly = errors.New("a question writes nothing")

// Put implements rotation.Store.
func (r *reader) Put(context.Context, rotation.Event, secret.Document) error { return errReadOnly }

// Promote implements rotation.Store.
func (r *reader) Promote(context.Context, string, string, string) error { return errReadOnly }
