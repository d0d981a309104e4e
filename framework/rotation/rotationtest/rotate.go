package rotationtest

import (
	"context"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// Rotate runs the four steps for a version, as Secrets Manager does, and stops
// at the first that fails. On success it takes the pending label off.
func Rotate(ctx context.Context, e *rotation.Engine, s *Store, id, version string) error {
	s.Begin(id, version)
	for _, step := range rotation.Steps() {
		if err := e.Handle(ctx, rotation.Event{Step: step, SecretID: id, Token: version}); err != nil {
			return err
		}
	}
	s.End(id)
	return nil
}
