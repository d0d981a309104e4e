// Package rotation moves a secret from one value to the next in the four steps
// that AWS Secrets Manager asks for.
//
// The [Engine] owns the order, the staging labels, idempotence, retries,
// redaction and logging. A [Rotator] owns one kind of secret. A [Store] is
// Secrets Manager. Every step may be run again at any time, by a retry, after
// a crash or beside another run of itself, and then does only what is left to
// do.
package rotation

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
)

// A Step is one of the four calls that Secrets Manager makes, in this order.
type Step string

// The steps of a rotation.
const (
	CreateSecret Step = "createSecret"
	SetSecret    Step = "setSecret"
	TestSecret   Step = "testSecret"
	FinishSecret Step = "finishSecret"
)

// Steps are the steps in their order.
func Steps() []Step { return []Step{CreateSecret, SetSecret, TestSecret, FinishSecret} }

// An Event is what Secrets Manager sends to the function.
// Source: Secrets Manager user guide, "Rotation function event".
type Event struct {
	Step     Step
	SecretID string // the ARN
	Token    string // the version under rotation; Secrets Manager calls it ClientRequestToken
	// RotationToken is itself sensitive: with it the function writes to a
	// secret of another account. It is passed on and never printed.
	RotationToken string
}

// ParseEvent reads the event's JSON. Its errors have class BadEvent and never
// quote the input. A step may also be spelled in snake case (create_secret),
// as some documents of AWS do.
func ParseEvent(payload []byte) (Event, error) {
	var e struct{ Step, SecretId, ClientRequestToken, RotationToken string }
	if err := json.Unmarshal(payload, &e); err != nil {
		return Event{}, Fail(BadEvent, "The event is not a rotation event in JSON.")
	}
	ev := Event{normal(e.Step), e.SecretId, e.ClientRequestToken, e.RotationToken}
	return ev, ev.validate()
}

// normal gives create_secret as createSecret.
func normal(step string) Step {
	for _, s := range Steps() {
		if strings.EqualFold(strings.ReplaceAll(step, "_", ""), string(s)) {
			return s
		}
	}
	return Step(step)
}

func (e Event) validate() error {
	switch {
	case !slices.Contains(Steps(), e.Step):
		return Fail(BadEvent, "The event asks for the unknown step %q.", e.Step)
	case e.SecretID == "":
		return Fail(BadEvent, "The event names no secret: SecretId is missing.")
	case e.Token == "":
		return Fail(BadEvent, "The event names no version: ClientRequestToken is missing.")
	}
	return nil
}

// String leaves the RotationToken out.
func (e Event) String() string { return string(e.Step) + " of " + e.SecretID + ", version " + e.Token }

// GoString leaves the RotationToken out.
func (e Event) GoString() string { return e.String() }

// LogValue implements slog.LogValuer. It leaves the RotationToken out.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("step", string(e.Step)), slog.String("secret", e.SecretID), slog.String("version", e.Token))
}
