package redshift

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

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
	for {
		failed, err := c.transact(ctx, plan)
		switch {
		case err == nil:
			return nil
		case pgwire.Code(err) == "25001":
			return c.oneByOne(ctx, plan)
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

// transact runs all statements or none. It returns which one failed, or -1.
func (c *conn) transact(ctx context.Context, plan []statement) (failed int, err error) {
	failed = -1
	err = pgx.BeginTxFunc(ctx, c.pg, pgx.TxOptions{AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
		for i, s := range plan {
			if _, err := tx.Exec(ctx, s.sql); err != nil {
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
	if !strings.Contains(s.sql, " PASSWORD ") {
		c.login.Report.Changed(s.sql)
	}
}

func (c *conn) oneByOne(ctx context.Context, plan []statement) error {
	for _, s := range plan {
		_, err := c.pg.Exec(ctx, s.sql)
		if err != nil && s.attempt == "" {
			return err
		}
		if err == nil {
			c.changed(s)
			continue
		}
		c.note(s, err)
		if err := c.oneByOne(ctx, s.instead); err != nil {
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
