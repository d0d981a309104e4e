package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// The roles whose rights a session has: the user's ($2), the one that it acts as
// ($3), and those that they inherit. The twin's ($1) are among them if the user is
// a clone.
const sessionRoles = `
me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN ($2, $3)),
pair AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN ($1, $2, $3)),
mine AS (SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r
         WHERE EXISTS (SELECT FROM me WHERE pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE')))`

// queryRights reads all that a session may do and another might not: grants,
// ownership, default privileges, memberships and attributes. What PUBLIC has
// everybody has.
func (c *conn) queryRights() string {
	return "/* rotor: rights */ WITH acls AS (" + c.acls() + ")," + sessionRoles + fmt.Sprintf(granted, "SELECT oid FROM mine", "") + `
UNION SELECT i.type, i.identity, '', 'ownership', false
FROM pg_catalog.pg_shdepend d
JOIN pg_catalog.pg_database here ON here.datname = pg_catalog.current_database() AND d.dbid IN (0, here.oid)
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o' AND d.refobjid IN (SELECT oid FROM mine)
  AND i.identity IS NOT NULL AND coalesce(i.schema, '') NOT LIKE 'pg\_temp\_%'
  AND d.classid <> 'pg_catalog.pg_user_mapping'::pg_catalog.regclass
UNION SELECT 'server', pg_catalog.quote_ident(m.srvname), '', 'a user mapping', false
FROM pg_catalog.pg_user_mappings m
WHERE m.umuser = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $3)
UNION SELECT 'database (as owner of objects in it)', there.datname::text, '', 'ownership', false
FROM pg_catalog.pg_shdepend d
JOIN pg_catalog.pg_database there ON there.oid = d.dbid AND there.datname <> pg_catalog.current_database()
WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o' AND d.refobjid IN (SELECT oid FROM mine)
UNION SELECT 'future objects (kind ' || a.defaclobjtype::text || ')', pg_catalog.quote_ident(o.rolname) || coalesce(' in schema ' || pg_catalog.quote_ident(n.nspname), ''),
       '', x.privilege_type, x.is_grantable
FROM pg_catalog.pg_default_acl a
JOIN pg_catalog.pg_roles o ON o.oid = a.defaclrole AND o.oid NOT IN (SELECT oid FROM pair)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) x
WHERE x.grantee IN (SELECT oid FROM mine)
UNION SELECT 'role', pg_catalog.quote_ident(r.rolname), '', 'membership',
       EXISTS (SELECT FROM me WHERE pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION'))
FROM pg_catalog.pg_roles r
WHERE r.oid NOT IN (SELECT oid FROM pair) AND EXISTS (SELECT FROM me WHERE pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER'))
ORDER BY 1, 2, 3, 4`
}

const querySession = "/* rotor: session */ SELECT session_user, current_user"

const queryPowers = `/* rotor: powers */
SELECT coalesce(bool_or(rolsuper), false), coalesce(bool_or(rolcreatedb), false), coalesce(bool_or(rolcreaterole), false),
       coalesce(bool_or(rolreplication), false), coalesce(bool_or(rolbypassrls), false)
FROM pg_catalog.pg_roles WHERE rolname IN ($1, $2)`

// Rights implements database.Administrator. It sees the rights in the session's own
// database and those of the whole server; of other databases it sees only
// whether the user owns something there.
func (c *conn) Rights(ctx context.Context, twin string) (rights []string, err error) {
	err = c.work(ctx, beginAs, func(tx pgx.Tx) error {
		var user, acts string
		if err := tx.QueryRow(ctx, querySession).Scan(&user, &acts); err != nil {
			return err
		}
		rights, err = c.rights(ctx, tx, twin, user, acts)
		return err
	})
	return rights, err
}

// rights are those of a user in a session that acts as a role.
func (c *conn) rights(ctx context.Context, tx pgx.Tx, twin, user, acts string) (rights []string, err error) {
	powers := make([]bool, 5)
	if err := tx.QueryRow(ctx, queryPowers, user, acts).Scan(&powers[0], &powers[1], &powers[2], &powers[3], &powers[4]); err != nil {
		return nil, err
	}
	for i, name := range []string{"SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS"} {
		if powers[i] {
			rights = append(rights, name)
		}
	}
	if powers[0] {
		return rights, nil // all others follow
	}
	rows, err := tx.Query(ctx, c.queryRights(), twin, user, acts)
	if err != nil {
		return nil, err
	}
	grants, err := pgx.CollectRows(rows, scanGrant)
	for _, g := range grants {
		rights = append(rights, g.String())
	}
	return rights, err
}

const queryPreflight = `/* rotor: preflight */
SELECT s.rolsuper, s.rolcreaterole, r.rolsuper, pg_catalog.pg_has_role(s.oid, r.oid, 'MEMBER WITH ADMIN OPTION'),
       coalesce(pg_catalog.current_setting('rds.restrict_password_commands', true), 'off') = 'on'
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles p WHERE p.rolname = 'rds_password' AND pg_catalog.pg_has_role(s.oid, p.oid, 'MEMBER')),
       r.oid = s.oid, r.rolreplication
FROM pg_catalog.pg_roles s JOIN pg_catalog.pg_roles r ON r.rolname = $1 WHERE s.rolname = session_user`

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	return c.preflight(ctx, target.User, "")
}

// PreflightClone implements database.Administrator.
func (c *conn) PreflightClone(ctx context.Context, p database.Pair) error {
	return c.preflight(ctx, p.Original.User, p.Clone.User)
}

// PreflightHandBack implements database.Administrator.
func (c *conn) PreflightHandBack(ctx context.Context, p database.Pair, drift bool) error {
	if err := c.preflight(ctx, p.Original.User, ""); err != nil || !drift {
		return err
	}
	return c.work(ctx, beginReading, func(tx pgx.Tx) error {
		k := &cloning{conn: c, tx: tx, original: p.Original.User, clone: p.Clone.User}
		return k.mayHandBack(ctx)
	})
}

// preflight checks that the session may change the password of user and, if clone
// is not empty, make clone a clone of user.
func (c *conn) preflight(ctx context.Context, user, clone string) error {
	return c.work(ctx, beginReading, func(tx pgx.Tx) error {
		if clone != "" {
			if err := c.noteSessionUser(ctx, tx); err != nil {
				return err
			}
		}
		return c.mayChange(ctx, tx, user, clone)
	})
}

func (c *conn) mayChange(ctx context.Context, tx pgx.Tx, user, clone string) error {
	if _, err := c.facts(ctx, tx, user); err != nil {
		return err
	}
	var super, createRole, targetSuper, admin, restricted, own, replication bool
	if err := tx.QueryRow(ctx, queryPreflight, user).Scan(&super, &createRole, &targetSuper, &admin, &restricted, &own, &replication); err != nil {
		return err
	}
	who := c.login.User
	switch {
	case super:
		return nil
	case restricted:
		return rotation.Fail(rotation.MissingPrivilege, "%q may not change passwords: rds.restrict_password_commands is on", who).
			With("GRANT rds_password TO " + pgwire.Ident(who) + ";")
	case replication && clone == "" && c.major() < 16: // found on 15; a clone needs more: see mayClone
		return rotation.Fail(rotation.MissingPrivilege, "%q has REPLICATION: before PostgreSQL 16 a superuser alone may change such a role's password, the role itself may not", user).
			With("As a superuser: ALTER ROLE " + pgwire.Ident(user) + " NOREPLICATION; or use ROTATION_STRATEGY=single-user-by-administrator with a superuser in masterarn. Then rotate again.")
	case own && clone == "":
		return nil
	case !createRole:
		return rotation.Fail(rotation.MissingPrivilege, "%q may not change other roles: it lacks CREATEROLE", who).With(adminRemedy(c.major(), user, who))
	case targetSuper:
		return rotation.Fail(rotation.MissingPrivilege, "%q is a superuser, and %q is not", user, who).With("Use a superuser as administrator.")
	case c.major() >= 16 && !admin:
		return rotation.Fail(rotation.MissingPrivilege, "%q lacks the ADMIN option on %q", who, user).With(adminRemedy(c.major(), user, who))
	case clone != "":
		k := &cloning{conn: c, tx: tx, original: user, clone: clone}
		return k.mayClone(ctx)
	}
	return nil
}
