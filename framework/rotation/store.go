package rotation

import (
	"context"
	"slices"
	"time"

	"github.com/seed492efc12/rotor/framework/secret"
)

// Staging labels.
const (
	Current  = "AWSCURRENT"
	Pending  = "AWSPENDING"
	Previous = "AWSPREVIOUS"
)

// Status is what a Store knows of a secret besides its values.
type Status struct {
	RotationEnabled bool
	Function        string              // the ARN of the function that rotates it
	Stages          map[string][]string // version -> staging labels
	Tags            map[string]string
}

// version returns the version that carries stage, or "".
func (s Status) version(stage string) string {
	for version, stages := range s.Stages {
		if slices.Contains(stages, stage) {
			return version
		}
	}
	return ""
}

// A Store keeps secrets, as Secrets Manager does. A missing secret, version or
// value is an error that wraps ErrNotFound. Errors that may pass are Faults
// marked Transient; a Store does not retry. It is used by several goroutines
// at once.
type Store interface {
	Status(ctx context.Context, id string) (Status, error)
	// Get reads the value of the version that carries stage. If version is not
	// empty it must be that one.
	Get(ctx context.Context, id, stage, version string) (secret.Document, error)
	// Put gives the event's version its value and the label AWSPENDING. If the
	// version has a value already, Put keeps that one and returns nil: another
	// run was first.
	Put(ctx context.Context, e Event, d secret.Document) error
	// Promote moves AWSCURRENT from one version to another. It fails if from
	// does not carry it.
	Promote(ctx context.Context, id, from, to string) error
}

// A Clock lets tests rotate without waiting.
type Clock interface {
	Now() time.Time
	// Sleep returns early, with the context's error, when ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}
