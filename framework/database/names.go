package database

import (
	"strings"
	"unicode/utf8"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// Twin names the other one of two alternating users: the original for a clone,
// the clone for an original. Of a name in quotes the suffix is inside them.
func (r *Rotator) Twin(user string) string {
	name, quote := user, r.driver.NameQuote
	if n := len(quote); n > 0 && len(user) > 2*n && strings.HasPrefix(user, quote) && strings.HasSuffix(user, quote) {
		name = user[n : len(user)-n]
	} else {
		quote = ""
	}
	if original, ok := strings.CutSuffix(name, r.CloneSuffix); ok && original != "" {
		return quote + original + quote
	}
	return quote + name + r.CloneSuffix + quote
}

// isClone reports whether user is the clone of two alternating users.
func (r *Rotator) isClone(user string) bool { return len(r.Twin(user)) < len(user) }

// checkUser applies the limits of the configuration and of the driver.
func (r *Rotator) checkUser(user string) error {
	if n := utf8.RuneCountInString(user); r.MaxUser > 0 && n > r.MaxUser {
		return rotation.Fail(rotation.BadSecret, "the user name %q has %d characters; USERNAME_CHARACTER_LIMIT is %d", user, n, r.MaxUser).
			With("Raise USERNAME_CHARACTER_LIMIT or use a shorter user name (for two alternating users CLONE_SUFFIX, which comes on top, can be shorter too), then rotate again.")
	}
	return r.driver.CheckUser(user)
}
