package rotation

import (
	"context"
	"fmt"

	"github.com/seed492efc12/rotor/framework/secret"
)

// A Rotator knows how one kind of secret changes. It holds no state between
// calls, keeps no secret and does not retry or log: it returns errors, which
// it classifies with [Fault].
type Rotator interface {
	// Next returns the value to rotate to. It must not touch the target.
	// v.Pending is absent.
	Next(ctx context.Context, v Versions) (secret.Document, error)
	// Set makes the target accept v.Pending. If the target accepts it already,
	// Set does nothing.
	Set(ctx context.Context, v Versions) error
	// Test proves that v.Pending works. It changes nothing. v.Current is absent
	// where the engine knows without it that this is no trial: a Rotator that
	// compares the two reads it then, by v.Others.
	Test(ctx context.Context, v Versions) error
	// Preflight says whether a rotation would succeed: it checks what the steps
	// will need, and changes nothing. v.Pending is absent. The engine asks when
	// testSecret meets a version without a value, or with AWSCURRENT's, which is
	// what RotateSecret with RotateImmediately=false leads to.
	Preflight(ctx context.Context, v Versions) error
	// Plan is Set without its effect: it says to v.Report, a [Rehearsal], what Set
	// would send. Where no rotation has begun v.Pending is absent, and v.Version
	// empty: what Plan makes in its place it does not try. It changes nothing.
	Plan(ctx context.Context, v Versions) error
	// Try proves by one attempt that a value works, whatever label it has; its
	// error says why it does not. User is whose credential it is. It changes
	// nothing.
	Try(ctx context.Context, label string, value secret.Document, r *Report) (user string, err error)
}

// Versions are the values of the secret under rotation.
type Versions struct {
	SecretID string // the ARN
	Version  string // the one under rotation
	Current  secret.Document
	Pending  secret.Document
	// CurrentVersion is the one that Current is of.
	CurrentVersion string
	// Others reads what only some rotations need.
	Others Others
	// Report takes what the step has to say besides its error. It may be nil.
	Report *Report
}

// GiveUp is the remedy that gives the version under rotation up: one command.
func (v Versions) GiveUp() string {
	return fmt.Sprintf("Give %s up, and rotate again: aws secretsmanager update-secret-version-stage --secret-id %s --version-stage %s --remove-from-version-id %s", Pending, v.SecretID, Pending, v.Version)
}

// Others reads secrets and versions that most steps do without.
type Others interface {
	// Current reads the AWSCURRENT version as it is now: what v.Pending is, if
	// another run has finished the rotation meanwhile.
	Current(ctx context.Context) (secret.Document, error)
	// Previous reads the AWSPREVIOUS version; it is absent if there is none.
	Previous(ctx context.Context) (secret.Document, error)
	// Lookup reads the current value of another secret, such as the
	// administrator's.
	Lookup(ctx context.Context, id string) (secret.Document, error)
	// Tags reads the tags of another secret.
	Tags(ctx context.Context, id string) (map[string]string, error)
}
