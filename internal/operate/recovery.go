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
	Merge   Step = "merge"   // make AWSCURRENT of its fields with the credential that works
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
	With                       string            // for Merge: the label whose credential works
	Keep                       bool              // for GiveUp: AWSPENDING's version becomes AWSPREVIOUS
	Current, Pending, Previous string            // versions; empty where there is none
}

// NeedsPlan reports whether what the next run would meet decides the step: where
// AWSCURRENT works, and a rotation is under way that somebody might end.
func NeedsPlan(labels []rotation.Label, off bool) bool {
	current, pending, _ := split(labels)
	return works(current) && pending != nil && !off && !elsewhere(pending) && !unusable(pending) && !pending.Same
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
// was asked and would; off says that rotation is switched off. A version is moved to
// only if its credential was seen to work, and given up only if AWSCURRENT's was. Where
// a credential of the secret works, AWSCURRENT's does after one step.
func Decide(labels []rotation.Label, next *rotation.Failure, off bool) Recovery {
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
	merge := func(with *rotation.Label) Recovery {
		r.With = with.Name
		return is(Merge, "AWSCURRENT does not work, %s does, and they differ in more (%s): AWSCURRENT's fields and %[1]s's password may belong together.",
			with.Name, strings.Join(with.Differs, ", "))
	}
	switch {
	case current == nil:
		return is(ByHand, "The secret has no AWSCURRENT version: put a value that works into it (PutSecretValue).")
	case untold(current) || untold(pending):
		return is(Untold, "Whether %s works could not be told: mend that first, and ask again.", firstUntold(current, pending))
	case current.Works:
		return standing(pending, next, off, is)
	case works(pending) && elsewhere(pending):
		return merge(pending)
	case works(pending):
		return is(Finish, "AWSCURRENT does not work, AWSPENDING does: whoever reads the secret now is locked out until the rotation ends.")
	case works(previous) && elsewhere(previous):
		return merge(previous)
	case works(previous):
		return is(GoBack, "AWSCURRENT does not work, AWSPREVIOUS does.")
	}
	return is(ByHand, "No version of the secret works. Put a password that works into AWSCURRENT (PutSecretValue), or set AWSCURRENT's in the database.")
}

// standing decides where AWSCURRENT works.
func standing(pending *rotation.Label, next *rotation.Failure, off bool, is func(Step, string, ...any) Recovery) Recovery {
	switch {
	case pending == nil && off:
		return is(Nothing, "AWSCURRENT works, and no rotation is under way. Rotation is switched off (CancelRotateSecret); rotating switches it on.")
	case pending == nil:
		return is(Nothing, "AWSCURRENT works, and no rotation is under way.")
	case off:
		return giveUp(pending, is, "Rotation is switched off (CancelRotateSecret): the one that had begun goes on no more, and stands in the next one's way.")
	case unusable(pending):
		return giveUp(pending, is, "AWSPENDING's value is none that a rotation could use.")
	case pending.Same:
		return giveUp(pending, is, "AWSPENDING has AWSCURRENT's value, as a trial that has not ended has: there is nothing to rotate to.")
	case elsewhere(pending):
		return giveUp(pending, is, "It was changed after the rotation began ("+strings.Join(pending.Differs, ", ")+"), and the rotation would undo that.")
	case next == nil:
		return is(Rotate, "AWSCURRENT works. A rotation is under way, and nothing stands in its way any more.")
	}
	return is(Mend, "AWSCURRENT works: nothing is urgent. What stands in the rotation's way has to be mended.")
}

// giveUp keeps the credential of another user that works: AWSPREVIOUS may not have it any
// more, and where the server has no mark it is what proves that two users are a pair.
func giveUp(pending *rotation.Label, is func(Step, string, ...any) Recovery, why string) Recovery {
	if !pending.Works || !slices.Contains(pending.Differs, "username") {
		return is(GiveUp, "AWSCURRENT works. %s", why)
	}
	r := is(GiveUp, "AWSCURRENT works. %s AWSPENDING's user works too: its version becomes AWSPREVIOUS, so that the next rotation knows that user.", why)
	r.Keep = true
	return r
}

func works(l *rotation.Label) bool { return l != nil && l.Works }

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

// unusable reports whether a value is not one of a user's credential.
func unusable(l *rotation.Label) bool {
	return l.Failure != nil && l.Failure.Class == rotation.BadSecret
}

// elsewhere reports whether a value differs from AWSCURRENT's in more than whose
// credential it is.
func elsewhere(l *rotation.Label) bool {
	return l != nil && slices.ContainsFunc(l.Differs, func(field string) bool { return field != "username" })
}
