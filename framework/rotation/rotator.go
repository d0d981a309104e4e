package rotation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

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
}

// Versions are the values of the secret under rotation.
type Versions struct {
	SecretID string // the ARN
	Version  string // the one under rotation
	Current  secret.Document
	Pending  secret.Document
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

// A Report collects what a step has to say besides its error. A nil *Report
// drops it. It is safe for concurrent use.
type Report struct {
	mu sync.Mutex
	reported
}

// reported is what a Report has collected.
type reported struct {
	notes   []note
	changes []string
	gauges  map[string]float64
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
