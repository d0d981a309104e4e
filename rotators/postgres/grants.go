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
}

// acls are all access lists that this database shows, as (class, object, sub-object,
// items, owner, schema, and for a column its table's items). It has one %s, for what
// only some versions have.
const acls = `
SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS classid, oid AS objid, 0::smallint AS sub, relacl AS acl,
  relowner AS owner, relnamespace AS namespace, NULL::aclitem[] AS above FROM pg_catalog.pg_class
UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, attrelid, attnum, attacl, (SELECT relowner FROM pg_catalog.pg_class t WHERE t.oid = attrelid),
  (SELECT relnamespace FROM pg_catalog.pg_class t WHERE t.oid = attrelid), (SELECT relacl FROM pg_catalog.pg_class t WHERE t.oid = attrelid)
  FROM pg_catalog.pg_attribute WHERE NOT attisdropped
UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, 0, nspacl, nspowner, NULL, NULL FROM pg_catalog.pg_namespace
UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, 0, proacl, proowner, pronamespace, NULL FROM pg_catalog.pg_proc
UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, 0, typacl, typowner, typnamespace, NULL FROM pg_catalog.pg_type
UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid, 0, lanacl, lanowner, NULL, NULL FROM pg_catalog.pg_language
UNION ALL SELECT 'pg_catalog.pg_database'::pg_catalog.regclass, oid, 0, datacl, datdba, NULL, NULL FROM pg_catalog.pg_database
UNION ALL SELECT 'pg_catalog.pg_tablespace'::pg_catalog.regclass, oid, 0, spcacl, spcowner, NULL, NULL FROM pg_catalog.pg_tablespace
UNION ALL SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid, 0, srvacl, srvowner, NULL, NULL FROM pg_catalog.pg_foreign_server
UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid, 0, fdwacl, fdwowner, NULL, NULL FROM pg_catalog.pg_foreign_data_wrapper
UNION ALL SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid, 0, lomacl, lomowner, NULL, NULL FROM pg_catalog.pg_largeobject_metadata
%s`

// parameterACLs belong to the role that made the server, whose number is always 10.
const parameterACLs = `UNION ALL SELECT 'pg_catalog.pg_parameter_acl'::pg_catalog.regclass, oid, 0, paracl, 10, NULL, NULL FROM pg_catalog.pg_parameter_acl`

// granted expands the access lists to (kind, object, column, privilege,
// grantable, and the columns in %[2]s) of the roles in %[1]s. OFFSET 0 keeps the planner from looking up
// the name of every object there is before it has sorted out the grants. An object
// that was dropped meanwhile has no name.
const granted = `
SELECT DISTINCT i.type AS kind, i.identity AS object, coalesce(pg_catalog.quote_ident(c.attname), '') AS "column",
       x.privilege_type AS privilege, x.is_grantable AS grantable%[2]s
FROM (SELECT a.*, e.grantee, e.privilege_type, e.is_grantable, e.grantor
      FROM acls a CROSS JOIN LATERAL pg_catalog.aclexplode(a.acl) e
      WHERE a.acl IS NOT NULL AND e.grantee IN (%[1]s) OFFSET 0) x
CROSS JOIN LATERAL pg_catalog.pg_identify_object(x.classid, x.objid, 0) i
LEFT JOIN pg_catalog.pg_attribute c ON x.sub > 0 AND c.attrelid = x.objid AND c.attnum = x.sub
%[3]s
WHERE i.identity IS NOT NULL AND coalesce(i.schema, '') NOT LIKE 'pg\_temp\_%%'`

func (c *conn) acls() string {
	if c.major() < 15 {
		return fmt.Sprintf(acls, "")
	}
	return fmt.Sprintf(acls, parameterACLs)
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

func grantOption(yes bool) string {
	if yes {
		return " WITH GRANT OPTION"
	}
	return ""
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

func scanGrant(row pgx.CollectableRow) (g grant, err error) {
	return g, row.Scan(&g.kind, &g.object, &g.column, &g.privilege, &g.grantable)
}

// A direct grant is one to a role itself, and not to an owner.
type direct struct {
	grant
	grantor  string
	owns     bool // the grantor, what is granted: a superuser grants and revokes as the owner
	lasting  bool // nobody can take it back: it is a superuser's, and not the owner's
	takeAs   string
	mayTake  bool // the session, as takeAs
	passedOn bool // others have it from this role
	giveAs   string
	mayGive  bool // the session, as giveAs, to others
}

// wayOut is what it takes to take a grant back and to give the same to others. A grant
// is taken back by who made it, or by the object's owner where a superuser speaks; to
// speak as another role a session has to become it. A right is given by who holds it
// with the grant option, as the owner always does. Names are looked up in schemas that
// the speaker may use. %[1]s is what pg_has_role calls the power to become a role;
// %[2]s and %[3]s say whether the session, and whoever is to be become, finds the name.
// Source: PostgreSQL manual, "GRANT" and "REVOKE", "Notes".
const wayOut = `, g.rolname::text, x.grantor = x.owner, g.rolsuper AND x.grantor <> x.owner,
  CASE WHEN s.rolsuper AND x.grantor = x.owner OR s.oid = x.grantor THEN '' ELSE g.rolname::text END,
  (NOT g.rolsuper OR x.grantor = x.owner) AND (s.rolsuper AND x.grantor = x.owner
    OR (s.oid = x.grantor OR pg_catalog.pg_has_role(s.oid, x.grantor, '%[1]s')) AND %[2]s),
  x.is_grantable AND EXISTS (SELECT 1 FROM pg_catalog.aclexplode(x.acl) e WHERE e.grantor = x.grantee AND e.privilege_type = x.privilege_type
    UNION ALL SELECT 1 FROM pg_catalog.pg_attribute t CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) e
      WHERE x.sub = 0 AND x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND t.attrelid = x.objid
        AND e.grantor = x.grantee AND e.privilege_type = x.privilege_type),
  CASE WHEN h.holds THEN '' ELSE pg_catalog.pg_get_userbyid(x.owner)::text END,
  h.holds OR pg_catalog.pg_has_role(s.oid, x.owner, '%[1]s') AND %[3]s`

const holding = `JOIN pg_catalog.pg_roles g ON g.oid = x.grantor
CROSS JOIN LATERAL (SELECT %s AND (pg_catalog.pg_has_role(s.oid, x.owner, 'USAGE') OR EXISTS (SELECT FROM pg_catalog.aclexplode(x.acl || x.above) e
  WHERE e.privilege_type = x.privilege_type AND e.is_grantable AND e.grantee <> 0 AND pg_catalog.pg_has_role(s.oid, e.grantee, 'USAGE'))) AS holds
  FROM pg_catalog.pg_roles s WHERE s.rolname = session_user) h
JOIN pg_catalog.pg_roles s ON s.rolname = session_user`

// finds says whether a role may look up an object's name, and those of a function's
// arguments.
func finds(role string) string {
	return fmt.Sprintf(`(x.namespace IS NULL OR pg_catalog.has_schema_privilege(%[1]s, x.namespace, 'USAGE')) AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_type t ON t.oid = ANY (p.proargtypes)
    WHERE x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = x.objid
      AND NOT pg_catalog.has_schema_privilege(%[1]s, t.typnamespace, 'USAGE'))`, role)
}

// queryDirect reads what was granted to $1 itself; $2 is its twin.
func (c *conn) queryDirect() string {
	out := fmt.Sprintf(wayOut, c.become(), finds("x.grantor"), finds("x.owner"))
	return "/* rotor: direct grants */ WITH acls AS (" + c.acls() + ")" +
		fmt.Sprintf(granted, "SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1", out, fmt.Sprintf(holding, finds("s.oid"))) + `
AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend d WHERE d.deptype = 'o' AND d.refobjid = x.grantee AND d.classid = x.classid AND d.objid = x.objid
    AND d.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))
UNION ALL ` + fmt.Sprintf(queryDefaults, c.become()) + `
ORDER BY 1, 2, 3, 4, 5, 6`
}

// queryDefaults reads what a role will get on objects that other roles make.
const queryDefaults = `SELECT 'future ' || ` + futures + `, 'FOR ROLE ' || pg_catalog.quote_ident(o.rolname) || ` + place + `, '',
  x.privilege_type, x.is_grantable, o.rolname::text, true, false, way.speaker, way.may, false, way.speaker, way.may
FROM pg_catalog.pg_default_acl a
JOIN pg_catalog.pg_roles o ON o.oid = a.defaclrole AND o.rolname NOT IN ($1, $2)
JOIN pg_catalog.pg_roles s ON s.rolname = session_user
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
CROSS JOIN LATERAL (SELECT CASE WHEN pg_catalog.pg_has_role(s.oid, o.oid, 'USAGE') THEN '' ELSE o.rolname::text END AS speaker,
  pg_catalog.pg_has_role(s.oid, o.oid, 'USAGE') OR pg_catalog.pg_has_role(s.oid, o.oid, '%s') AS may) way
CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) x
JOIN pg_catalog.pg_roles g ON g.oid = x.grantee AND g.rolname = $1`

// direct are the grants to one of the pair alone.
func (k *cloning) direct(ctx context.Context, user string) ([]direct, error) {
	twin := k.original
	if user == twin {
		twin = k.clone
	}
	rows, err := k.tx.Query(ctx, k.queryDirect(), user, twin)
	if err != nil {
		return nil, fault(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d direct, err error) {
		return d, row.Scan(&d.kind, &d.object, &d.column, &d.privilege, &d.grantable,
			&d.grantor, &d.owns, &d.lasting, &d.takeAs, &d.mayTake, &d.passedOn, &d.giveAs, &d.mayGive)
	})
	return all, fault(err)
}

// excess is what was granted to the clone by itself and the original has not, whoever
// granted it.
func (k *cloning) excess(ctx context.Context) (rest []direct, err error) {
	has, err := k.direct(ctx, k.clone)
	if err != nil || len(has) == 0 {
		return nil, err
	}
	may, err := k.direct(ctx, k.original)
	if err != nil {
		return nil, err
	}
	in := make(map[grant]bool, len(may))
	for _, d := range may {
		in[d.grant] = true
		d.grantable = false // the option goes with the privilege
		in[d.grant] = true
	}
	for _, d := range has {
		if !in[d.grant] {
			rest = append(rest, d)
		}
	}
	return rest, nil
}

// planRevocations takes the excess from the clone.
func (k *cloning) planRevocations(ctx context.Context, p *plan) error {
	excess, err := k.excess(ctx)
	if err != nil {
		return err
	}
	for _, d := range excess {
		take, ok := d.revokeFrom(k.clone)
		give, _ := d.grantTo(k.original)
		switch {
		case !ok:
			p.kept = append(p.kept, kept{right: d.String()})
		case d.passedOn, d.lasting:
			p.kept = append(p.kept, kept{right: d.String(), give: give})
		case d.mayTake:
			p.add(change{statement: take, as: d.takeAs, takes: d.String()})
		case d.owns:
			p.kept = append(p.kept, kept{d.String(), take, give})
		default:
			p.kept = append(p.kept, kept{d.String(), "SET ROLE " + pgwire.Ident(d.grantor) + "; " + take + "; RESET ROLE", give})
		}
	}
	return nil
}
