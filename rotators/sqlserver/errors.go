package sqlserver

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Remedies that several codes share.
const (
	remedyPolicy  = "Adapt PASSWORD_LENGTH and the other password settings to the policy of the server's Windows (or Active Directory), then cancel the pending rotation and rotate again: the pending password stays as it is until then."
	remedyPrimary = "Point the secret's host at the primary replica (the listener of the availability group): a secondary cannot change a password."
	remedyAzure   = "Azure SQL Database and Synapse are not supported: a session cannot change its database there. Rotate such users by other means; SQL Server 2016 and later, Amazon RDS and managed instances are supported."
	remedyOld     = "SQL Server 2016 and later are supported, also on Amazon RDS: upgrade the server, or rotate its users by other means."
	remedyTaken   = "A user or a role of that name is in the database and is not the login's. If nobody needs it, drop it there (DROP USER, DROP ROLE); if it is somebody's, choose another CLONE_SUFFIX."
	remedyAgain   = "Another run has made the same principal or grant at this moment: run the rotation again. If it stays, somebody else's principal has that name."
)

// codes are the server's errors whose class is the same at every step.
// Source: Database Engine events and errors; for Azure SQL, "Troubleshoot
// transient connection errors".
var codes = map[int32]rotation.Fault{
	18456: {Class: rotation.LoginRefused},
	18452: {Class: rotation.LoginRefused, Remedy: "The server lets Windows accounts in only: turn on SQL Server and Windows Authentication mode."},
	18450: {Class: rotation.LoginRefused, Remedy: "The server lets Windows accounts in only: turn on SQL Server and Windows Authentication mode."},
	17892: {Class: rotation.LoginRefused, Remedy: "A logon trigger turned the login away: let it pass the function's host, program name (rotor) and time."},
	40615: {Class: rotation.LoginRefused, Remedy: "The server's firewall does not let the function's address in: add a rule."},
	18470: {Class: rotation.AccountLocked, Remedy: "The login is disabled. As an administrator: ALTER LOGIN {user} ENABLE; then rotate again."},
	18486: {Class: rotation.AccountLocked, Remedy: "Too many logins failed. Find out who logs in with a wrong password. Then, as an administrator: ALTER LOGIN {user} WITH PASSWORD = the password of AWSCURRENT UNLOCK; and rotate again."},
	15113: {Class: rotation.AccountLocked, Remedy: "Too many logins failed. Find out who logs in with a wrong password. Then, as an administrator: ALTER LOGIN {user} WITH PASSWORD = the password of AWSCURRENT UNLOCK; and rotate again."},
	18487: {Class: rotation.PasswordExpired, Remedy: "As an administrator, set the password of AWSCURRENT anew (ALTER LOGIN {user} WITH PASSWORD), then rotate again. Rotate more often than it expires, or turn CHECK_EXPIRATION off."},
	18488: {Class: rotation.PasswordExpired, Remedy: "The login must change its password. As an administrator, set that of AWSCURRENT anew, without MUST_CHANGE."},

	15114:      {Class: rotation.PasswordRejected, Remedy: "The password is too young to be changed: rotate less often, lower the policy's minimum password age, or use an administrator (ROTATION_STRATEGY)."},
	codeReused: {Class: rotation.PasswordRejected}, // see serverFault
	15116:      {Class: rotation.PasswordRejected, Remedy: remedyPolicy},
	15117:      {Class: rotation.PasswordRejected, Remedy: remedyPolicy},
	15118:      {Class: rotation.PasswordRejected, Remedy: remedyPolicy},
	15119:      {Class: rotation.PasswordRejected, Remedy: remedyPolicy},
	40632:      {Class: rotation.PasswordRejected, Remedy: remedyPolicy},
	33062:      {Class: rotation.PasswordRejected, Remedy: remedyPolicy}, // on Linux; so is 33064
	33064:      {Class: rotation.PasswordRejected, Remedy: remedyPolicy},

	229:   {Class: rotation.MissingPrivilege},
	230:   {Class: rotation.MissingPrivilege},
	262:   {Class: rotation.MissingPrivilege},
	297:   {Class: rotation.MissingPrivilege},
	300:   {Class: rotation.MissingPrivilege},
	916:   {Class: rotation.MissingPrivilege},
	4613:  {Class: rotation.MissingPrivilege}, // no GRANT option
	15151: {Class: rotation.MissingPrivilege}, // or it does not exist: the server does not tell
	15247: {Class: rotation.MissingPrivilege},

	207:   {Class: rotation.BadSecret, Remedy: remedyOld}, // a column, and with 208 a view, that such a server has
	208:   {Class: rotation.BadSecret, Remedy: remedyOld},
	40508: {Class: rotation.BadSecret, Remedy: remedyAzure}, // USE
	15023: {Class: rotation.NotItsTwin, Remedy: remedyTaken},

	911:   {Class: rotation.NoDatabase},
	4060:  {Class: rotation.NoDatabase, Remedy: "Correct the secret's dbname, or give the user a way into that database (CREATE USER {user} FOR LOGIN {user}; in it)."},
	4064:  {Class: rotation.NoDatabase, Remedy: "Name a database in the secret's dbname that the user may open, or change the login's DEFAULT_DATABASE."},
	942:   {Class: rotation.NoDatabase, Remedy: "The database is offline: bring it online, or name another one in the secret's dbname."},
	15007: {Class: rotation.NoUser},
	15008: {Class: rotation.NoUser},
	15410: {Class: rotation.NoUser},

	3906: {Class: rotation.ReadOnly, Remedy: "The database is read-only: make it writable for the time of the rotation, or take the user out of it."},
	3908: {Class: rotation.ReadOnly, Remedy: "The database is in bypass recovery mode and takes no change."},
	976:  {Class: rotation.ReadOnly, Remedy: remedyPrimary},
	978:  {Class: rotation.ReadOnly, Remedy: remedyPrimary},
	979:  {Class: rotation.ReadOnly, Remedy: remedyPrimary},
	982:  {Class: rotation.ReadOnly, Remedy: remedyPrimary},
	983:  {Class: rotation.Unavailable, Transient: true}, // the replica's role is not settled yet

	17809: {Class: rotation.TooManyConnections, Transient: true},
	10928: {Class: rotation.TooManyConnections, Transient: true},
	10929: {Class: rotation.TooManyConnections, Transient: true},
	924:   {Class: rotation.TooManyConnections, Remedy: "The database is in single-user mode: set it to MULTI_USER (ALTER DATABASE)."},
	18461: {Class: rotation.Unavailable, Remedy: "The server runs in single-user mode: start it as usual."},
	18451: {Class: rotation.Unavailable, Remedy: "Only administrators may connect now: wait until the server's work is done."},

	1205:  {Class: rotation.Unavailable, Transient: true}, // chosen as the victim of a deadlock
	15025: {Class: rotation.Unavailable, Transient: true, Remedy: remedyAgain},
	15063: {Class: rotation.Unavailable, Transient: true, Remedy: remedyAgain},
	922:   {Class: rotation.Unavailable, Transient: true}, // being recovered
	6005:  {Class: rotation.Unavailable, Transient: true}, // shutting down
	17142: {Class: rotation.Unavailable, Transient: true}, // paused
	17147: {Class: rotation.Unavailable, Transient: true}, // shutting down
	17189: {Class: rotation.Unavailable, Transient: true}, // no thread for the login
	17187: {Class: rotation.Unavailable, Transient: true}, // not ready yet
	18401: {Class: rotation.Unavailable, Transient: true}, // scripts of an upgrade run
	233:   {Class: rotation.Unreachable, Transient: true}, // the server closed the connection
	10054: {Class: rotation.Unreachable, Transient: true},
	40197: {Class: rotation.Unavailable, Transient: true}, // Azure: a reconfiguration, and so on to 49920
	40501: {Class: rotation.Unavailable, Transient: true},
	40613: {Class: rotation.Unavailable, Transient: true},
	49918: {Class: rotation.Unavailable, Transient: true},
	49919: {Class: rotation.Unavailable, Transient: true},
	49920: {Class: rotation.Unavailable, Transient: true},
	1222:  {Class: rotation.Timeout, Remedy: "Find what holds the lock, then rotate again."},
}

const (
	codeRefused = 18456
	codeReused  = 15115 // "cannot be used at this time": the policy's history
)

// serverErrorOf is the server's error in err that says most: of a database that
// cannot be opened, the server says that, and then that the login failed.
func serverErrorOf(err error) (mssql.Error, bool) {
	var me mssql.Error
	if !errors.As(err, &me) {
		return me, false
	}
	for _, one := range me.All {
		if _, known := codes[one.Number]; known && one.Number != codeRefused {
			return one, true
		}
	}
	return me, true
}

// fault gives an error of a session its class. A nil error stays nil.
func (c *conn) fault(err error) error {
	if err == nil {
		return nil
	}
	var f *rotation.Fault
	if errors.As(err, &f) {
		return err
	}
	if me, ok := serverErrorOf(err); ok {
		return database.Filled(serverFault(me), ident(c.login.User))
	}
	_, lost := c.wire.state()
	if lost != nil || errors.Is(err, driver.ErrBadConn) || errors.Is(err, errOnce) || errors.Is(err, io.EOF) {
		return &rotation.Fault{Class: rotation.Unreachable, Err: fmt.Errorf("the connection broke: %w", errors.Join(err, lost)), Transient: true}
	}
	return err
}

func serverFault(me mssql.Error) *rotation.Fault {
	f, known := codes[me.Number]
	switch {
	case me.Number == codeReused:
		return database.Reused(&serverError{me})
	case !known:
		f.Class = rotation.Unknown
	}
	f.Err = &serverError{me}
	return &f
}

// loginFault gives the server's answer to a login its class.
func loginFault(err error) error {
	me, _ := serverErrorOf(err)
	f := serverFault(me)
	if me.Number == codeRefused {
		return database.Refused(f.Err).With("Put a password that works into the secret's AWSCURRENT version, then rotate it again. " +
			"Why the server refused (an unknown login, a wrong password, no right to the database of a contained user) stands in its error log, as the state of error 18456.")
	}
	switch me.Number {
	case 4060, 4064, 18470, 18487, 18488: // the database, whether it is disabled, and the age come after the password
		return database.PasswordTaken(f)
	}
	return f
}

// A serverError prints what the server said. A message about syntax is left out:
// it quotes the statement.
type serverError struct{ me mssql.Error }

const classSyntax = 15 // Source: Database Engine error severities

func (e *serverError) Error() string {
	if e.me.Class == classSyntax {
		return fmt.Sprintf("the server does not understand the statement, error %d", e.me.Number)
	}
	return fmt.Sprintf("%s, error %d", strings.TrimPrefix(e.me.Message, "login error: "), e.me.Number)
}

func (e *serverError) Unwrap() error { return e.me }

// isClass reports whether err has a class.
func isClass(err error, class rotation.Class) bool {
	var f *rotation.Fault
	return errors.As(err, &f) && f.Class == class
}

// lacking puts a remedy to an error of a missing privilege.
func lacking(err error, remedy string) error {
	var f *rotation.Fault
	if !errors.As(err, &f) || f.Class != rotation.MissingPrivilege {
		return err
	}
	return f.With(remedy)
}
