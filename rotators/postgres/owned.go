package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// holdings are what a role owns.
type holdings struct {
	objects   []string // of this database, and of the whole server
	databases []string // the others, in which it owns something
	// stuck are the objects that the twin cannot own, with what gives them to a superuser
	// who says it.
	stuck map[string]string
	// mayHand says that the session may hand all objects over to the twin, which fails
	// where some are stuck; powers, that it has the powers of both roles that this takes
	// before anything else.
	mayHand, powers bool
}

// notOwnership are dependencies that a role has as an owner, and are none: what it
// grants on objects that it will make, and how it logs in elsewhere. REASSIGN OWNED
// leaves both.
// Source: PostgreSQL manual, "REASSIGN OWNED", notes.
const notOwnership = `('pg_catalog.pg_default_acl'::pg_catalog.regclass, 'pg_catalog.pg_user_mapping'::pg_catalog.regclass)`

// queryOwned reads what $1 owns, and whether the session may hand it over to $2. Each
// object is handed over by the rules of its ALTER OWNER, but for tables and types. %[1]s
// is what pg_has_role calls the power to become a role, and %[2]s whether
// subscriptions may belong to others than superusers.
// Source: PostgreSQL manual, "ALTER SCHEMA", "ALTER FUNCTION" and the like.
const queryOwned = `/* rotor: owned objects */
SELECT CASE WHEN d.dbid IN (0, here.oid) THEN i.type || ' ' || i.identity ELSE '' END,
       CASE WHEN d.dbid IN (0, here.oid) THEN '' ELSE there.datname::text END,
       bool_and(s.rolsuper OR pg_catalog.pg_has_role(s.oid, r.oid, 'USAGE') AND pg_catalog.pg_has_role(s.oid, o.oid, 'USAGE')),
       coalesce(max(CASE WHEN o.rolsuper THEN NULL
         WHEN d.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass THEN 'ALTER FOREIGN DATA WRAPPER ' || i.identity || ' OWNER TO CURRENT_USER'
         WHEN d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass THEN 'ALTER EVENT TRIGGER ' || i.identity || ' OWNER TO CURRENT_USER'
         WHEN d.classid = 'pg_catalog.pg_subscription'::pg_catalog.regclass AND NOT %[2]s THEN 'ALTER SUBSCRIPTION ' || i.identity || ' OWNER TO CURRENT_USER'
         END), ''),
       bool_and(CASE
         WHEN s.rolsuper OR d.classid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass) THEN true
         WHEN d.classid IN ('pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, 'pg_catalog.pg_event_trigger'::pg_catalog.regclass,
           'pg_catalog.pg_subscription'::pg_catalog.regclass) THEN false
         WHEN NOT pg_catalog.pg_has_role(s.oid, o.oid, '%[1]s') THEN false
         WHEN d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass THEN pg_catalog.has_database_privilege(s.oid, here.oid, 'CREATE')
         WHEN d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass THEN s.rolcreatedb
         WHEN d.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass THEN
           (SELECT pg_catalog.has_foreign_data_wrapper_privilege(o.oid, f.srvfdw, 'USAGE') FROM pg_catalog.pg_foreign_server f WHERE f.oid = d.objid)
         WHEN d.classid = 'pg_catalog.pg_publication'::pg_catalog.regclass THEN
           (SELECT NOT p.puballtables AND pg_catalog.has_database_privilege(o.oid, here.oid, 'CREATE') FROM pg_catalog.pg_publication p WHERE p.oid = d.objid)
         WHEN i.schema IS NOT NULL THEN
           (SELECT pg_catalog.has_schema_privilege(o.oid, n.oid, 'CREATE') FROM pg_catalog.pg_namespace n WHERE pg_catalog.quote_ident(n.nspname) = i.schema)
         ELSE true END)
FROM pg_catalog.pg_shdepend d
JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid AND r.rolname = $1
JOIN pg_catalog.pg_roles o ON o.rolname = $2
JOIN pg_catalog.pg_roles s ON s.rolname = session_user
JOIN pg_catalog.pg_database here ON here.datname = pg_catalog.current_database()
LEFT JOIN pg_catalog.pg_database there ON there.oid = d.dbid
LEFT JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i ON d.dbid IN (0, here.oid)
WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o' AND d.classid NOT IN ` + notOwnership + `
  AND (d.dbid NOT IN (0, here.oid) OR i.identity IS NOT NULL)
GROUP BY 1, 2 ORDER BY 2, 1`

// owned is what the clone owns.
func (k *cloning) owned(ctx context.Context) (holdings, error) {
	h := holdings{mayHand: true, powers: true, stuck: map[string]string{}}
	rows, err := k.tx.Query(ctx, fmt.Sprintf(queryOwned, k.become(), fmt.Sprint(k.major() >= 16)), k.clone, k.original)
	if err != nil {
		return h, fault(err)
	}
	var object, database, stuck string
	var powers, may bool
	_, err = pgx.ForEachRow(rows, []any{&object, &database, &powers, &stuck, &may}, func() error {
		switch {
		case database != "":
			h.databases = append(h.databases, database)
			return nil
		case stuck != "":
			h.stuck[object] = stuck
			return nil
		}
		h.objects = append(h.objects, object)
		h.powers, h.mayHand = h.powers && powers, h.mayHand && powers && may
		return nil
	})
	return h, fault(err)
}

// ownership names what is owned as Compare does.
func ownership(object string) string { return "ownership on " + object }

// elsewhere names the ownership of something in another database as Compare does.
func elsewhere(database string) string {
	return ownership("database (as owner of objects in it) " + database)
}

// planHandOver gives the original what the clone owns, as a clone made by other means
// may.
func (k *cloning) planHandOver(ctx context.Context, p *plan) error {
	h, err := k.owned(ctx)
	if err != nil {
		return err
	}
	for object, statement := range h.stuck {
		p.kept = append(p.kept, kept{right: ownership(object), take: statement})
	}
	switch {
	case len(h.objects) == 0:
	case h.mayHand && len(h.stuck) == 0:
		p.add(change{statement: k.reassign(), takes: "the ownership of " + some(h.objects)})
	default:
		for _, object := range h.objects {
			p.kept = append(p.kept, kept{right: ownership(object), take: k.reassign()})
		}
	}
	for _, name := range h.databases {
		p.kept = append(p.kept, kept{right: elsewhere(name), take: "in the database " + pgwire.Ident(name) + ": " + k.reassign()})
	}
	if len(h.databases) > 0 {
		k.login.Report.Notef("%q owns objects in other databases (%s), which the application may miss at the next rotation. In each, run: %s",
			k.clone, some(h.databases), k.reassign())
	}
	return nil
}

func (k *cloning) reassign() string {
	return "REASSIGN OWNED BY " + pgwire.Ident(k.clone) + " TO " + pgwire.Ident(k.original)
}
