package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A defaulted privilege is one that others get on what a role will make.
type defaulted struct {
	objects, place, privilege, grantee string
	grantable                          bool
	as                                 string // who may say the same for the original
	may                                bool   // the session, as that
}

// futures name what default privileges are about, as ALTER DEFAULT PRIVILEGES does.
const futures = `CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
  WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END`

// place is where they count.
const place = `coalesce(' IN SCHEMA ' || pg_catalog.quote_ident(n.nspname), '')`

// given are the privileges that the role named %s grants to others than the pair.
const given = `SELECT ` + futures + ` AS objects, ` + place + ` AS place, x.privilege_type AS privilege,
  CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END AS grantee, x.is_grantable AS grantable
FROM pg_catalog.pg_default_acl a
JOIN pg_catalog.pg_roles o ON o.oid = a.defaclrole AND o.rolname = %s
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) x
WHERE x.grantee NOT IN (SELECT oid FROM pair)`

// queryGiven reads those of $1. What a session says for another role, it may if it
// inherits that or becomes it. $2 is the twin, $3 the original.
// Source: PostgreSQL manual, "ALTER DEFAULT PRIVILEGES".
const queryGiven = `/* rotor: default privileges */
WITH pair AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN ($1, $2))
SELECT d.*, CASE WHEN pg_catalog.pg_has_role(s.oid, w.oid, 'USAGE') THEN '' ELSE w.rolname::text END,
       pg_catalog.pg_has_role(s.oid, w.oid, 'USAGE') OR pg_catalog.pg_has_role(s.oid, w.oid, '%s')
FROM (%s) d
JOIN pg_catalog.pg_roles s ON s.rolname = session_user
JOIN pg_catalog.pg_roles w ON w.rolname = $3
ORDER BY 1, 2, 3, 4, 5`

// defaults are what a role grants on what it will make.
func (k *cloning) defaults(ctx context.Context, role, twin string) ([]defaulted, error) {
	rows, err := k.tx.Query(ctx, fmt.Sprintf(queryGiven, k.become(), fmt.Sprintf(given, "$1")), role, twin, k.original)
	if err != nil {
		return nil, fault(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d defaulted, err error) {
		return d, row.Scan(&d.objects, &d.place, &d.privilege, &d.grantee, &d.grantable, &d.as, &d.may)
	})
	return all, fault(err)
}

// statement makes a role grant the same.
func (d defaulted) statement(role string) string {
	return "ALTER DEFAULT PRIVILEGES FOR ROLE " + pgwire.Ident(role) + d.place +
		" GRANT " + d.privilege + " ON " + d.objects + " TO " + d.grantee + grantOption(d.grantable)
}

// line is how Compare says it: see queryRights.
func (d defaulted) line() string {
	return grant{kind: "future " + d.objects, object: "of its own" + d.place, privilege: d.privilege + " for " + d.grantee, grantable: d.grantable}.String()
}
