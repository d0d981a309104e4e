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
pair AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN ($1, $2)),
mine AS (SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r
         WHERE EXISTS (SELECT FROM me WHERE pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE')))`

// queryRights reads all that a session may do and another might not: grants,
// ownership, default privileges, memberships and attributes. What PUBLIC has
// everybody has. A right with its option is a line, and not two.
func (c *conn) queryRights() string {
	return "/* rotor: rights */ WITH acls AS (" + c.acls() + ")," + sessionRoles + `
SELECT kind, object, "column", privilege, bool_or(grantable) FROM (` + fmt.Sprintf(granted, "SELECT oid FROM mine", "", "") + `
UNION SELECT i.type, i.identity, '', 'ownership', false
FROM pg_catalog.pg_shdepend d
JOIN pg_catalog.pg_database here ON here.datname = pg_catalog.current_database() AND d.dbid IN (0, here.oid)
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o' AND d.refobjid IN (SELECT oid FROM mine)
  AND i.identity IS NOT NULL AND coalesce(i.schema, '') NOT LIKE 'pg\_temp\_%' AND d.classid NOT IN ` + notOwnership + `
UNION SELECT 'server', pg_catalog.quote_ident(m.srvname), '', 'a user mapping', false
FROM pg_catalog.pg_user_mappings m
WHERE m.umuser = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $3)
UNION SELECT 'database (as owner of objects in it)', there.datname::text, '', 'ownership', false
FROM pg_catalog.pg_shdepend d
JOIN pg_catalog.pg_database there ON there.oid = d.dbid AND there.datname <> pg_catalog.current_database()
WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o' AND d.refobjid IN (SELECT oid FROM mine)
  AND d.classid NOT IN ` + notOwnership + `
UNION SELECT 'future ' || ` + futures + `, 'FOR ROLE ' || pg_catalog.quote_ident(o.rolname) || ` + place + `, '', x.privilege_type, x.is_grantable
FROM pg_catalog.pg_default_acl a
JOIN pg_catalog.pg_roles o ON o.oid = a.defaclrole AND o.oid NOT IN (SELECT oid FROM pair)
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) x
WHERE x.grantee IN (SELECT oid FROM mine)
UNION SELECT 'future ' || d.objects, 'of its own' || d.place, '', d.privilege || ' for ' || d.grantee, d.grantable FROM (` + fmt.Sprintf(given, "$3") + `) d
UNION SELECT 'role', pg_catalog.quote_ident(r.rolname), '', 'membership',
       EXISTS (SELECT FROM me WHERE pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION'))
FROM pg_catalog.pg_roles r
WHERE r.oid NOT IN (SELECT oid FROM pair) AND EXISTS (SELECT FROM me WHERE pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER'))) AS lines
GROUP BY 1, 2, 3, 4
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

// rightsOf are those of a user as sessions of its own would have them.
func (k *cloning) rightsOf(ctx context.Context, user, twin string) ([]string, error) {
	acts, err := k.acts(ctx, user)
	if err != nil {
		return nil, err
	}
	rights, err := k.rights(ctx, k.tx, twin, user, acts)
	return rights, fault(err)
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

// CheckPassword implements database.Conn. The server gets a verifier, which tells it nothing of the password.
func (c *conn) CheckPassword(context.Context, string) error { return nil }

// Preflight implements database.Conn.
func (c *conn) Preflight(ctx context.Context, target database.Login) error {
	return c.preflight(ctx, target.User)
}

// preflight checks that the session may change the password of user.
func (c *conn) preflight(ctx context.Context, user string) error {
	return c.work(ctx, beginReading, func(tx pgx.Tx) error {
		_, err := c.mayChange(ctx, tx, user, false)
		return err
	})
}

// mayChange checks that the session may change the password of user or, for cloning,
// make others its members. What a superuser may, it says.
func (c *conn) mayChange(ctx context.Context, tx pgx.Tx, user string, cloning bool) (super bool, err error) {
	if _, err := c.facts(ctx, tx, user); err != nil {
		return false, err
	}
	var createRole, targetSuper, admin, restricted, own, replication bool
	if err := tx.QueryRow(ctx, queryPreflight, user).Scan(&super, &createRole, &targetSuper, &admin, &restricted, &own, &replication); err != nil {
		return false, fault(err)
	}
	who := c.login.User
	switch {
	case super:
		return true, nil
	case restricted:
		return false, rotation.Fail(rotation.MissingPrivilege, "%q may not change passwords: rds.restrict_password_commands is on", who).
			With("GRANT rds_password TO " + pgwire.Ident(who) + ";")
	case replication && !cloning && c.major() < 16: // found on 15; a clone needs more: see mayClone
		return false, rotation.Fail(rotation.MissingPrivilege, "%q has REPLICATION: before PostgreSQL 16 a superuser alone may change such a role's password, the role itself may not", user).
			With("As a superuser: ALTER ROLE " + pgwire.Ident(user) + " NOREPLICATION; or use ROTATION_STRATEGY=single-user-by-administrator with a superuser in masterarn. Then rotate again.")
	case own && !cloning:
		return false, nil
	case !createRole:
		return false, rotation.Fail(rotation.MissingPrivilege, "%q may not change other roles: it lacks CREATEROLE", who).With(adminRemedy(c.major(), user, who))
	case targetSuper:
		return false, rotation.Fail(rotation.MissingPrivilege, "%q is a superuser, and %q is not", user, who).With("Use a superuser as administrator.")
	case c.major() >= 16 && !admin:
		return false, rotation.Fail(rotation.MissingPrivilege, "%q lacks the ADMIN option on %q", who, user).With(adminRemedy(c.major(), user, who))
	}
	return false, nil
}

// adminRemedy says how the administrator gets power over a role. Since version
// 16, CREATEROLE is not enough.
func adminRemedy(major int, role, admin string) string {
	if major >= 16 {
		return fmt.Sprintf("As a superuser or an administrator of the role: GRANT %s TO %s WITH ADMIN OPTION; and ALTER ROLE %s CREATEROLE;", pgwire.Ident(role), pgwire.Ident(admin), pgwire.Ident(admin))
	}
	return fmt.Sprintf("As a superuser: ALTER ROLE %s CREATEROLE;", pgwire.Ident(admin))
}
