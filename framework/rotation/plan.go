package rotation

import "slices"

// plan says whether the step still has work to do. It reads no clock, no
// store and no database, so that a table can test every case there is.
func plan(s Status, e Event) (todo bool, err error) {
	stages, known := s.Stages[e.Token]
	start := NotReady.Remedy() + " " + rotating(e.SecretID)
	switch {
	case !s.RotationEnabled:
		return false, Fail(NotReady, "Rotation is not enabled for the secret.").With(start + "; with --rotation-lambda-arn and --rotation-rules if it was never rotated")
	case !known || len(stages) == 0:
		return false, Fail(NotReady, "The secret has no version %s.", e.Token).With(start)
	case slices.Contains(stages, Current):
		return false, nil // an earlier run finished
	case !slices.Contains(stages, Pending):
		return false, Fail(NotReady, "Version %s is not staged %s.", e.Token, Pending).With(start)
	}
	return true, nil
}
