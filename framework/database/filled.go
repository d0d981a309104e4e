package database

import (
	"errors"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// UserHere is where a remedy about a user's login names the user: see [Filled].
const UserHere = "{user}"

// Filled puts the name of a session's user, as the server's language quotes it, into
// the remedy of an error. Drivers keep their remedies in tables, which know no user.
func Filled(err error, quoted string) error {
	var f *rotation.Fault
	if !errors.As(err, &f) || !strings.Contains(f.Remedy, UserHere) {
		return err
	}
	return &rotation.Fault{Class: f.Class, Err: err, Remedy: strings.ReplaceAll(f.Remedy, UserHere, quoted), Transient: f.Transient}
}
