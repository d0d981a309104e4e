package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"

	mysql "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Codes that the driver itself acts on.
const (
	codeCannotUser   = 1396 // "Operation ... failed for": SHOW WARNINGS may know why
	codeOption       = 1290 // the server runs with an option that forbids it
	codeLimit        = 1226 // of one account
	codeNoTable      = 1146
	codeNoColumn     = 1054
	codeNoRoutine    = 1305
	codeNoGrant      = 1141 // nothing to revoke
	codeNoTableGrant = 1147
	codeNoProcGrant  = 1403
	codeWrongCurrent = 3891 // REPLACE names another password than the primary
	codeNoCurrent    = 3892 // PASSWORD REQUIRE CURRENT, and no REPLACE
	codeEmptyOld     = 3878 // an empty password cannot be retained
	codeNewPlugin    = 3894 // nor one of another plug-in
	codeNotRetained  = 3895
	codeReused       = 3638
	codePolicy       = 1819
	codeDefiner      = 4006 // MySQL: the account is the definer of something
)

// codes are the server's error codes whose class is the same at every step.
// Source: MySQL manual, "Server Error Message Reference"; MariaDB's "MariaDB
// Error Code Reference". Above 4000, and from 1900 to 3000, the two differ.
var codes = map[uint16]rotation.Fault{
	1040:      {Class: rotation.TooManyConnections, Transient: true},
	1203:      {Class: rotation.TooManyConnections, Transient: true}, // of this user
	codeLimit: {Class: rotation.TooManyConnections, Remedy: hour},    // at the login see raise

	1044:        {Class: rotation.MissingPrivilege},
	1045:        {Class: rotation.MissingPrivilege}, // of a statement; of a login see connectCodes
	1142:        {Class: rotation.MissingPrivilege},
	1143:        {Class: rotation.MissingPrivilege},
	1227:        {Class: rotation.MissingPrivilege},
	1370:        {Class: rotation.MissingPrivilege},
	1698:        {Class: rotation.MissingPrivilege},
	3879:        {Class: rotation.MissingPrivilege},
	codeDefiner: {Class: rotation.MissingPrivilege}, // to MariaDB it means something else, which no statement of ours gets

	codeNoCurrent:    {Class: rotation.MissingPrivilege}, // see unproven
	codeWrongCurrent: {Class: rotation.MissingPrivilege, Remedy: "The account's primary password is none of the secret's: as an administrator, set it to the secret's AWSCURRENT password."},

	1049:           {Class: rotation.NoDatabase},
	1133:           {Class: rotation.NoUser}, // MariaDB: GRANT names no user
	1410:           {Class: rotation.NoUser}, // MySQL 8: the same
	codeCannotUser: {Class: rotation.NoUser},
	codeNoTable:    {Class: rotation.Unknown},

	codePolicy: {Class: rotation.PasswordRejected},
	1820:       {Class: rotation.PasswordExpired, Remedy: setAgain},
	1862:       {Class: rotation.PasswordExpired, Remedy: setAgain},
	3118:       {Class: rotation.AccountLocked, Remedy: unlock},
	3955:       {Class: rotation.AccountLocked, Remedy: "Too many logins failed (FAILED_LOGIN_ATTEMPTS): find out who logs in with a wrong password. " + unlock},
	4150:       {Class: rotation.AccountLocked, Remedy: "Too many logins failed (max_password_errors): FLUSH PRIVILEGES; unblocks the user. Find out who logs in with a wrong password."},
	4151:       {Class: rotation.AccountLocked, Remedy: unlock},

	1792: {Class: rotation.ReadOnly},
	1836: {Class: rotation.ReadOnly},

	1047: {Class: rotation.Unavailable, Transient: true}, // a Galera node that is not ready
	1053: {Class: rotation.Unavailable, Transient: true}, // shutting down
	3032: {Class: rotation.Unavailable, Transient: true, Remedy: "The server is in offline mode, and lets administrators in alone. As one of them: SET GLOBAL offline_mode = OFF; then rotate again."},
	1213: {Class: rotation.Unavailable, Transient: true}, // deadlock
	1205: {Class: rotation.Timeout, Remedy: locked},
	1317: {Class: rotation.Timeout, Remedy: "Somebody or something ended the statement: find out what, and rotate again."},
	1969: {Class: rotation.Timeout, Remedy: lockedMaria},
	3024: {Class: rotation.Timeout, Remedy: "Raise max_execution_time, or find what the statement waited for."},

	3159: {Class: rotation.TLS, Remedy: `The server takes encrypted connections only: leave "ssl" out of the secret, or set it to true.`},
}

// connectCodes are those that mean something else at the login.
var connectCodes = map[uint16]rotation.Fault{
	1044: {Class: rotation.NoDatabase, Remedy: "The user may not open the secret's dbname: correct it, leave it out, or grant the user something there."},
	1129: {Class: rotation.Unreachable, Remedy: "The server blocks this host after too many broken connections: TRUNCATE TABLE performance_schema.host_cache; or FLUSH HOSTS; unblocks it."},
	// Neither password would do: it is no ErrLoginRefused.
	1130: {Class: rotation.LoginRefused, Remedy: "The server has no account for any user from the function's address: give {user} one whose host is that address, or '%'."},
	1251: {Class: rotation.LoginRefused, Remedy: "The account's authentication plug-in is too old: give {user} a current one (ALTER USER with IDENTIFIED WITH caching_sha2_password), and the password of AWSCURRENT."},
}

// isCode reports whether err is the server's error of one of these codes.
func isCode(err error, wanted ...uint16) bool {
	var me *mysql.MySQLError
	if !errors.As(err, &me) {
		return false
	}
	for _, code := range wanted {
		if me.Number == code {
			return true
		}
	}
	return false
}

// isTooMany: the user has as many sessions as it may (MAX_USER_CONNECTIONS). The name
// of the limit is not translated.
func isTooMany(err error) bool {
	var me *mysql.MySQLError
	return errors.As(err, &me) && me.Number == codeLimit && strings.Contains(me.Message, "max_user_connections")
}

// isReused: the server takes no password that the account has or had, by MySQL's
// PASSWORD HISTORY and REUSE INTERVAL, or by MariaDB's plug-in, whose name is not
// translated.
// Source: MariaDB's "Password Reuse Check Plugin".
func isReused(err error) bool {
	var me *mysql.MySQLError
	return errors.As(err, &me) && (me.Number == codeReused || me.Number == codePolicy && strings.Contains(me.Message, "password_reuse_check"))
}

func isPrivilege(err error) bool {
	var me *mysql.MySQLError
	return errors.As(err, &me) && codes[me.Number].Class == rotation.MissingPrivilege
}

// fault gives an error of a session its class. A nil error stays nil, and an
// error that is not the server's stays as it is.
func fault(err error) error {
	var f *rotation.Fault
	var me *mysql.MySQLError
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case errors.As(err, &me):
		return serverFault(me)
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, driver.ErrBadConn), errors.Is(err, errOnce):
		return &rotation.Fault{Class: rotation.Unreachable, Err: fmt.Errorf("the connection broke: %w", err), Transient: true}
	}
	return err
}

func serverFault(me *mysql.MySQLError) *rotation.Fault {
	f, known := codes[me.Number]
	switch {
	case isTooMany(me):
		f.Remedy = raise
	case me.Number == codeOption && strings.Contains(me.Message, "read-only"): // --read-only, --super-read-only; the name is not translated
		f.Class = rotation.ReadOnly
	case isReused(me):
		return database.Reused(&serverError{me})
	case !known:
		f.Class = rotation.Unknown
	}
	f.Err = &serverError{me}
	return &f
}

// unlock prints the statements: a user may have several accounts, and the server
// does not say which one it took.
const unlock = "Run as an administrator what this prints, then rotate again: SELECT CONCAT('ALTER USER ', QUOTE(user), '@', QUOTE(host), ' ACCOUNT UNLOCK;') FROM mysql.user WHERE user = {user};"

// locked prints who holds what a change of users waits for: the locks of all tables,
// such as a backup takes, and those of the tables that users are in. A statement may
// wait for as long as the step lasts.
const locked = "Somebody held a lock that a change of users needs, until the step's time was up: a backup, FLUSH TABLES WITH READ LOCK, LOCK TABLES, or a transaction that has read the tables of the schema mysql. Let that end (UNLOCK TABLES, COMMIT), or end it. " +
	"Run as an administrator what this prints, then rotate again: " +
	"SELECT DISTINCT CONCAT('KILL ', t.PROCESSLIST_ID, ';') FROM performance_schema.metadata_locks m JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID " +
	"WHERE m.LOCK_STATUS = 'GRANTED' AND m.LOCK_DURATION <> 'STATEMENT' AND (m.OBJECT_TYPE IN ('GLOBAL', 'COMMIT', 'BACKUP LOCK') OR m.OBJECT_SCHEMA = 'mysql') AND t.PROCESSLIST_ID <> CONNECTION_ID();"

// lockedMaria is the same where nothing shows who holds a lock. 1969 is that the
// statement has lasted as long as the step.
const lockedMaria = "The statement has taken until the step's time was up. If the server is not only slow, somebody held a lock that a change of users needs: a backup, FLUSH TABLES WITH READ LOCK, LOCK TABLES, BACKUP STAGE. " +
	"Let that end (UNLOCK TABLES, BACKUP STAGE END), or end it (SHOW FULL PROCESSLIST names the sessions, KILL ends one); then rotate again."

// hour is about limits per hour, of which the message names one.
const hour = "Wait until the hour is over, or run as an administrator, which begins it anew: FLUSH USER_RESOURCES; then rotate again. " +
	"If the rotation itself takes more than the limit that the message names, raise that (ALTER USER)."

// raise prints the statements, as unlock does.
const raise = "A rotation takes two sessions of the user at once, beside the application's. Run as an administrator what this prints, then rotate again: " +
	"SELECT CONCAT('ALTER USER ', QUOTE(user), '@', QUOTE(host), ' WITH MAX_USER_CONNECTIONS ', max_user_connections + 2, ';') FROM mysql.user WHERE user = {user} AND max_user_connections > 0;"

// setAgain: an account whose password has expired stays so when its policy is
// changed.
const setAgain = "As an administrator, set the password that AWSCURRENT has once more (ALTER USER with IDENTIFIED BY), which begins its time anew; then rotate again. " +
	"PASSWORD EXPIRE INTERVAL, or default_password_lifetime, must be longer than the time between rotations."

// connectFault gives an error of a connection attempt its class.
func connectFault(err error) error {
	var me *mysql.MySQLError
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		return fmt.Errorf("%w: %w", database.ErrNoTLS, err)
	case errors.Is(err, mysql.ErrMalformPkt):
		// The client driver cuts a NUL off the end of ed25519's challenge, which is
		// random: one login in 256 ends here, before it has proven anything
		// (readAuthResult in packets.go of version 1.10.1).
		return &rotation.Fault{Class: rotation.Unreachable, Err: fmt.Errorf("the server's part of the login is not understood: %w", err), Transient: true}
	case errors.Is(err, mysql.ErrUnknownPlugin), errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrOldPassword):
		return rotation.Fail(rotation.LoginRefused, "the account does not log in with a password that the server checks itself: %w", err).
			With("Users of IAM, PAM, LDAP and the like have no password to rotate: give {user} a plug-in for passwords (ALTER USER with IDENTIFIED WITH), or rotate another user.")
	case !errors.As(err, &me):
		return fault(err)
	}
	f := serverFault(me)
	if at, ok := connectCodes[me.Number]; ok {
		at.Err = f.Err
		f = &at
	}
	if isCode(me, 1044, 1049, 1862, 3118, 4151) { // the database, the age and the lock come after the password
		return database.PasswordTaken(f)
	}
	if me.Number == 1045 || me.Number == 1698 {
		return database.Refused(f.Err).With("Put a password that works into the secret's AWSCURRENT version, then rotate it again. " +
			"The server says the same if the account demands TLS (REQUIRE) or has no entry for the function's address.")
	}
	return f
}

// serverError prints what the server said. A message about syntax is left out:
// it quotes the statement.
type serverError struct{ me *mysql.MySQLError }

func (e *serverError) Error() string {
	if e.me.Number == 1064 || e.me.Number == 1149 {
		return fmt.Sprintf("the server does not understand the statement, error %d", e.me.Number)
	}
	return fmt.Sprintf("%s, error %d", e.me.Message, e.me.Number)
}

func (e *serverError) Unwrap() error { return e.me }

// lacks says which GRANT gives the session what it lacks for a statement that
// ended with err.
func (c *conn) lacks(err error, f *facts, remedy string) error {
	var me *mysql.MySQLError
	if !errors.As(err, &me) || !isPrivilege(err) {
		return fault(err)
	}
	if strings.Contains(me.Message, systemUser) { // which it needs besides
		remedy = "GRANT " + systemUser + " ON *.* TO " + f.self.String()
	}
	if me.Number == codeDefiner {
		remedy = "GRANT " + f.definerless() + " ON *.* TO " + f.self.String()
	}
	if c.login.User == f.self.user {
		return serverFault(me).With("As an administrator: " + remedy + "; then rotate again.")
	}
	return serverFault(me).With(fmt.Sprintf("As an administrator: %s; then rotate again. (%q logs in as %s.)", remedy, c.login.User, f.self))
}

// unproven says what to do about an account that wants the password in force
// proven, which no version of the secret has.
func unproven(err error, f *facts) error {
	var me *mysql.MySQLError
	if !errors.As(err, &me) || me.Number != codeNoCurrent {
		return fault(err)
	}
	return serverFault(me).With(optional(f))
}

// optional is a statement after which the account's owner need not prove the
// password in force.
func optional(f *facts) string {
	return "As an administrator: ALTER USER " + f.self.String() + " PASSWORD REQUIRE CURRENT OPTIONAL; then rotate again."
}

// reason looks behind "Operation ALTER USER failed" (1396), with which MariaDB
// ends a statement about users whatever the matter was.
func (c *conn) reason(ctx context.Context, err error) error {
	warnings, werr := c.rows(ctx, "SHOW WARNINGS")
	if werr != nil {
		return err
	}
	for _, w := range warnings { // level, code, message
		number, _ := strconv.ParseUint(w[1], 10, 16)
		if w[0] == "Error" && number != 0 && number != codeCannotUser {
			return &mysql.MySQLError{Number: uint16(number), Message: w[2]}
		}
	}
	return err
}
