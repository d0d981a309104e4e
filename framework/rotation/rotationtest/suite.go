package rotationtest

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A Harness is a rotator with targets to try it on.
type Harness struct {
	// Name is what the suite's log calls the rotator.
	Name string
	// New makes two secrets and a rotator for both, whose calls to the target
	// all go through f: see [Faults.Transport] and [Faults.Do]. No two calls of
	// New may share a secret; the server they may share.
	New func(t testing.TB, f *Faults) Target
	// Credential is the field of the secret that a rotation changes, such as
	// "password".
	Credential string
	// Place are the fields that say where the credential is sent, such as
	// "host".
	Place []string
	// Overlap says that AWSCURRENT works at every moment, and that what it
	// replaced works until the next rotation. Otherwise AWSCURRENT or
	// AWSPENDING works at every moment, and what was replaced does not.
	Overlap bool
	// Creates says that the target makes the credential, so that Next calls it
	// and its value works before setSecret.
	Creates bool
	// NoFaults leaves the faults to a suite of the caller's, which knows where a
	// call can be cut in two.
	NoFaults bool
}

// A Target is what a rotator changes, with the secrets that name it.
type Target struct {
	Rotator rotation.Rotator
	// Secrets are the values of two secrets that work. Their credentials are
	// random: the suite looks for parts of them where they must not be.
	Secrets [2]secret.Document
	// Others are the secrets that the rotator looks up, by their names.
	Others map[string]secret.Document
	// Works reports whether the target accepts a value, as an application
	// would find out. The error says why it cannot be known. It must not go
	// through f.
	Works func(ctx context.Context, value secret.Document) (bool, error)
	// State, if set, tells all that a rotation may change: it is the same text
	// as long as nothing was changed.
	State func() string
	// Refused, if set, counts the credentials that the target has refused.
	Refused func() int
}

// A check returns the first promise that it finds broken.
type check struct {
	name string
	run  func(suite, testing.TB) error
}

const faulty = "AFaultAnywhereLocksNobodyOut"

// checks are the promises, in the order of what a reader wants to know first.
func checks() []check {
	return []check{
		{"HealthyRotations", suite.healthy},
		{"TestSecretProvesThePendingValue", suite.proves},
		{"EveryStepTwice", suite.twice},
		{"EveryStepAtOnce", suite.atOnce},
		{"ATrialChangesNothing", suite.trial},
		{"AWrongCredentialChangesNothing", suite.wrong},
		{"AQuestionChangesNothing", suite.questions},
		{"ACredentialGoesNowhereElse", suite.place},
		{faulty, suite.sweep},
	}
}

// Run checks that the harness's rotator keeps what a [rotation.Rotator]
// promises, and that it writes no credential anywhere. For that it takes
// standard output, standard error and the standard logger for itself meanwhile:
// do not call it from a parallel test.
func Run(t *testing.T, h Harness) {
	for _, c := range checks() {
		if h.NoFaults && c.name == faulty {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if err := (suite{h, &sightings{}}).run(t, c); err != nil {
				t.Error(err)
			}
		})
	}
}

// A suite is a harness under one check.
type suite struct {
	Harness
	seen *sightings
}

// run runs a check and looks at what was written meanwhile.
func (s suite) run(t testing.TB, c check) error {
	written, err := captured(func() error { return c.run(s, t) })
	if s.seen.in(written) {
		return errors.Join(err, errors.New("a credential, or half of it, was written to standard output, standard error or the standard logger"))
	}
	_, _ = io.WriteString(os.Stderr, written) // nobody's debugging is lost
	return err
}
