package database

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A Standing is what a server says of the one of two users whose turn it is.
type Standing int

// The standings.
const (
	// Stranger exists, and nothing on the server says that it belongs to the
	// other user.
	Stranger Standing = iota
	// Absent does not exist.
	Absent
	// Twin bears a mark that it belongs to the other: one that nobody can leave
	// who could not change its password already.
	Twin
)

// proven makes sure that the user whose turn it is belongs to the one in use,
// before an administrator touches it: that a name ends in the suffix proves
// nothing, since whoever may create users can give one of theirs such a name, and
// two applications may bear such names by chance. The proof is the server's mark,
// or a password of the secret with which the user logs in: whoever put that into
// the secret knew it already. AWSPREVIOUS has it, or AWSPENDING if an earlier run
// came as far.
func (r *Rotator) proven(ctx context.Context, admin Administrator, p pair) error {
	standing, err := admin.Standing(ctx, r.users(p), p.pending)
	switch {
	case err != nil:
		return fmt.Errorf("looking whether %q belongs to %q: %w", p.pending.User, p.current.User, networkFault(err))
	case standing == Twin, standing == Absent && r.isClone(p.pending.User):
		return nil
	case standing == Absent:
		return rotation.Fail(rotation.NoUser, "there is no user %q on the server, and %q is its clone", p.pending.User, p.current.User).
			With(fmt.Sprintf("Create %q, with the rights that the application needs, or put the secret's user back to one that has no clone.", p.pending.User))
	case slices.Contains(r.Adopt, p.pending.User):
		return nil
	}
	previous, ok, err := r.previous(ctx, p)
	if err != nil {
		return err
	}
	if ok {
		if known, err := r.knows(ctx, previous); known || err != nil {
			return err
		}
	}
	if p.untried() {
		if known, err := r.knows(ctx, p.pending); known || err != nil {
			return err
		}
	}
	return r.stranger(p, ok)
}

// knows reports whether l's password is its user's.
func (r *Rotator) knows(ctx context.Context, l Login) (bool, error) {
	works, err := r.applied(ctx, l)
	if errors.Is(err, ErrPasswordTaken) {
		return true, nil
	}
	return works, err
}

// stranger refuses a user that exists and is not proven to be of the pair. Had
// is whether AWSPREVIOUS names it.
func (r *Rotator) stranger(p pair, had bool) error {
	why := "AWSPREVIOUS does not name it"
	if had {
		why = "AWSPREVIOUS's password does not log it in"
	}
	f := rotation.Fail(rotation.NotItsTwin, "%q exists, and nothing proves that it belongs to %q: the server has no mark of that, and %s. Nothing was changed", p.pending.User, p.current.User, why)
	adopt := fmt.Sprintf("If it does, let Rotor take it over: CLONE_ADOPT=%s in the function's environment, until one rotation has ended well.", p.pending.User)
	if r.isClone(p.pending.User) {
		return f.With(adopt + " If it is somebody else's, choose another CLONE_SUFFIX. If nobody needs it, drop it: the next rotation makes a new one.")
	}
	return f.With(adopt + " If it is somebody else's, give this secret a user whose name does not end in the clones' suffix.")
}
