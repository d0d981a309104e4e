package redshift

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

const meanwhile = "Another run has made the same user, group member or grant at this moment: run the rotation again."

// codes are the SQLSTATEs whose class is the same at every step. Redshift
// documents none; they are those of the PostgreSQL that it comes from (8.0
// manual, appendix A) and what its users report. Redshift has XX000 for much
// of its own: error 1023 (serializable isolation violation), error 1018
// (relation was dropped meanwhile), changes of one catalog row at a time.
var codes = pgwire.Codes{
	"28000": {Class: rotation.LoginRefused},
	"28P01": {Class: rotation.LoginRefused},
	"3D000": {Class: rotation.NoDatabase},
	"53300": {Class: rotation.TooManyConnections, Transient: true},
	"42501": {Class: rotation.MissingPrivilege},
	"25006": {Class: rotation.ReadOnly},
	"57P01": {Class: rotation.Unavailable, Transient: true}, // shut down: a restart, a resize
	"57P02": {Class: rotation.Unavailable, Transient: true}, // another session crashed
	"57P03": {Class: rotation.Unavailable, Transient: true}, // starting up
	"40001": {Class: rotation.Unavailable, Transient: true}, // serialization failure
	"40P01": {Class: rotation.Unavailable, Transient: true}, // deadlock
	"42710": {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile},
	"23505": {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile}, // the same, seen a moment later: PostgreSQL has it
	"XX000": {Class: rotation.Unavailable, Transient: true, Remedy: "Run the rotation again; if it stays, look into STL_ERROR or SYS_QUERY_HISTORY."},
	"58000": {Class: rotation.Unavailable, Transient: true, Remedy: "Run the rotation again; if it stays, look at the cluster's health."},
	"42704": {Class: rotation.NoUser, Remedy: "Correct the secret's username. If the message names a group or role, it was dropped meanwhile: run the rotation again."},
	"42P01": {Class: rotation.Unavailable, Remedy: "The cluster lacks one of the SVV_ views of privileges: let it update to the current maintenance track."},
	"57014": {Class: rotation.Timeout, Remedy: "Raise the user's statement_timeout, or find the query monitoring rule that ended the statement."},
	"55P03": {Class: rotation.Timeout, Remedy: "Find what holds the lock (SVV_TRANSACTIONS)."},
}

// connectFault gives an error of a connection attempt its class.
func connectFault(err error) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		// Authentication message 13 is Redshift's own, for passwords that were set
		// as sha256 hashes.
		if strings.Contains(err.Error(), "unknown authentication type") {
			return (&rotation.Fault{Class: rotation.LoginRefused, Err: err}).With("The server keeps this user's password as a SHA-256 hash, which only Amazon's own drivers can prove. " +
				"Set it anew as text or as an MD5 hash (ALTER USER {user} PASSWORD), as the rotation does.")
		}
		return pgwire.NoTLS(err)
	}
	f := codes.Server(pe)
	switch {
	case f.Class != rotation.LoginRefused:
		return f
	case pe.Routine == "ClientAuthentication", strings.Contains(pe.Message, "pg_hba.conf"):
		return f.With("The cluster lets nobody in from here with these settings: with require_ssl in its parameter group, TLS is required.")
	}
	// Redshift, as PostgreSQL 8.0, has one code for all refusals.
	return database.Refused(f.Err).With("Put a password that works into the secret's AWSCURRENT version, then rotate it again. " +
		"A password is refused too when the user's VALID UNTIL is past or its password is disabled (PASSWORD DISABLE).")
}

// altering explains why the session may not change a user.
func (c *conn) altering(err error, user string) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != "42501" {
		return codes.Fault(err)
	}
	if user == c.login.User {
		return codes.Server(pe).With("The user may not change its own password, as one whose password is disabled may not. " +
			"Use ROTATION_STRATEGY=single-user-by-administrator or alternating-users, with an administrator in masterarn.")
	}
	return codes.Server(pe).With(superuserRemedy(c.login.User))
}

func superuserRemedy(admin string) string {
	return "Use a superuser as administrator. Another superuser makes one: ALTER USER " + pgwire.Ident(admin) + " CREATEUSER;"
}
