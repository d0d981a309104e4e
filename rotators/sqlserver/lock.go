package sqlserver

import (
	"context"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// queryLock takes a lock that the session holds until it ends. It is of the
// present database, and known by a name of at most 255 characters.
// Source: Transact-SQL reference, "sp_getapplock".
const queryLock = `/* rotor: lock */
DECLARE @result int; EXEC @result = sp_getapplock @Resource = @p1, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 10000;
SELECT @result`

// lock keeps two runs from cloning the same user at once. The lock of a login is
// in master, that of a contained user in its database. A rehearsal takes none.
func (c *conn) lock(ctx context.Context, of *principal, user string) error {
	if c.login.Report.Rehearses() {
		return nil
	}
	if !of.contained {
		if err := c.use(ctx, master); err != nil {
			return err
		}
	}
	result, err := c.column(ctx, queryLock, "rotor: "+user)
	switch {
	case err != nil:
		return err
	case len(result) != 1 || result[0] != "0" && result[0] != "1":
		return rotation.Fail(rotation.Unavailable, "another session is cloning %q", user).Again()
	}
	if of.contained {
		return nil
	}
	return c.home(ctx)
}
