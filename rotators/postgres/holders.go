package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// lockHeld is the SQLSTATE of a statement that has waited for a lock as long as the
// session lets it (lock_timeout).
const lockHeld = "55P03"

// lockTimeout is how many milliseconds a statement of the session may wait for a
// lock, 0 being for ever: as long as the step lasts, less the time to say who holds
// it.
func lockTimeout(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	left := time.Until(deadline)
	return max(1, (left - min(time.Second, left/4)).Milliseconds())
}

// Of the catalogs of roles: pg_authid, pg_auth_members and pg_db_role_setting, for
// whose rows a statement waits until the transaction ends that has changed them.
// A prepared transaction has no session.
const queryHolders = `/* rotor: holders of locks */
SELECT DISTINCT l.pid, coalesce(a.usename::text, '') FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid() AND l.mode <> 'AccessShareLock' AND l.relation IN (1260, 1261, 2964)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks w WHERE w.pid = l.pid AND NOT w.granted)
ORDER BY 1`

// holders says who holds what a statement has waited for, as far as that can be
// told. It is asked when little time is left.
func (c *conn) holders(ctx context.Context, err error) error {
	var who, ends []string
	asked := pgx.BeginTxFunc(ctx, c.pg, pgx.TxOptions{BeginQuery: beginReading}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, queryHolders)
		if err != nil {
			return err
		}
		var pid int
		var user string
		_, err = pgx.ForEachRow(rows, []any{&pid, &user}, func() error {
			who = append(who, fmt.Sprintf("%d of user %q", pid, user))
			ends = append(ends, fmt.Sprintf("pg_terminate_backend(%d)", pid))
			return nil
		})
		return err
	})
	if asked != nil || len(who) == 0 {
		return fault(err)
	}
	return rotation.Fail(rotation.Timeout, "a change of roles that is not committed was in the way until the step's time was up, of session %s: %w", strings.Join(who, ", "), fault(err)).
		With("Let that session commit or roll back, or end it. As an administrator: SELECT " + strings.Join(ends, ", ") + "; then rotate again.")
}

// isLockHeld reports whether a statement has waited for a lock for too long.
func isLockHeld(err error) bool { return pgwire.Code(err) == lockHeld }
