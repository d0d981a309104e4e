package postgres

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// codes are the SQLSTATEs whose class is the same at every step.
// Source: PostgreSQL manual, appendix A "PostgreSQL Error Codes".
var codes = pgwire.Codes{
	"28000":  {Class: rotation.LoginRefused},
	"28P01":  {Class: rotation.LoginRefused},
	"3D000":  {Class: rotation.NoDatabase},
	"53300":  {Class: rotation.TooManyConnections, Transient: true},
	"42501":  {Class: rotation.MissingPrivilege},
	"25006":  {Class: rotation.ReadOnly},
	"57P01":  {Class: rotation.Unavailable, Transient: true}, // shut down by the administrator
	"57P02":  {Class: rotation.Unavailable, Transient: true}, // another session crashed
	"57P03":  {Class: rotation.Unavailable, Transient: true}, // starting up
	"40001":  {Class: rotation.Unavailable, Transient: true}, // serialization failure
	"40P01":  {Class: rotation.Unavailable, Transient: true}, // deadlock
	"42710":  {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile},
	"23505":  {Class: rotation.Unavailable, Transient: true, Remedy: meanwhile}, // the same, seen a moment later
	"XX000":  {Class: rotation.Unavailable, Transient: true, Remedy: "Run the rotation again; if it stays, look into the server's log."},
	"42704":  {Class: rotation.NoUser},
	"57014":  {Class: rotation.Timeout, Remedy: "Somebody has cancelled the statement (pg_cancel_backend), or the user's statement_timeout is shorter than SELECT 1 takes (psql: \\drds). Rotate again."},
	lockHeld: {Class: rotation.Timeout, Remedy: "This prints who waits for whom. As an administrator, while a rotation waits: SELECT pid, usename, pg_blocking_pids(pid) FROM pg_stat_activity WHERE application_name = 'rotor'; let those commit or roll back, then rotate again."},
	"25P03":  {Class: rotation.Timeout, Remedy: "Raise the idle_in_transaction_session_timeout that was set for the user or the database (psql: \\drds)."},
	"25P04":  {Class: rotation.Timeout, Remedy: "Raise the transaction_timeout that was set for the user or the database (psql: \\drds)."},
	"57P05":  {Class: rotation.Timeout, Remedy: "Raise the idle_session_timeout that was set for the user or the database (psql: \\drds)."},
}

const meanwhile = "Another run has made the same role or grant at this moment: run the rotation again."

// fault gives an error of a session its class. A nil error stays nil, and an
// error that is not the server's stays as it is.
func fault(err error) error { return codes.Fault(err) }

// connectFault gives an error of a connection attempt, with or without TLS, its
// class.
func connectFault(err error, encrypted bool) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return pgwire.NoTLS(err)
	}
	f := codes.Server(pe)
	if pe.Code == "08P01" && strings.Contains(pe.Message, "authentication failed") { // PgBouncer, which has no other code for it
		return database.Refused(f.Err).With("Put a password that works into the secret's AWSCURRENT version, then rotate it again. A pooler may keep passwords of its own.")
	}
	if pe.Code != "28000" && pe.Code != "28P01" {
		return f
	}
	// The server's messages are translated; the name of its routine is not.
	switch pe.Routine {
	case "InitializeSessionUserId":
		f.Class = rotation.AccountLocked
		return f.With("As an administrator: ALTER ROLE {user} LOGIN; then rotate again.")
	case "ClientAuthentication":
		if !encrypted {
			f.Class = rotation.TLS
			return f.With(`The server lets this user in with TLS alone, it seems: take "ssl": false out of the secret, or TLS_FALLBACK out of the function.`)
		}
		return f.With("No rule of the server (pg_hba.conf) lets this user in from here with these settings.")
	case "auth_failed":
		if pe.Code == "28000" { // another way than a password: on RDS, PAM is IAM authentication
			return database.Refused(f.Err).With("The server does not check this user's password itself. On RDS, members of rds_iam log in with IAM and cannot use a password: REVOKE rds_iam FROM the user.")
		}
	}
	return database.Refused(f.Err).With("Put a password that works into the secret's AWSCURRENT version, then rotate it again. A password is refused too when the role's VALID UNTIL is past.")
}
