// Package fleet tells how each secret of an account and region stands with its
// rotation, from what ListSecrets and ListFunctions say. It reads no value.
package fleet

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A State is how a secret stands with its rotation.
type State string

// The states, the worst first.
const (
	Stuck      State = "stuck"                // a rotation began and has not ended
	Gone       State = "function gone"        // the function that rotates it is not there
	Failed     State = "failed trial"         // the last trial failed: only the log tells
	Overdue    State = "overdue"              // the next rotation's date is past
	Never      State = "never"                // rotation is on, there was none, and no date says that the first is ahead
	Off        State = "switched off"         // it was configured, and is off
	Unrotated  State = "no rotation"          // it was never configured
	Rotating   State = "rotating"             // a rotation began a moment ago
	Ahead      State = "first rotation ahead" // rotation was switched on, and the first one's date is to come
	ByAWS      State = "AWS's function"
	ByOthers   State = "other function" // neither Rotor's nor AWS's
	ByAService State = "by a service"   // such as RDS, for its master users
	Replica    State = "replica"        // its primary, in another region, is what rotates
	OK         State = "ok"
)

// States are all of them, the worst first.
func States() []State {
	return []State{Stuck, Gone, Failed, Overdue, Never, Off, Unrotated, Rotating, Ahead, ByAWS, ByOthers, ByAService, Replica, OK}
}

// Bad reports whether somebody must act.
func (s State) Bad() bool {
	return slices.Contains([]State{Stuck, Gone, Failed, Overdue, Never, Off}, s)
}

// patience is how long a rotation may be under way before it counts as stuck:
// longer than a function may run.
const patience = 15 * time.Minute

// A Secret is one of the fleet.
type Secret struct {
	Name     string
	ARN      string
	Region   string
	Profile  string
	State    State
	Since    time.Time // since when it is stuck, at the latest, or when its trial failed; zero for other states
	Rotated  time.Time // the last rotation that ended well; zero if there was none
	Next     time.Time // by when the next one is due; zero if none is
	Function Function
	// Pending is the version of the rotation under way, if one is.
	Pending string
	// What the log says, where it was asked: of the last failure, if nothing went
	// well after it, and when the server's certificate ends.
	Trouble     *Trouble
	Certificate time.Time
}

// Of tells a secret's state. Functions are those of its account and region; nil
// means that they are not known, so that none is said to be gone.
func Of(e types.SecretListEntry, functions Functions, now time.Time) Secret {
	s := Secret{
		Name:    aws.ToString(e.Name),
		ARN:     aws.ToString(e.ARN),
		Region:  part(aws.ToString(e.ARN), 3),
		Rotated: aws.ToTime(e.LastRotatedDate),
		Next:    aws.ToTime(e.NextRotationDate),
		Pending: pending(e.SecretVersionsToStages),
	}
	if arn := aws.ToString(e.RotationLambdaARN); arn != "" {
		s.Function = functions.find(arn, s.ARN)
	}
	s.State = s.judge(e, now)
	if s.State == Stuck {
		s.Since = aws.ToTime(e.LastChangedDate)
	}
	return s
}

func (s Secret) judge(e types.SecretListEntry, now time.Time) State {
	changed := now.Sub(aws.ToTime(e.LastChangedDate))
	switch {
	case aws.ToString(e.PrimaryRegion) != "" && *e.PrimaryRegion != s.Region:
		return Replica
	case aws.ToString(e.OwningService) != "":
		return ByAService
	case s.Function.ARN == "" && aws.ToBool(e.RotationEnabled):
		return ByAService // a managed external secret: Secrets Manager itself rotates it
	case s.Pending != "" && changed > patience:
		return Stuck
	case s.Function.ARN == "":
		return Unrotated
	case s.Function.Kind == Missing:
		return Gone
	case !aws.ToBool(e.RotationEnabled):
		return Off
	case s.Pending != "":
		return Rotating
	case !s.Next.IsZero() && now.After(s.Next):
		return Overdue
	case s.Rotated.IsZero() && ahead(e, now):
		return Ahead
	case s.Rotated.IsZero():
		return Never
	}
	switch s.Function.Kind {
	case AWS:
		return ByAWS
	case Other:
		return ByOthers
	}
	return OK
}

// ahead reports whether the first rotation's date is to come. Switching rotation on
// changes the secret, and sets a date that is an interval ahead, or a day more: the
// window that it may begin in. A date that is further from the last change was put off,
// so that a rotation that was due has not been.
func ahead(e types.SecretListEntry, now time.Time) bool {
	if e.NextRotationDate == nil {
		return false
	}
	if e.RotationRules == nil || e.RotationRules.AutomaticallyAfterDays == nil {
		return true // by a schedule, whose interval is not told
	}
	interval := time.Duration(*e.RotationRules.AutomaticallyAfterDays+1) * 24 * time.Hour
	return now.Sub(aws.ToTime(e.LastChangedDate)) <= interval
}

// pending is the version that a rotation under way has made: one with AWSPENDING
// that is not AWSCURRENT too.
func pending(stages map[string][]string) string {
	for version, labels := range stages {
		if slices.Contains(labels, rotation.Pending) && !slices.Contains(labels, rotation.Current) {
			return version
		}
	}
	return ""
}

// Days are the whole days from one time to another, or nil if one of them is zero.
func Days(from, to time.Time) *int {
	if from.IsZero() || to.IsZero() {
		return nil
	}
	n := int(to.Sub(from).Hours() / 24)
	return &n
}

// part is one of an ARN's parts, counted from 0.
func part(arn string, n int) string {
	if all := strings.Split(arn, ":"); n < len(all) {
		return all[n]
	}
	return ""
}
