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
func (c *conn) explained(ctx context.Context, user, clone string, err error) error {
	var f, lacks *rotation.Fault
	if !errors.As(err, &f) || f.Class != rotation.MissingPrivilege {
		return err
	}
	if why := c.preflight(ctx, user, clone); errors.As(why, &lacks) && lacks.Class == rotation.MissingPrivilege {
		return &rotation.Fault{Class: lacks.Class, Err: fmt.Errorf("%w: %w", lacks.Err, err), Remedy: lacks.Remedy}
	}
	return err
}

// mayClone checks that an administrator who is no superuser may make the clone what
// the original is: each statement of a clone's making takes a power of its own.
func (k *cloning) mayClone(ctx context.Context) error {
	has, exists, err := k.existing(ctx)
	if err != nil {
		return err
	}
	want, err := k.wanted(ctx)
	if err != nil {
		return err
	}
	if err := k.mayGive(ctx, has, want); err != nil {
		return err
	}
	if exists && k.major() >= 16 {
		var admin bool
		if err := k.tx.QueryRow(ctx, queryAdmin, k.clone).Scan(&admin); err != nil {
			return err
		}
		if !admin {
			return rotation.Fail(rotation.MissingPrivilege, "%q lacks the ADMIN option on %q", k.login.User, k.clone).With(adminRemedy(k.major(), k.clone, k.login.User))
		}
	}
	return k.maySet(ctx)
}

// queryHands asks what REASSIGN OWNED by $1 to $2 takes.
const queryHands = `/* rotor: power to hand over */
SELECT s.rolsuper OR pg_catalog.pg_has_role(s.oid, c.oid, 'USAGE') AND pg_catalog.pg_has_role(s.oid, o.oid, 'USAGE') AND pg_catalog.pg_has_role(s.oid, o.oid, '%s')
FROM pg_catalog.pg_roles s, pg_catalog.pg_roles c, pg_catalog.pg_roles o WHERE s.rolname = session_user AND c.rolname = $1 AND o.rolname = $2`

// mayHandBack checks that the original may be given what only the clone has.
func (k *cloning) mayHandBack(ctx context.Context) error {
	objects, _, err := k.owned(ctx, k.clone)
	if err != nil {
		return err
	}
	if len(objects) > 0 {
		var may bool
		if err := k.tx.QueryRow(ctx, fmt.Sprintf(queryHands, k.become()), k.clone, k.original).Scan(&may); err != nil {
			return err
		}
		if !may {
			return rotation.Fail(rotation.MissingPrivilege, "%q may not hand over what %q owns: %s", k.login.User, k.clone, some(objects)).With(k.handingRemedy())
		}
	}
	has, want, err := k.attributesInDrift(ctx)
	if err != nil {
		return err
	}
	back := *k
	back.original, back.clone = k.clone, k.original // whose attributes are given to whom
	return back.mayGive(ctx, has, want)
}

const queryAdmin = `/* rotor: admin option */ SELECT pg_catalog.pg_has_role(session_user, oid, 'MEMBER WITH ADMIN OPTION') FROM pg_catalog.pg_roles WHERE rolname = $1`

// existing are the clone's attributes, or those of a role that is new.
func (k *cloning) existing(ctx context.Context) (a attributes, exists bool, err error) {
	a, err = k.attributes(ctx, k.clone)
	if errors.Is(err, pgx.ErrNoRows) {
		return fresh, false, nil
	}
	return a, err == nil, err
}

// mayGive checks the attributes in which two roles differ. Before version 16 only
// a superuser says REPLICATION and BYPASSRLS; since then, CREATEROLE says those,
// and CREATEDB, that it has itself.
// Source: PostgreSQL manual, "CREATE ROLE", notes, of 15 and of 16.
func (k *cloning) mayGive(ctx context.Context, has, want attributes) error {
	self, err := k.attributes(ctx, k.login.User)
	if err != nil {
		return err
	}
	var lacks []string
	for i, name := range flagNames {
		if has.flags[i] == want.flags[i] {
			continue
		}
		switch {
		case k.major() >= 16 && !self.flags[i] && (name == "CREATEDB" || name == "REPLICATION" || name == "BYPASSRLS"),
			k.major() < 16 && (name == "REPLICATION" || name == "BYPASSRLS"):
			lacks = append(lacks, name)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	f := rotation.Fail(rotation.MissingPrivilege, "%q may not make %q equal to %q: it may not say %s", k.login.User, k.clone, k.original, strings.Join(lacks, " and "))
	if k.major() < 16 {
		return f.With("Before PostgreSQL 16 only a superuser may: let masterarn name one, or take the attribute away from " + pgwire.Ident(k.original) + ".")
	}
	return f.With(fmt.Sprintf("As a superuser: ALTER ROLE %s %s;", pgwire.Ident(k.login.User), strings.Join(lacks, " ")))
}

const queryGuarded = `/* rotor: guarded parameters */
SELECT name FROM pg_catalog.pg_settings WHERE name = ANY ($1) AND context IN ('superuser', 'superuser-backend') AND NOT %s ORDER BY 1`

// maySet checks the settings in which the two differ.
func (k *cloning) maySet(ctx context.Context) error {
	has, want, err := k.bothSettings(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, s := range differing(has, want) {
		names = append(names, s.name)
	}
	allowed := "false"
	if k.major() >= 15 {
		allowed = "pg_catalog.has_parameter_privilege(session_user, name, 'SET')"
	}
	rows, err := k.tx.Query(ctx, fmt.Sprintf(queryGuarded, allowed), names)
	if err != nil {
		return err
	}
	guarded, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(guarded) == 0 {
		return err
	}
	f := rotation.Fail(rotation.MissingPrivilege, "%q may not set %s, which %q has", k.login.User, strings.Join(guarded, " and "), k.original)
	if k.major() < 15 {
		return f.With("Before PostgreSQL 15 only a superuser may: let masterarn name one, or ALTER ROLE " + pgwire.Ident(k.original) + " RESET " + guarded[0] + ";")
	}
	return f.With(fmt.Sprintf("As a superuser: GRANT SET ON PARAMETER %s TO %s;", strings.Join(guarded, ", "), pgwire.Ident(k.login.User)))
}
