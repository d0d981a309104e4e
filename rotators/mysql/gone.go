package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// These servers keep rights on tables and columns that are dropped. Those on
// single columns of what is not there nobody can grant, so that no clone can
// have them.

// goneColumns fails if an account has such rights. The session sees each table
// on which it may grant something.
func (c *conn) goneColumns(ctx context.Context, a account, h *holdings) error {
	var revokes []string
	for _, o := range objects(h, newHoldings()) {
		columns := only(minus(h.on[o], nil), func(r right) bool { return r.column != "" })
		if len(columns) == 0 {
			continue
		}
		there, err := c.columnsOf(ctx, o)
		if err != nil {
			return fault(err)
		}
		gone := only(columns, func(r right) bool {
			return !slices.ContainsFunc(there, func(name string) bool { return strings.EqualFold(ident(name), r.column) })
		})
		if len(gone) > 0 {
			revokes = append(revokes, fmt.Sprintf("REVOKE %s ON %s FROM %s", join(gone), o.name, a))
		}
	}
	if len(revokes) == 0 {
		return nil
	}
	return rotation.Fail(rotation.FewerRights, "%s has rights on columns that are not there, and nobody can grant those to another user", a).
		With("As an administrator: " + strings.Join(revokes, "; ") + "; or create them again.")
}

// isThere reports whether there is such a table, or the session sees it.
func (c *conn) isThere(ctx context.Context, o object) (bool, error) {
	columns, err := c.columnsOf(ctx, o)
	return len(columns) > 0, fault(err)
}

// columnsOf are a table's columns, if there is one.
func (c *conn) columnsOf(ctx context.Context, o object) ([]string, error) {
	l := lexer{source: o.name}
	database, err1 := l.next()
	dot, err2 := l.next()
	table, err3 := l.next()
	if err1 != nil || err2 != nil || err3 != nil || !dot.is(".") {
		return nil, errGrant
	}
	return c.column(ctx, "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+literal(database.value)+" AND TABLE_NAME = "+literal(table.value))
}

// notThere is the failure to grant what is not there.
func (k *cloning) notThere(ch change, err error) error {
	return rotation.Fail(rotation.FewerRights, "the administrator could not %s: %w", ch.what, fault(err)).
		With("Revoke the rights on what is not there any more, or create it again.")
}
