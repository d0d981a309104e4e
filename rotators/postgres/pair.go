package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
)

// queryStanding finds the mark of a clone: it is a member of its original, and
// acts as it, or as whoever the original acts as. The first takes power over the
// original, the second power over the clone, so that whoever has one of the two
// alone cannot make a pair. Before version 16, CREATEROLE could make anybody a
// member of a role whose password only a superuser may change: there a superuser
// must have done it.
const queryStanding = `/* rotor: standing */
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_roles o
  JOIN pg_catalog.pg_auth_members m ON m.roleid = o.oid
  JOIN pg_catalog.pg_roles c ON c.oid = m.member
  LEFT JOIN pg_catalog.pg_roles g ON g.oid = m.grantor
  JOIN pg_catalog.pg_db_role_setting cs ON cs.setrole = c.oid AND cs.setdatabase = 0
  LEFT JOIN pg_catalog.pg_db_role_setting os ON os.setrole = o.oid AND os.setdatabase = 0
  CROSS JOIN LATERAL pg_catalog.unnest(cs.setconfig) acts
  WHERE o.rolname = $1 AND c.rolname = $2 AND acts LIKE 'role=%'
    AND (acts = 'role=' || o.rolname OR acts = ANY (os.setconfig))
    AND (NOT (o.rolsuper OR o.rolreplication) OR coalesce(g.rolsuper, false)))
FROM pg_catalog.pg_roles WHERE rolname = $3`

// Standing implements database.Administrator.
func (c *conn) Standing(ctx context.Context, p database.Pair, next database.Login) (standing database.Standing, err error) {
	err = c.work(ctx, beginReading, func(tx pgx.Tx) error {
		twin := false
		err := tx.QueryRow(ctx, queryStanding, p.Original.User, p.Clone.User, next.User).Scan(&twin)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			standing, err = database.Absent, nil
		case twin:
			standing = database.Twin
		}
		return err
	})
	return standing, err
}

// queryActs names the role that sessions of a user act as in this database: what
// it may not become, the server ignores.
const queryActs = `/* rotor: acting role */
SELECT coalesce((SELECT pg_catalog.substr(item, 6)
  FROM pg_catalog.pg_db_role_setting s
  CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) item
  WHERE s.setrole = r.oid AND item LIKE 'role=%%' AND %s
    AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
  ORDER BY s.setdatabase DESC LIMIT 1), r.rolname::text)
FROM pg_catalog.pg_roles r WHERE r.rolname = $1`

// acts is the role that sessions of a user act as.
func (k *cloning) acts(ctx context.Context, user string) (role string, err error) {
	return role, fault(k.tx.QueryRow(ctx, fmt.Sprintf(queryActs, k.becomes()), user).Scan(&role))
}

// Compare implements database.Administrator. It sees what Rights sees. A clone that
// does not exist has no rights.
func (c *conn) Compare(ctx context.Context, p database.Pair) (d database.Difference, err error) {
	err = c.work(ctx, beginReading, func(tx pgx.Tx) error {
		k := &cloning{c, tx, p.Original.User, p.Clone.User}
		d, err = k.compare(ctx)
		return err
	})
	return d, err
}

func (k *cloning) compare(ctx context.Context) (d database.Difference, err error) {
	original, err := k.rightsOf(ctx, k.original, k.clone)
	if err != nil {
		return d, err
	}
	clone, err := k.rightsOf(ctx, k.clone, k.original)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return d, err
	}
	d = database.Differing(original, clone)
	if slices.ContainsFunc(d.Clone, func(right string) bool { return strings.HasPrefix(right, ownership("")) }) {
		d.Remedy = "What it owns is handed over by " + k.reassign() + ";"
	}
	return d, nil
}

// querySessionUser finds what asks who has logged in: a clone acts as its original,
// and is the session's user all the same.
const querySessionUser = `/* rotor: session_user */
SELECT 'policy ' || pg_catalog.quote_ident(p.polname) || ' on ' || p.polrelid::pg_catalog.regclass::text
FROM pg_catalog.pg_policy p
WHERE pg_catalog.pg_get_expr(p.polqual, p.polrelid) ILIKE '%session_user%' OR pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) ILIKE '%session_user%'
UNION ALL
SELECT 'function ' || p.oid::pg_catalog.regprocedure::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
WHERE p.prosrc ILIKE '%session_user%'
ORDER BY 1 LIMIT 21`

// noteSessionUser says what in this database sees a clone where it saw its
// original.
func (k *cloning) noteSessionUser(ctx context.Context) error {
	rows, err := k.tx.Query(ctx, querySessionUser)
	if err != nil {
		return fault(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err == nil && len(names) > 0 {
		k.login.Report.Notef("What reads session_user will see the clone in its turn, and not the original: %s. Let it read current_user, or use a single user.", some(names))
	}
	return err
}
