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
	shut       bool // CONNECTION LIMIT is 0, which binds all but superusers
	replica    bool // the server is a standby
	md5        bool // the server's configuration wants MD5
	iterations int  // of SCRAM
}

// Of settings the server's own count: not what ALTER ROLE or ALTER DATABASE has
// preset, which users and owners of databases may do.
const queryFacts = `/* rotor: role facts */
WITH ours AS (SELECT name, setting FROM pg_catalog.pg_settings
              WHERE source IN ('default', 'environment variable', 'configuration file', 'command line', 'global'))
SELECT r.rolcanlogin, coalesce(r.rolvaliduntil < pg_catalog.now(), false), r.rolconnlimit = 0 AND NOT r.rolsuper, pg_catalog.pg_is_in_recovery(),
       coalesce((SELECT setting FROM ours WHERE name = 'password_encryption'), '') = 'md5',
       coalesce((SELECT setting FROM ours WHERE name = 'scram_iterations'), '4096')::int4 -- since version 16
FROM pg_catalog.pg_roles r WHERE r.rolname = $1`

// facts reads the role's facts. It fails where a new password would be of no
// use, or cannot be set.
func (c *conn) facts(ctx context.Context, tx pgx.Tx, user string) (facts, error) {
	f := facts{user: user}
	err := tx.QueryRow(ctx, queryFacts, user).Scan(&f.canLogin, &f.expired, &f.shut, &f.replica, &f.md5, &f.iterations)
	f.md5 = f.md5 && !c.handshake.SCRAM
	f.iterations = min(f.iterations, pgwire.MostIterations)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return f, rotation.Fail(rotation.NoUser, "there is no role %q on the server", user)
	case err != nil:
		return f, fault(err)
	case f.replica:
		return f, rotation.Fail(rotation.ReadOnly, "the server is a standby (it is in recovery)")
	case !f.canLogin:
		return f, rotation.Fail(rotation.AccountLocked, "the role %q may not log in (NOLOGIN)", user).
			With("As an administrator: ALTER ROLE " + pgwire.Ident(user) + " LOGIN; then rotate again.")
	case f.expired:
		return f, rotation.Fail(rotation.PasswordExpired, "the role %q has a VALID UNTIL that is past, so that no password works", user).
			With("As an administrator: ALTER ROLE " + pgwire.Ident(user) + " VALID UNTIL 'infinity'; then rotate again.")
	case f.shut:
		return f, rotation.Fail(rotation.TooManyConnections, "the role %q may have no connections (CONNECTION LIMIT 0)", user).
			With("As an administrator: ALTER ROLE " + pgwire.Ident(user) + " CONNECTION LIMIT -1; then rotate again.")
	}
	return f, nil
}
