package oracle

import (
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// maxName is the length of a name in bytes since 12.2; before it was 30, which
// only a session can tell: see facts.checkName.
const maxName = 128

// reserved are users that the server or RDS has for itself, as far as a name
// alone can tell. ORACLE_MAINTAINED tells the rest.
var reserved = []string{"SYS", "SYSTEM", "PUBLIC", "RDSADMIN"}

// exact is the name in the catalog of a user as the secret has it: a name in
// double quotes stands for itself; any other is in upper case there, as Oracle
// takes it at the login and in statements.
// Source: SQL Language Reference, "Database Object Names and Qualifiers".
func exact(user string) string {
	if name, ok := strings.CutPrefix(user, `"`); ok {
		return strings.TrimSuffix(name, `"`)
	}
	return strings.ToUpper(user)
}

// ident quotes a name of the catalog. No name has a double quote; one in a
// catalog that has could not end the quotes either, as an even number of them
// never leaves text outside.
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// checkUser refuses names that no server takes, and users that are not the
// customer's.
func checkUser(user string) error {
	name := exact(user)
	switch quoted := strings.HasPrefix(user, `"`); {
	case name == "", strings.ContainsAny(name, "\"\x00"), quoted && (len(user) < 3 || !strings.HasSuffix(user, `"`)):
		return rotation.Fail(rotation.BadSecret, "%q is no user name of Oracle's", user).
			With("Write the name as it is in ALL_USERS; if it has lower-case letters there, in double quotes.")
	case len(name) > maxName:
		return tooLong(name, maxName)
	case !quoted && strings.ContainsAny(name, "[]/@"):
		return rotation.Fail(rotation.BadSecret, "the user name %q has a character with a meaning of its own at an Oracle login", user).
			With("If the name has it indeed, write the name in double quotes, letter for letter. A proxy user (proxy[user]) cannot be rotated as such: name the user that logs in.")
	case strings.HasPrefix(name, "C##"):
		return rotation.Fail(rotation.BadSecret, "%q is a common user, of a whole container database", user).
			With("Rotate local users of the pluggable database.")
	}
	for _, r := range reserved {
		if name == r {
			return rotation.Fail(rotation.BadSecret, "the user %q is reserved by Oracle or RDS", user)
		}
	}
	return nil
}

func tooLong(name string, most int) error {
	return rotation.Fail(rotation.BadSecret, "the user name %q has %d bytes; the server takes %d", name, len(name), most).
		With("Use a shorter user name; for two alternating users CLONE_SUFFIX, which comes on top, can be shorter too.")
}
