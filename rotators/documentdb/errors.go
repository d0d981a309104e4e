package documentdb

import (
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// passing is a failure that may be over at the next try: of a replica set
// without a primary for now, or of a server behind a mongos.
var passing = rotation.Fault{Class: rotation.Unavailable, Transient: true}

// codes are the server's error codes whose class is the same at every step.
// Source: MongoDB manual, "Error Codes" (src/mongo/base/error_codes.yml).
// DocumentDB is taken to answer with the same ones.
var codes = map[int64]rotation.Fault{
	6:     passing,                            // HostUnreachable
	7:     passing,                            // HostNotFound
	11:    {Class: rotation.NoUser},           // UserNotFound
	13:    {Class: rotation.MissingPrivilege}, // Unauthorized
	18:    {Class: rotation.LoginRefused},     // AuthenticationFailed
	31:    {Class: rotation.Unknown, Remedy: remedyRole},
	50:    {Class: rotation.Timeout}, // MaxTimeMSExpired
	59:    {Class: rotation.Unsupported, Remedy: remedyCommand},
	64:    passing, // WriteConcernTimeout: done, but not yet on a majority
	79:    {Class: rotation.Unavailable, Remedy: remedyMajority},
	89:    passing, // NetworkTimeout
	91:    passing, // ShutdownInProgress
	100:   {Class: rotation.Unavailable, Remedy: remedyMembers},
	133:   passing, // FailedToSatisfyReadPreference
	189:   passing, // PrimarySteppedDown
	334:   {Class: rotation.LoginRefused, Remedy: remedyMechanism},
	8000:  {Class: rotation.MissingPrivilege, Remedy: remedyAtlas},
	9001:  passing, // SocketException
	10107: passing, // NotWritablePrimary
	11600: passing, // InterruptedAtShutdown
	11602: passing, // InterruptedDueToReplStateChange
	13435: passing, // NotPrimaryNoSecondaryOk
	13436: passing, // NotPrimaryOrSecondary
	51003: passing, // the user exists already: another run is at it
}

const (
	remedyRole      = "A role of the original user does not exist any more: create it again, or revoke it from the user." // RoleNotFound
	remedyCommand   = "The server does not know a command that a rotation takes: it is too old, or does not let its clients manage users."
	remedyMajority  = "The replica set does not know the write concern majority: look at its configuration."
	remedyMembers   = "Too few members of the replica set are up for a majority: bring them up."
	remedyMechanism = "The server offers no mechanism by which this user can log in with a password: enable SCRAM for both."
	remedyAtlas     = "Atlas lets nobody manage database users by commands: rotate them through its Administration API."
	remedyLogin     = "Put a password that works into the secret's AWSCURRENT version, then rotate it again. A password is refused too when the user is defined in another database than %q (authSource in the secret), or when its authenticationRestrictions do not let this function in."
	remedyIAM       = "Put a password that works into the secret's AWSCURRENT version, then rotate it again. A user that logs in by IAM has no password, and cannot be rotated."
	remedyPrimary   = "Check that the replica set has a primary, and that it has the name in the secret's replicaSet."
)

const (
	badValue   = 2
	authFailed = 18
	atlas      = 8000
	duplicate  = 51003
)

// A serverError is what the server said, without the command and without the
// connection's own text.
type serverError struct {
	code          int64
	name, message string
}

// theCommand begins the part of a message in which the server repeats what it
// was sent: custom data, session identifiers and signed cluster times in it.
// MongoDB blots out the password alone. Source: seen on 4.4, 5.0 and 6.0.
const theCommand = " to execute command "

func (e *serverError) Error() string {
	text, command, repeated := strings.Cut(e.message, theCommand)
	if repeated {
		text += theCommand + commandName(command)
	}
	text = strings.TrimSuffix(text, ".")
	if e.name != "" {
		text += ", " + e.name
	}
	return fmt.Sprintf("%s, code %d", text, e.code)
}

// commandName is the first field of a command as the server prints it, such as
// { updateUser: "app", ... }.
func commandName(command string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(command, `{ "`), ":")
	return strings.Trim(name, `" `)
}

// ofServer finds the server's answer in an error of the driver.
func ofServer(err error) (*serverError, bool) {
	var ce mongo.CommandError
	if errors.As(err, &ce) && (ce.Code != 0 || ce.Message != "") && len(ce.Raw) > 0 {
		return &serverError{int64(ce.Code), ce.Name, ce.Message}, true
	}
	var we mongo.WriteException
	if errors.As(err, &we) && we.WriteConcernError != nil {
		return &serverError{int64(we.WriteConcernError.Code), we.WriteConcernError.Name, we.WriteConcernError.Message}, true
	}
	return nil, false
}

// fault gives an error of a session its class. A nil error stays nil, and one
// that is neither the server's nor the driver's search for one stays as it is.
func (c *conn) fault(err error) error {
	var known *rotation.Fault
	if err == nil || errors.As(err, &known) {
		return err
	}
	if se, ok := ofServer(err); ok {
		return serverFault(se)
	}
	var none topology.ServerSelectionError
	if errors.As(err, &none) && c.dialer.wasReached() {
		return &rotation.Fault{Class: rotation.Unavailable, Err: fmt.Errorf("no primary was found at %v: %w", c.place, err), Transient: true,
			Remedy: remedyPrimary}
	}
	return err
}

func serverFault(se *serverError) *rotation.Fault {
	f, ok := codes[se.code]
	switch {
	case ok:
	case se.code == badValue && strings.Contains(strings.ToLower(se.message), "password"):
		f.Class = rotation.PasswordRejected
	default:
		f.Class = rotation.Unknown
	}
	f.Err = se
	return &f
}

// connectFault gives an error of a connection attempt its class.
func (c *conn) connectFault(err error) error {
	err = c.fault(err)
	var se *serverError
	if errors.As(err, &se) && (se.code == authFailed || se.code == atlas) {
		return database.Refused(se).With(c.remedyLogin())
	}
	return err
}

// remedyLogin is for a password that was refused. DocumentDB has all its users in
// one database, and no restrictions of where they come from.
// Source: its developer guide, "Managing Amazon DocumentDB users" and
// "Authentication using IAM identity".
func (c *conn) remedyLogin() string {
	if c.amazon {
		return remedyIAM
	}
	return fmt.Sprintf(remedyLogin, c.place.authSource)
}

// isNoArgument reports whether a command had a field that the server does not know.
// Source: what DocumentDB has said to others ("authenticationRestrictions" is not a
// valid argument to createRole, code 2, no name: issue 575 of community.mongodb on
// GitHub).
func isNoArgument(err error) bool {
	var se *serverError
	return errors.As(err, &se) && se.code == badValue && strings.Contains(se.message, "is not a valid argument to")
}

// isDuplicate reports whether a user could not be made because it exists.
func isDuplicate(err error) bool {
	var se *serverError
	return errors.As(err, &se) && se.code == duplicate
}
