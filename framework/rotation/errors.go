package rotation

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrNotFound is what a Store's error wraps for a secret, version or value
// that it does not have.
var ErrNotFound = errors.New("not found")

// A Fault is a failure that knows its class. Whoever meets a failure first
// wraps it in a Fault; the layers above add where it happened with
// fmt.Errorf("...: %w", err) and leave the rest as it is.
type Fault struct {
	Class Class
	// Err is the cause.
	Err error
	// Remedy is what a person should do, in whole sentences; if it is empty,
	// the class's own remedy holds.
	Remedy string
	// Transient says that the whole step may succeed if it is run again at
	// once, and that running it again cannot lock an account.
	Transient bool
}

// Fail returns a Fault of a class with its cause in the words of format.
func Fail(c Class, format string, args ...any) *Fault {
	return &Fault{Class: c, Err: fmt.Errorf(strings.TrimSuffix(format, "."), args...)}
}

// With returns f with a remedy of its own.
func (f *Fault) With(remedy string) *Fault {
	g := *f
	g.Remedy = remedy
	return &g
}

// Again returns f marked as transient.
func (f *Fault) Again() *Fault {
	g := *f
	g.Transient = true
	return &g
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// Retryable reports whether running the step again at once may help. It is
// false for an error without a Fault: an unknown error is never retried here,
// because a repeated login can lock an account. Secrets Manager starts the
// rotation again later in any case.
func Retryable(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Transient
}

// An Error is what a step ends with when it failed: what was done to which
// secret, the class, the cause, the remedy. Its text carries no sensitive
// value of any secret that the step read, and it has no chain to unwrap:
// a driver's own error could quote one.
type Error struct {
	Event  Event
	Class  Class
	Cause  string
	Remedy string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%v: %s: %s. %s", e.Event, e.Class, strings.TrimSuffix(e.Cause, "."), e.Remedy)
}

// next is what a person meets who rotates again. Seen on AWS: the answer to
// RotateSecret while AWSPENDING is there is an error, and starts the next attempt.
const next = ` RotateSecret may answer "A previous rotation isn't complete. That rotation will be reattempted.": then it is being rotated. The command: `

// rotating is the command that rotates a secret.
func rotating(secret string) string { return "aws secretsmanager rotate-secret --secret-id " + secret }

// again matches a remedy after which the secret is to be rotated again.
var again = regexp.MustCompile(`[Rr]otate (it )?again|otation again`)

// newError gives err its class: its own, or that of a deadline or a
// cancellation, or Unknown.
func newError(ev Event, err error, redact func(string) string) *Error {
	e := &Error{Event: ev, Class: Unknown, Cause: redact(err.Error())}
	var f *Fault
	switch {
	case errors.As(err, &f):
		e.Class, e.Remedy = f.Class, f.Remedy
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e.Class = Timeout
	}
	if e.Remedy == "" {
		e.Remedy = e.Class.Remedy()
	}
	if again.MatchString(e.Remedy) {
		if !strings.HasSuffix(e.Remedy, ".") && !strings.HasSuffix(e.Remedy, ";") {
			e.Remedy += ";" // where a command ends
		}
		e.Remedy += next + rotating(ev.SecretID)
	}
	e.Remedy = redact(e.Remedy)
	return e
}
