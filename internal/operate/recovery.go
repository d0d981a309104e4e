package operate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A Step is the one thing to do about a secret whose rotation is stuck.
type Step string

// The steps.
const (
	Nothing Step = "nothing" // all is well
	Rotate  Step = "rotate"  // start it again: the function ends it, or begins anew
	Finish  Step = "finish"  // move AWSCURRENT to AWSPENDING's version, which works
	GiveUp  Step = "give up" // take AWSPENDING off: AWSCURRENT works
	Merge   Step = "merge"   // AWSCURRENT's fields with AWSPENDING's password, as AWSPENDING
	GoBack  Step = "go back" // move AWSCURRENT to AWSPREVIOUS's version, which works
	Mend    Step = "mend"    // do what the function says, then rotate
	ByHand  Step = "by hand" // no password of the secret works
	Untold  Step = "untold"  // the server did not say
)

// A Recovery is what works of a secret, what that means, and the safe way on.
type Recovery struct {
	Labels                     []rotation.Label
	Step                       Step
	Means                      string
	Failure                    *rotation.Failure // why the rotation does not end by itself, if that was asked
	Current, Pending, Previous string            // versions; empty where there is none
}

// NeedsPlan reports whether what the next run would meet decides the step: where
// AWSCURRENT works and a rotation is under way.
func NeedsPlan(labels []rotation.Label) bool {
	current, pending, _ := split(labels)
	return current != nil && current.Works && pending != nil
}

func split(labels []rotation.Label) (current, pending, previous *rotation.Label) {
	at := func(name string) *rotation.Label {
		if i := slices.IndexFunc(labels, func(l rotation.Label) bool { return l.Name == name }); i >= 0 {
			return &labels[i]
		}
		return nil
	}
	return at(rotation.Current), at(rotation.Pending), at(rotation.Previous)
}

// Decide says what the one safe step is. Next is why the next run would fail, if it
// was asked and would. A version is moved to only if its credential was seen to
// work, and given up only if AWSCURRENT's was.
func Decide(labels []rotation.Label, next *rotation.Failure) Recovery {
	current, pending, previous := split(labels)
	r := Recovery{Labels: labels, Failure: next}
	for label, version := range map[*rotation.Label]*string{current: &r.Current, pending: &r.Pending, previous: &r.Previous} {
		if label != nil {
			*version = label.Version
		}
	}
	is := func(s Step, means string, args ...any) Recovery {
		r.Step, r.Means = s, fmt.Sprintf(means, args...)
		return r
	}
	works := func(l *rotation.Label) bool { return l != nil && l.Works }
	switch {
	case current == nil:
		return is(ByHand, "The secret has no AWSCURRENT version: put a value that works into it (PutSecretValue).")
	case untold(current) || untold(pending):
		return is(Untold, "Whether %s works could not be told: mend that first, and ask again.", firstUntold(current, pending))
	case pending == nil && works(current):
		return is(Nothing, "AWSCURRENT works, and no rotation is under way.")
	case works(current) && elsewhere(pending):
		return is(GiveUp, "AWSCURRENT works. It was changed after the rotation began (%s), and the rotation would undo that.", strings.Join(pending.Differs, ", "))
	case works(current) && next == nil:
		return is(Rotate, "AWSCURRENT works. A rotation is under way, and nothing stands in its way any more.")
	case works(current):
		return is(Mend, "AWSCURRENT works: nothing is urgent. What stands in the rotation's way has to be mended.")
	case works(pending) && elsewhere(pending):
		return is(Merge, "AWSCURRENT does not work, AWSPENDING does, and AWSCURRENT was changed after the rotation began (%s): its fields and AWSPENDING's password belong together.", strings.Join(pending.Differs, ", "))
	case works(pending):
		return is(Finish, "AWSCURRENT does not work, AWSPENDING does: whoever reads the secret now is locked out until the rotation ends.")
	case works(previous) && pending == nil && !elsewhere(previous):
		return is(GoBack, "AWSCURRENT does not work, AWSPREVIOUS does.")
	case works(previous):
		return is(Rotate, "AWSCURRENT does not work, AWSPREVIOUS does: the next run gets in with that.")
	}
	return is(ByHand, "No version of the secret works. Put a password that works into AWSCURRENT (PutSecretValue), or set AWSCURRENT's in the database.")
}

// firstUntold names the first label that is.
func firstUntold(all ...*rotation.Label) string {
	for _, l := range all {
		if untold(l) {
			return l.Name
		}
	}
	return ""
}

// untold reports whether nobody knows if the credential works: the server could not
// be asked, or did not say. It is false for nil.
func untold(l *rotation.Label) bool {
	if l == nil || l.Works || l.Failure == nil {
		return false
	}
	switch l.Failure.Class {
	case rotation.LoginRefused, rotation.AccountLocked, rotation.PasswordExpired, rotation.NoDatabase, rotation.NoUser, rotation.BadSecret, rotation.NotReady:
		return false
	}
	return true
}

// elsewhere reports whether a value differs from AWSCURRENT's in more than whose
// credential it is.
func elsewhere(l *rotation.Label) bool {
	return l != nil && slices.ContainsFunc(l.Differs, func(field string) bool { return field != "username" })
}
