package database

import (
	"strings"
	"unicode/utf8"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// otherUser names the other one of two alternating users: the original for a
// clone, the clone for an original.
func (r *Rotator) otherUser(user string) string {
	if original, ok := strings.CutSuffix(user, r.CloneSuffix); ok && original != "" {
		return original
	}
	return user + r.CloneSuffix
}

// isClone reports whether user is the clone of two alternating users.
func (r *Rotator) isClone(user string) bool { return len(r.otherUser(user)) < len(user) }

// checkUser applies the limits of the configuration and of the driver.
func (r *Rotator) checkUser(user string) error {
	if n := utf8.RuneCountInString(user); r.MaxUser > 0 && n > r.MaxUser {
		return rotation.Fail(rotation.BadSecret, "the user name %q has %d characters; USERNAME_CHARACTER_LIMIT is %d", user, n, r.MaxUser)
	}
	if r.driver.CheckUser == nil {
		return nil
	}
	return r.driver.CheckUser(user)
}
