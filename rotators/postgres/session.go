package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A session trusts nothing that it did not set. The owner of a database can
// preset what every session in it starts with (ALTER DATABASE SET), and a user
// what its own start with: a search path with operators of their own, which
// would run with the administrator's rights; commits that a crash undoes; another
// role. So all work is in transactions that begin with a state of ours. It is
// LOCAL to each, since a pooler in transaction mode (PgBouncer) hands the
// server's session to somebody else afterwards.
//
// The statement has no operator, and no name without a schema. pg_temp stands
// last: unnamed, it would be searched first.
// Source: PostgreSQL manual, "Client Connection Defaults", search_path.
const (
	settled = `SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('datestyle', 'ISO', true),
       pg_catalog.set_config('statement_timeout', '0', true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true), pg_catalog.set_config('synchronous_commit', 'on', true)`
	waiting = `, pg_catalog.set_config('lock_timeout', '%d', true)`
	since17 = `, pg_catalog.set_config('transaction_timeout', '0', true)`
	ownRole = `, pg_catalog.set_config('role', 'none', true)`

	// beginAs reads as the role that sessions of the user act as.
	beginAs = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; /* rotor: settle */ " + settled
	// beginReading and beginWriting act as the user who logged in.
	beginReading = beginAs + ownRole
	beginWriting = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; /* rotor: settle */ " + settled + ownRole
)

// work runs f in a transaction that begins so; in a rehearsal it reads, so that the
// server refuses what f should have held back. The time that statements may take is
// the context's; one that has waited for a lock until then says who holds it.
func (c *conn) work(ctx context.Context, begin string, f func(pgx.Tx) error) error {
	if begin == beginWriting && c.login.Report.Rehearses() {
		begin = beginReading
	}
	if c.major() >= 17 {
		begin += since17
	}
	begin += fmt.Sprintf(waiting, lockTimeout(ctx))
	begun := false
	err := pgx.BeginTxFunc(ctx, c.pg, pgx.TxOptions{BeginQuery: begin}, func(tx pgx.Tx) error { begun = true; return f(tx) })
	var pe *pgconn.PgError
	if !begun && errors.As(err, &pe) && pe.Code == "0A000" { // no read-write transaction "during recovery"
		return rotation.Fail(rotation.ReadOnly, "the server is a standby (it is in recovery)")
	}
	if isLockHeld(err) {
		return c.holders(ctx, err)
	}
	return fault(err)
}
