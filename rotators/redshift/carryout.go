package redshift

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// carryOut runs a plan in one transaction. Redshift has no savepoints: if a
// statement fails that the plan can do without, the transaction is run again
// without it, and the log says so. What may not run in a transaction (grants on
// external objects) makes the whole plan run without one; every statement may
// be said again, so that nothing is lost if it ends half-way.
func (c *conn) carryOut(ctx context.Context, plan []statement, users ...string) error {
	if err := c.keepCase(ctx, plan, users); err != nil {
		return err
	}
	given := leaves{}
	for {
		failed, err := c.transact(ctx, plan, given)
		switch {
		case err == nil:
			return nil
		case pgwire.Code(err) == "25001":
			return c.oneByOne(ctx, plan, given)
		case failed < 0 || plan[failed].attempt == "" || transient(err):
			return err
		}
		c.note(plan[failed], err)
		plan = slices.Concat(plan[:failed], plan[failed].instead, plan[failed+1:])
	}
}

func (c *conn) note(s statement, err error) {
	c.login.Report.Notef("The administrator could not %s: %v", s.attempt, codes.Fault(err))
}

// leaves are what the Report answered for each statement. It is asked once: what was
// undone and is said again is no other statement.
type leaves map[string]bool

// An execer is a session, in a transaction or not.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// say sends a statement that changes something, if the Report gives leave.
func (c *conn) say(ctx context.Context, in execer, s statement, given leaves) error {
	sends, asked := given[s.sql]
	if !asked {
		sends = c.login.Report.Sends(s.String())
		given[s.sql] = sends
	}
	if !sends {
		return nil
	}
	_, err := in.Exec(ctx, s.sql)
	return err
}

// transact runs all statements or none. It returns which one failed, or -1. In a
// rehearsal the transaction reads, so that the server refuses what was not held back.
func (c *conn) transact(ctx context.Context, plan []statement, given leaves) (failed int, err error) {
	failed = -1
	mode := pgx.ReadWrite
	if c.login.Report.Rehearses() {
		mode = pgx.ReadOnly
	}
	err = pgx.BeginTxFunc(ctx, c.pg, pgx.TxOptions{AccessMode: mode}, func(tx pgx.Tx) error {
		for i, s := range plan {
			if err := c.say(ctx, tx, s, given); err != nil {
				failed = i
				return err
			}
		}
		return nil
	})
	if err == nil {
		for _, s := range plan {
			c.changed(s)
		}
	}
	return failed, err
}

// changed tells of a statement, unless it has a password.
func (c *conn) changed(s statement) {
	if s.told == "" {
		c.login.Report.Changed(s.sql)
	}
}

// oneByOne runs each statement by itself, but for a rehearsal.
func (c *conn) oneByOne(ctx context.Context, plan []statement, given leaves) error {
	if c.login.Report.Rehearses() {
		_, err := c.transact(ctx, plan, given)
		return err
	}
	for _, s := range plan {
		err := c.say(ctx, c.pg, s, given)
		if err != nil && s.attempt == "" {
			return err
		}
		if err == nil {
			c.changed(s)
			continue
		}
		c.note(s, err)
		if err := c.oneByOne(ctx, s.instead, given); err != nil {
			return err
		}
	}
	return nil
}

// keepCase makes names in double quotes keep their upper-case letters, if the
// plan has any. User names keep theirs in any case; those of databases, schemas,
// tables and columns do not by default. Of groups and roles nothing is said (?).
// Source: Database Developer Guide, enable_case_sensitive_identifier.
func (c *conn) keepCase(ctx context.Context, plan []statement, users []string) error {
	if !slices.ContainsFunc(plan, func(s statement) bool { return !ofUser(s.sql) && quotesUpper(s.sql, users) }) {
		return nil
	}
	_, err := c.pg.Exec(ctx, "SET enable_case_sensitive_identifier TO true")
	return codes.Fault(err)
}

// ofUser reports whether a statement names nothing but a user and settings,
// whose case does not matter.
func ofUser(sql string) bool {
	return strings.HasPrefix(sql, "CREATE USER ") || strings.HasPrefix(sql, "ALTER USER ")
}

// quotesUpper reports whether a statement quotes a name with an upper-case
// letter, apart from some users'.
func quotesUpper(sql string, users []string) bool {
	for _, u := range users {
		sql = strings.ReplaceAll(sql, pgwire.Ident(u), "")
	}
	for i, part := range strings.Split(sql, `"`) {
		if i%2 == 1 && strings.ToLower(part) != part {
			return true
		}
	}
	return false
}

// transient reports whether an error is worth another try of the whole step.
func transient(err error) bool { return rotation.Retryable(codes.Fault(err)) }
