package oracle

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/sijms/go-ora/v2/network"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Codes that the driver itself acts on.
const (
	codeNoColumn      = 904
	codeNoTable       = 942 // or no right to see it
	codeSynonym       = 980 // it stands for nothing any more
	codeRefused       = 1017
	codeDenied        = 1031
	codeNoGrantOption = 1720
	codeNotGrantor    = 1927
	codeNoRoleGrant   = 1951
	codeNoSystemGrant = 1952
	codeNoObject      = 4043
	codeErrors        = 4063
	codeReused        = 28007
)

const (
	serviceName = "Correct the secret's dbname, which is the service name, or its sid, as `lsnrctl services` shows them."
	policy      = "The profile's password verify function did not take the password: adapt PASSWORD_LENGTH (30 at most), EXCLUDE_CHARACTERS and the other password settings to it, then cancel the pending rotation and rotate again: the pending password stays as it is until then."
	busy        = "Run the rotation again once nothing else works on the object or user."
	meanwhile   = "Another run has done the same at this moment: run the rotation again."
	standby     = "Point the secret's host and service at the primary database: a standby cannot change a password."
	pluggable   = "Point the secret's dbname at the service of the pluggable database, where local users live."
	packaged    = "A package grants it, which takes a role too (DBMS_AQADM for queues): let it grant the privilege to a role, grant that role to the user, and revoke the privilege from the user itself."
	byRoles     = "rdsadmin.rdsadmin_util grants what the master user of RDS has itself: let the user have the privilege by a role, such as SELECT_CATALOG_ROLE, and revoke it from the user itself."
	ddlTrigger  = "A trigger of the database raised the error: let it make an exception for the administrator's GRANT, REVOKE and ALTER USER."
	restarting  = "Wait until the database is open; Secrets Manager tries again."
)

// codes are the server's error codes whose class is the same at every step. They
// are the numbers after ORA-.
// Source: Oracle's "Database Error Messages".
var codes = map[int]rotation.Fault{
	codeRefused: {Class: rotation.LoginRefused},
	1005:        {Class: rotation.LoginRefused}, // no password given
	1040:        {Class: rotation.LoginRefused}, // invalid character in the password
	28040:       {Class: rotation.LoginRefused, Remedy: "Client and server share no login protocol: let SQLNET.ALLOWED_LOGON_VERSION_SERVER take one of them, and set the user's password anew."},
	28009:       {Class: rotation.LoginRefused, Remedy: "SYS logs in as SYSDBA alone: use another administrator."},
	1045:        {Class: rotation.MissingPrivilege, Remedy: "As an administrator: GRANT CREATE SESSION TO {user}; and rotate again."},

	28000: {Class: rotation.AccountLocked, Remedy: "Find out why: FAILED_LOGIN_ATTEMPTS of its profile, or an administrator. Then, as an administrator: ALTER USER {user} ACCOUNT UNLOCK; and rotate again."},
	28001: {Class: rotation.PasswordExpired, Remedy: "As an administrator, set the secret's AWSCURRENT password again; PASSWORD_LIFE_TIME of the profile must be longer than the time between rotations."},
	28002: {Class: rotation.PasswordExpired, Remedy: "The client takes the warning that the password will expire for an error (?): as an administrator, set the secret's AWSCURRENT password again; PASSWORD_LIFE_TIME of the profile must be longer than the time between rotations."},
	28011: {Class: rotation.PasswordExpired, Remedy: "As an administrator, set the secret's AWSCURRENT password again."},

	28003:      {Class: rotation.PasswordRejected, Remedy: policy},
	988:        {Class: rotation.PasswordRejected, Remedy: policy},
	972:        {Class: rotation.PasswordRejected, Remedy: "A name or the password is longer than this release takes: PASSWORD_LENGTH is 30 at most."},
	codeReused: {Class: rotation.PasswordRejected}, // PASSWORD_REUSE_TIME and _MAX: see serverFault
	// The password that opened the session is no longer the user's: another run
	// has set the new one since.
	28008: {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile},
	28221: {Class: rotation.MissingPrivilege, Remedy: "The profile's verify function wants the password that is replaced (REPLACE), which only its own user says: grant the administrator ALTER USER."},
	28228: {Class: rotation.MissingPrivilege, Remedy: "A user with an administrative privilege must say its old password: use ROTATION_STRATEGY=single-user."},
	28226: {Class: rotation.Unknown},

	codeDenied:        {Class: rotation.MissingPrivilege},
	codeNoTable:       {Class: rotation.MissingPrivilege},
	990:               {Class: rotation.MissingPrivilege, Remedy: packaged},
	1719:              {Class: rotation.MissingPrivilege},
	codeNoGrantOption: {Class: rotation.MissingPrivilege, Remedy: "The owner of the view lacks the grant option on what the view is made of, without which nobody else may use the view: grant it to the owner WITH GRANT OPTION."},
	codeNoObject:      {Class: rotation.Unavailable, Transient: true, Remedy: "An object was dropped meanwhile: run the rotation again."},
	codeErrors:        {Class: rotation.Unknown, Remedy: "The object that the message names has errors: whoever owns it mends or drops it; then rotate again."},
	codeSynonym:       {Class: rotation.Unknown, Remedy: "The synonym that the message names stands for an object that is gone: drop the synonym; then rotate again."},
	codeNoColumn:      {Class: rotation.Unknown, Remedy: "The server's catalog lacks a column that its release should have: report this with the release."},
	1749:              {Class: rotation.MissingPrivilege}, // to or from oneself
	codeNotGrantor:    {Class: rotation.MissingPrivilege},
	1929:              {Class: rotation.MissingPrivilege},
	1932:              {Class: rotation.MissingPrivilege},
	1934:              {Class: rotation.BadSecret, Remedy: "Roles may not be granted in a circle: the secret names a role where a user should be."},
	1950:              {Class: rotation.MissingPrivilege},
	1990:              {Class: rotation.MissingPrivilege},
	6550:              {Class: rotation.MissingPrivilege, Remedy: "The administrator may not run rdsadmin.rdsadmin_util: use the master user of RDS."},
	47410:             {Class: rotation.MissingPrivilege, Remedy: "Database Vault forbids it: grant the administrator the role DV_ACCTMGR, or authorise it in the realm."},

	1917: {Class: rotation.NoUser},
	1918: {Class: rotation.NoUser},
	1435: {Class: rotation.NoUser},
	1919: {Class: rotation.Unavailable, Transient: true, Remedy: "A role was dropped meanwhile: run the rotation again."},
	1924: {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile},
	1955: {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile},
	1920: {Class: rotation.Unavailable, Transient: true, Remedy: "Another run has made the clone at this moment: run the rotation again. If that does not help, a role has the clone's name: choose another CLONE_SUFFIX, or rename the role."},
	// Tolerated where they are expected.
	codeNoRoleGrant:   {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile},
	codeNoSystemGrant: {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile},
	959:               {Class: rotation.Unknown, Remedy: "A tablespace of the original user does not exist any more: give the user another one (DEFAULT TABLESPACE, TEMPORARY TABLESPACE), then rotate again."},
	2380:              {Class: rotation.Unknown, Remedy: "The profile of the original user does not exist any more: give the user another one (PROFILE), then rotate again."},
	1652:              {Class: rotation.Unavailable, Remedy: "Give the database space."},

	65048: {Class: rotation.BadSecret, Remedy: pluggable},
	65049: {Class: rotation.BadSecret, Remedy: pluggable},
	65096: {Class: rotation.BadSecret, Remedy: pluggable},
	65066: {Class: rotation.BadSecret, Remedy: pluggable},

	12504: {Class: rotation.NoDatabase, Remedy: serviceName},
	12505: {Class: rotation.NoDatabase, Remedy: serviceName},
	12514: {Class: rotation.NoDatabase, Remedy: serviceName},
	12521: {Class: rotation.NoDatabase, Remedy: serviceName},
	12506: {Class: rotation.Unreachable, Remedy: "The listener lets nobody in from here: its access control list or valid node list."},
	12546: {Class: rotation.Unreachable, Remedy: "The listener lets nobody in from here: its valid node list."},
	12516: {Class: rotation.TooManyConnections, Transient: true},
	12518: {Class: rotation.TooManyConnections, Transient: true},
	12519: {Class: rotation.TooManyConnections, Transient: true},
	12520: {Class: rotation.TooManyConnections, Transient: true},
	18:    {Class: rotation.TooManyConnections, Transient: true},
	20:    {Class: rotation.TooManyConnections, Transient: true},
	2391:  {Class: rotation.TooManyConnections, Transient: true, Remedy: "Raise SESSIONS_PER_USER of the user's profile, or free sessions."},

	1033:  {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	1034:  {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	1035:  {Class: rotation.Unavailable, Remedy: "The database is open for administrators alone (RESTRICTED SESSION)."},
	1089:  {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	1090:  {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	1092:  {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	1109:  {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	12526: {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	12527: {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	12528: {Class: rotation.Unavailable, Transient: true, Remedy: restarting},
	28:    {Class: rotation.Unavailable, Transient: true}, // killed by an administrator
	1012:  {Class: rotation.Unavailable, Transient: true}, // not logged on, by now
	28365: {Class: rotation.Unavailable, Remedy: "The database's encryption wallet is not open: ADMINISTER KEY MANAGEMENT SET KEYSTORE OPEN."},

	54:    {Class: rotation.Unavailable, Transient: true, Remedy: busy},
	60:    {Class: rotation.Unavailable, Transient: true, Remedy: busy}, // deadlock
	4020:  {Class: rotation.Unavailable, Transient: true, Remedy: busy},
	4021:  {Class: rotation.Timeout, Remedy: busy},
	2049:  {Class: rotation.Timeout, Remedy: busy},
	2396:  {Class: rotation.Timeout, Remedy: "Raise IDLE_TIME of the user's profile."},
	2399:  {Class: rotation.Timeout, Remedy: "Raise CONNECT_TIME of the user's profile."},
	1013:  {Class: rotation.Timeout},
	12170: {Class: rotation.Unreachable, Transient: true},
	12535: {Class: rotation.Unreachable, Transient: true},
	3113:  {Class: rotation.Unreachable, Transient: true},
	3114:  {Class: rotation.Unreachable, Transient: true},
	3135:  {Class: rotation.Unreachable, Transient: true},
	12537: {Class: rotation.Unreachable, Transient: true},
	12541: {Class: rotation.Unreachable, Transient: true},
	12545: {Class: rotation.Unreachable, Transient: true},
	12547: {Class: rotation.Unreachable, Transient: true},
	12564: {Class: rotation.Unreachable, Remedy: "The listener refuses the connection and does not say why: see its log."},

	12660: {Class: rotation.TLS, Remedy: "The server demands native network encryption and shares no algorithm with the client: use TCPS."},
	12696: {Class: rotation.TLS, Remedy: "The server demands TLS and native network encryption at once: SQLNET.IGNORE_ANO_ENCRYPTION_FOR_TCPS=TRUE in its sqlnet.ora."},

	16000: {Class: rotation.ReadOnly, Remedy: standby},
	16456: {Class: rotation.ReadOnly, Remedy: standby},
	16397: {Class: rotation.ReadOnly, Remedy: standby},
}

// isCode reports whether err is the server's error of one of these codes.
func isCode(err error, wanted ...int) bool {
	var oe *network.OracleError
	if !errors.As(err, &oe) {
		return false
	}
	for _, code := range wanted {
		if oe.ErrCode == code {
			return true
		}
	}
	return false
}

// isRaised reports whether a program in the database raised err.
// Source: PL/SQL Packages and Types Reference, "RAISE_APPLICATION_ERROR".
func isRaised(err error) bool {
	var oe *network.OracleError
	return errors.As(err, &oe) && oe.ErrCode >= 20000 && oe.ErrCode <= 20999
}

func isPrivilege(err error) bool {
	var oe *network.OracleError
	return errors.As(err, &oe) && codes[oe.ErrCode].Class == rotation.MissingPrivilege
}

// lasting reports whether err is the server's last word on a statement.
func lasting(err error) bool {
	var oe *network.OracleError
	return errors.As(err, &oe) && !codes[oe.ErrCode].Transient
}

// fault gives an error of a session its class. A nil error stays nil, and an
// error that is not the server's stays as it is.
func fault(err error) error {
	var f *rotation.Fault
	var oe *network.OracleError
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case errors.As(err, &oe):
		return serverFault(oe)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, errOnce), errors.Is(err, network.ErrConnReset):
		return &rotation.Fault{Class: rotation.Unreachable, Err: fmt.Errorf("the connection broke: %w", err), Transient: true}
	}
	return err
}

func serverFault(oe *network.OracleError) *rotation.Fault {
	f, known := codes[oe.ErrCode]
	switch {
	case oe.ErrCode == codeReused:
		return database.Reused(&serverError{oe})
	case known:
	case isRaised(oe): // by a verify function, or by a trigger
		f = rotation.Fault{Class: rotation.PasswordRejected, Remedy: policy + " If the message is of no password: a trigger of the database raised it."}
	default:
		f.Class = rotation.Unknown
	}
	f.Err = &serverError{oe}
	return &f
}

// loginFault gives an error of a login its class.
func loginFault(err error) error {
	var oe *network.OracleError
	if isCode(err, 1045, 28001) && errors.As(err, &oe) { // CREATE SESSION, and the age, come after the password
		return database.PasswordTaken(serverFault(oe))
	}
	if !isCode(err, codeRefused, 1005, 1040) {
		return fault(err)
	}
	return database.Refused(fault(err)).With("Put a password that works into the secret's AWSCURRENT version, then rotate it again. " +
		"Oracle says the same of a user that does not exist, and of one whose name has lower-case letters and is not in double quotes in the secret.")
}

// serverError prints what the server said, without the place in the statement.
type serverError struct{ oe *network.OracleError }

func (e *serverError) Error() string {
	if text := strings.TrimSpace(e.oe.ErrMsg); text != "" {
		return strings.Join(strings.Fields(text), " ")
	}
	return fmt.Sprintf("ORA-%05d", e.oe.ErrCode)
}

func (e *serverError) Unwrap() error { return e.oe }

func noUser(name string) error {
	return rotation.Fail(rotation.NoUser, "there is no user %s in the database", ident(name)).
		With("Correct the secret's username: Oracle takes a name without double quotes in upper case. In a container database, see that dbname is the service of the pluggable database.")
}

// lacks says what gives the session what it lacks for a statement that ended
// with err.
func (c *conn) lacks(err error, f *facts, privilege need) error {
	var oe *network.OracleError
	if !errors.As(err, &oe) || !isPrivilege(err) {
		return fault(err)
	}
	if fault := serverFault(oe); fault.Remedy != "" {
		return fault
	}
	return serverFault(oe).With("As an administrator: " + privilege.to(f.self))
}

// altering explains why the session may not change a user.
func (c *conn) altering(err error, f *facts, name string) error {
	var oe *network.OracleError
	switch {
	case name != f.self:
		return c.lacks(err, f, alterUser)
	case isCode(err, codeDenied) && errors.As(err, &oe):
		return serverFault(oe).With("The user may not change its own password (Database Vault or a trigger forbids it). " +
			"Use ROTATION_STRATEGY=single-user-by-administrator or alternating-users, with an administrator in masterarn.")
	}
	return fault(err)
}
