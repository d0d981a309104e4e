package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// facts are what has to be known of a role before its password is set.
type facts struct {
	user       string
	canLogin   bool
	expired    bool // VALID UNTIL is past
	replica    bool // the server is a standby
	encryption string
	iterations int  // of SCRAM
	isSession  bool // the role logged in to this session
	isCurrent  bool // and this session acts as it
}

const queryFacts = `/* rotor: role facts */
SELECT r.rolcanlogin, coalesce(r.rolvaliduntil < pg_catalog.now(), false), pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('password_encryption'),
       coalesce(pg_catalog.current_setting('scram_iterations', true), '4096')::int4, -- a setting since version 16
       r.rolname = session_user, r.rolname = current_user
FROM pg_catalog.pg_roles r WHERE r.rolname = $1`

// facts reads the role's facts. It fails where a new password would be of no
// use, or cannot be set.
func (c *conn) facts(ctx context.Context, user string) (facts, error) {
	f := facts{user: user}
	err := c.pg.QueryRow(ctx, queryFacts, user).Scan(&f.canLogin, &f.expired, &f.replica, &f.encryption, &f.iterations, &f.isSession, &f.isCurrent)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return f, rotation.Fail(rotation.NoUser, "there is no role %q on the server", user)
	case err != nil:
		return f, fault(err)
	case f.replica:
		return f, rotation.Fail(rotation.ReadOnly, "the server is a standby (it is in recovery)")
	case !f.canLogin:
		return f, rotation.Fail(rotation.AccountLocked, "the role %q may not log in (NOLOGIN)", user).
			With("ALTER ROLE " + pgwire.Ident(user) + " LOGIN;")
	case f.expired:
		return f, rotation.Fail(rotation.PasswordExpired, "the role %q has a VALID UNTIL that is past, so that no password works", user).
			With("ALTER ROLE " + pgwire.Ident(user) + " VALID UNTIL 'infinity';")
	}
	return f, nil
}
