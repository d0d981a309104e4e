package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// explained says what the session lacks where the server says only that it may not:
// what a trial checks finds it. The transaction that failed is over by then.
func (c *conn) explained(ctx context.Context, user string, err error) error {
	var f, lacks *rotation.Fault
	if !errors.As(err, &f) || f.Class != rotation.MissingPrivilege {
		return err
	}
	if why := c.preflight(ctx, user); errors.As(why, &lacks) && lacks.Class == rotation.MissingPrivilege {
		return &rotation.Fault{Class: lacks.Class, Err: fmt.Errorf("%w: %w", lacks.Err, err), Remedy: lacks.Remedy}
	}
	return err
}

const queryAdmin = `/* rotor: admin option */ 
SELECT pg_catalog.pg_has_role(session_user, oid, 'MEMBER WITH ADMIN OPTION') FROM pg_catalog.pg_roles WHERE rolname = $1`

// mayClone checks that an administrator who is no superuser may make the clone what
// the original is: each statement of a clone's making takes a power of its own.
func (k *cloning) mayClone(ctx context.Context, s sides) error {
	if err := k.mayGive(ctx, k.clone, s.has, s.want); err != nil {
		return err
	}
	if s.exists && k.major() >= 16 {
		var admin bool
		if err := k.tx.QueryRow(ctx, queryAdmin, k.clone).Scan(&admin); err != nil {
			return fault(err)
		}
		if !admin {
			return rotation.Fail(rotation.MissingPrivilege, "%q lacks the ADMIN option on %q", k.login.User, k.clone).With(adminRemedy(k.major(), k.clone, k.login.User))
		}
	}
	return k.maySet(ctx, s)
}

// mayGive checks the attributes that a role has and is to have. Only a superuser
// changes a superuser, or makes one. Before version 16 the same is true of roles with
// REPLICATION, and of BYPASSRLS; since then, CREATEROLE says those, and CREATEDB, that
// it has itself.
// Source: PostgreSQL manual, "CREATE ROLE" and "ALTER ROLE", notes, of 15 and of 16.
func (k *cloning) mayGive(ctx context.Context, role string, has, want attributes) error {
	self, err := k.attributes(ctx, k.login.User)
	if err != nil {
		return fault(err)
	}
	if self.flags[flagSuper] {
		return nil
	}
	if has.flags[flagSuper] || want.flags[flagSuper] {
		return rotation.Fail(rotation.MissingPrivilege, "%q may not change %q: one of the pair is a superuser", k.login.User, role).
			With("Use a superuser as administrator. Or, as a superuser: ALTER ROLE " + pgwire.Ident(k.clone) + " NOSUPERUSER;")
	}
	var lacks []string
	for i, name := range flagNames {
		differ := has.flags[i] != want.flags[i]
		switch {
		case differ && k.major() >= 16 && !self.flags[i] && (name == "CREATEDB" || name == "REPLICATION" || name == "BYPASSRLS"),
			differ && k.major() < 16 && name == "BYPASSRLS",
			(has.flags[i] || want.flags[i]) && k.major() < 16 && name == "REPLICATION":
			lacks = append(lacks, name)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	f := rotation.Fail(rotation.MissingPrivilege, "%q may not make %q equal to %q: it may not say %s",
		k.login.User, k.clone, k.original, strings.Join(lacks, " and "))
	if k.major() < 16 {
		return f.With("Before PostgreSQL 16 only a superuser may: let masterarn name one, or take the attribute away from " + pgwire.Ident(k.original) + " and " + pgwire.Ident(k.clone) + ".")
	}
	return f.With(fmt.Sprintf("As a superuser: ALTER ROLE %s %s;", pgwire.Ident(k.login.User), strings.Join(lacks, " ")))
}

// queryGuarded finds the parameters that a superuser alone sets, if %s is false: those
// that the server says so of, and those of no library that it has loaded, of which it
// cannot say.
// Source: PostgreSQL manual, "ALTER ROLE"; "Customized Options".
const queryGuarded = `/* rotor: guarded parameters */
SELECT name FROM (SELECT DISTINCT n AS name FROM pg_catalog.unnest($1::text[]) n) all_of_them
WHERE NOT %s AND (EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE lower(s.name) = lower(all_of_them.name)
    AND s.context IN ('superuser', 'superuser-backend'))
  OR name LIKE '%%.%%' AND NOT EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE lower(s.name) = lower(all_of_them.name)))
ORDER BY 1`

// maySet checks the settings in which the two differ.
func (k *cloning) maySet(ctx context.Context, s sides) error {
	var names []string
	for _, s := range differing(s.hasSettings, s.wantSettings) {
		names = append(names, s.name)
	}
	allowed := "false"
	if k.major() >= 15 {
		allowed = "pg_catalog.has_parameter_privilege(session_user, name, 'SET')"
	}
	rows, err := k.tx.Query(ctx, fmt.Sprintf(queryGuarded, allowed), names)
	if err != nil {
		return fault(err)
	}
	guarded, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(guarded) == 0 {
		return fault(err)
	}
	for i, name := range guarded {
		guarded[i] = pgwire.Parameter(name)
	}
	f := rotation.Fail(rotation.MissingPrivilege, "%q may not set %s, in which %q and %q differ",
		k.login.User, strings.Join(guarded, " and "), k.clone, k.original)
	if k.major() < 15 {
		return f.With("Before PostgreSQL 15 only a superuser may: let masterarn name one, or ALTER ROLE " + pgwire.Ident(k.original) + " RESET " + guarded[0] + ";")
	}
	return f.With(fmt.Sprintf("As a superuser: GRANT SET ON PARAMETER %s TO %s;", strings.Join(guarded, ", "), pgwire.Ident(k.login.User)))
}
