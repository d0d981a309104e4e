package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A grant is one privilege on one object, as the catalog has it. Object is
// quoted by the server.
type grant struct {
	kind, object, column, privilege string
	grantable                       bool
	grantor                         string // where it was asked for
}

// acls are all access lists that this database shows, as (class, object,
// sub-object, item). It has one %s, for what only some versions have.
const acls = `
SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS classid, oid AS objid, 0::smallint AS sub, relacl AS acl FROM pg_catalog.pg_class
UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, attrelid, attnum, attacl FROM pg_catalog.pg_attribute WHERE NOT attisdropped
UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, 0, nspacl FROM pg_catalog.pg_namespace
UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, 0, proacl FROM pg_catalog.pg_proc
UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, 0, typacl FROM pg_catalog.pg_type
UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid, 0, lanacl FROM pg_catalog.pg_language
UNION ALL SELECT 'pg_catalog.pg_database'::pg_catalog.regclass, oid, 0, datacl FROM pg_catalog.pg_database
UNION ALL SELECT 'pg_catalog.pg_tablespace'::pg_catalog.regclass, oid, 0, spcacl FROM pg_catalog.pg_tablespace
UNION ALL SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid, 0, srvacl FROM pg_catalog.pg_foreign_server
UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid, 0, fdwacl FROM pg_catalog.pg_foreign_data_wrapper
UNION ALL SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid, 0, lomacl FROM pg_catalog.pg_largeobject_metadata
%s`

const parameterACLs = `UNION ALL SELECT 'pg_catalog.pg_parameter_acl'::pg_catalog.regclass, oid, 0, paracl FROM pg_catalog.pg_parameter_acl`

// granted expands the access lists to (kind, object, column, privilege,
// grantable, and the columns in %[2]s) of the roles in %[1]s. OFFSET 0 keeps the planner from looking up
// the name of every object there is before it has sorted out the grants. An object
// that was dropped meanwhile has no name.
const granted = `
SELECT DISTINCT i.type AS kind, i.identity AS object, coalesce(pg_catalog.quote_ident(c.attname), '') AS "column",
       x.privilege_type AS privilege, x.is_grantable AS grantable%[2]s
FROM (SELECT a.classid, a.objid, a.sub, e.grantee, e.privilege_type, e.is_grantable, e.grantor
      FROM acls a CROSS JOIN LATERAL pg_catalog.aclexplode(a.acl) e
      WHERE a.acl IS NOT NULL AND e.grantee IN (%[1]s) OFFSET 0) x
CROSS JOIN LATERAL pg_catalog.pg_identify_object(x.classid, x.objid, 0) i
LEFT JOIN pg_catalog.pg_attribute c ON x.sub > 0 AND c.attrelid = x.objid AND c.attnum = x.sub
WHERE i.identity IS NOT NULL AND coalesce(i.schema, '') NOT LIKE 'pg\_temp\_%%'`

func (c *conn) acls() string {
	if c.major() < 15 {
		return fmt.Sprintf(acls, "")
	}
	return fmt.Sprintf(acls, parameterACLs)
}

// queryDirect reads what was granted to one role itself, and not to an owner.
func (c *conn) queryDirect() string {
	return "/* rotor: direct grants */ WITH acls AS (" + c.acls() + ")" +
		fmt.Sprintf(granted, "SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1", ", pg_catalog.pg_get_userbyid(x.grantor)::text") + `
AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend d WHERE d.deptype = 'o' AND d.refobjid = x.grantee AND d.classid = x.classid AND d.objid = x.objid
    AND d.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))
UNION ALL ` + queryDefaults + `
ORDER BY 1, 2, 3, 4`
}

// queryDefaults reads what a role will get on objects that other roles make.
const queryDefaults = `SELECT 'future ' || CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
         WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
       'FOR ROLE ' || pg_catalog.quote_ident(o.rolname) || coalesce(' IN SCHEMA ' || pg_catalog.quote_ident(n.nspname), ''),
       '', x.privilege_type, x.is_grantable, ''
FROM pg_catalog.pg_default_acl a
JOIN pg_catalog.pg_roles o ON o.oid = a.defaclrole AND o.rolname NOT IN ($1, $2)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) x
JOIN pg_catalog.pg_roles g ON g.oid = x.grantee AND g.rolname = $1`

// direct are the grants to one of the pair alone.
func (k *cloning) direct(ctx context.Context, user string) ([]grant, error) {
	twin := k.original
	if user == twin {
		twin = k.clone
	}
	rows, err := k.tx.Query(ctx, k.queryDirect(), user, twin)
	if err != nil {
		return nil, fault(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (g grant, err error) {
		return g, row.Scan(&g.kind, &g.object, &g.column, &g.privilege, &g.grantable, &g.grantor)
	})
	return all, fault(err)
}

func scanGrant(row pgx.CollectableRow) (g grant, err error) {
	return g, row.Scan(&g.kind, &g.object, &g.column, &g.privilege, &g.grantable)
}

// keywords are what GRANT calls the kinds of pg_identify_object.
var keywords = map[string]string{
	"table": "TABLE", "view": "TABLE", "materialized view": "TABLE", "foreign table": "TABLE", "sequence": "SEQUENCE",
	"function": "FUNCTION", "procedure": "PROCEDURE", "aggregate": "FUNCTION", "schema": "SCHEMA", "type": "TYPE", "language": "LANGUAGE",
	"database": "DATABASE", "tablespace": "TABLESPACE", "server": "FOREIGN SERVER", "foreign-data wrapper": "FOREIGN DATA WRAPPER",
	"large object": "LARGE OBJECT", "parameter ACL": "PARAMETER",
}

// grantTo is the statement that gives the right to a role; ok is false for a kind
// of object that GRANT does not know.
func (g grant) grantTo(role string) (statement string, ok bool) {
	return g.statement("GRANT ", " TO "+pgwire.Ident(role)+grantOption(g.grantable))
}

// revokeFrom is the statement that takes the right away.
func (g grant) revokeFrom(role string) (statement string, ok bool) {
	return g.statement("REVOKE ", " FROM "+pgwire.Ident(role))
}

func (g grant) statement(verb, whom string) (text string, ok bool) {
	if objects, future := strings.CutPrefix(g.kind, "future "); future {
		return "ALTER DEFAULT PRIVILEGES " + g.object + " " + verb + g.privilege + " ON " + objects + whom, true
	}
	keyword, ok := keywords[g.kind]
	privilege := g.privilege
	if g.column != "" {
		privilege += " (" + g.column + ")"
	}
	return verb + privilege + " ON " + keyword + " " + g.object + whom, ok
}

// String names the right for people.
func (g grant) String() string {
	s := g.privilege
	if g.column != "" {
		s += " (" + g.column + ")"
	}
	s += " on " + g.kind + " " + g.object
	if g.grantable {
		s += " with grant option"
	}
	return s
}

// revokeExcess takes from the clone what was granted to it by itself and the
// original has not. The clone does not need such grants, since it acts as the
// original.
func (k *cloning) revokeExcess(ctx context.Context) error {
	has, err := k.direct(ctx, k.clone)
	if err != nil {
		return err
	}
	if len(has) == 0 {
		return nil
	}
	may, err := k.direct(ctx, k.original)
	if err != nil {
		return err
	}
	excess := without(has, may)
	for _, g := range excess {
		if statement, ok := g.revokeFrom(k.clone); ok {
			k.attempt(ctx, statement, fmt.Sprintf("revoke from %q what %q does not have: %v", k.clone, k.original, g))
		}
	}
	if len(excess) == 0 {
		return nil
	}
	// REVOKE leaves what somebody else has granted, without a word.
	// Source: PostgreSQL manual, "REVOKE", notes.
	if has, err = k.direct(ctx, k.clone); err != nil {
		return err
	}
	for _, g := range without(has, may) {
		if statement, ok := g.revokeFrom(k.clone); ok && g.grantor != "" {
			k.login.Report.Notef("%q granted %v to %q, and %q does not have it. Only %q can take it back: %s", g.grantor, g, k.clone, k.original, g.grantor, statement)
		}
	}
	return nil
}

// without compares what was granted, whoever did it.
func without(all, some []grant) []grant {
	in := make(map[grant]bool, len(some))
	for _, g := range some {
		g.grantor = ""
		in[g] = true
	}
	var rest []grant
	for _, g := range all {
		what := g
		what.grantor = ""
		if !in[what] {
			rest = append(rest, g)
		}
	}
	return rest
}

const queryOwned = `/* rotor: owned objects */
SELECT CASE WHEN d.dbid IN (0, here.oid) THEN i.type || ' ' || i.identity ELSE '' END,
       CASE WHEN d.dbid IN (0, here.oid) THEN '' ELSE there.datname::text END
FROM pg_catalog.pg_shdepend d
JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid AND r.rolname = $1
JOIN pg_catalog.pg_database here ON here.datname = pg_catalog.current_database()
LEFT JOIN pg_catalog.pg_database there ON there.oid = d.dbid
LEFT JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i ON d.dbid IN (0, here.oid)
WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o'
  AND (d.dbid NOT IN (0, here.oid) OR i.identity IS NOT NULL)
GROUP BY 1, 2 ORDER BY 2, 1`

// owned are the objects of this database that a role owns, and the other
// databases in which it owns some.
func (k *cloning) owned(ctx context.Context, user string) (objects, databases []string, err error) {
	rows, err := k.tx.Query(ctx, queryOwned, user)
	if err != nil {
		return nil, nil, fault(err)
	}
	var object, database string
	_, err = pgx.ForEachRow(rows, []any{&object, &database}, func() error {
		if database != "" {
			databases = append(databases, database)
		} else {
			objects = append(objects, object)
		}
		return nil
	})
	return objects, databases, fault(err)
}

// handOver gives the original what the clone owns, as a clone made by other
// means may.
func (k *cloning) handOver(ctx context.Context) error {
	objects, databases, err := k.owned(ctx, k.clone)
	if err != nil {
		return err
	}
	if len(objects) > 0 {
		k.attempt(ctx, k.reassign(), fmt.Sprintf("hand over what %q owns to %q (%s), so that some may stop working at the next rotation; run %s as a superuser",
			k.clone, k.original, some(objects), k.reassign()))
	}
	if len(databases) > 0 {
		k.login.Report.Notef("%q owns objects in other databases (%s), which the application may miss at the next rotation. In each, run: %s", k.clone, some(databases), k.reassign())
	}
	return nil
}

func (k *cloning) reassign() string {
	return "REASSIGN OWNED BY " + pgwire.Ident(k.clone) + " TO " + pgwire.Ident(k.original)
}

// some names the first twenty.
func some(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
