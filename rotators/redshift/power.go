package redshift

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A user who is no superuser sees the roles that it has, and what they have.
// Source: Database Developer Guide, "SVV_SYSTEM_PRIVILEGES", "SVV_ROLE_GRANTS".
const (
	queryAltering = `/* rotor: roles that alter users */
SELECT identity_name FROM svv_system_privileges WHERE identity_type = 'role' AND system_privilege = 'ALTER USER'`
	queryRoleGrants = `/* rotor: roles of roles */
SELECT role_name, granted_role_name FROM svv_role_grants`
)

type roleGrant struct{ role, granted string }

func scanRoleGrant(row pgx.CollectableRow) (g roleGrant, err error) {
	err = row.Scan(&g.role, &g.granted)
	return g, err
}

// mayAlterUsers checks that the session's user, who is no superuser, may change the
// passwords of others: that takes a role with the system privilege ALTER USER.
// Source: Database Developer Guide, "ALTER USER", "Amazon Redshift RBAC system
// permissions".
func (c *conn) mayAlterUsers(ctx context.Context) error {
	me := c.login.User
	pair := map[string]*profile{me: newProfile(attributes{}, nil)}
	if err := c.readRoles(ctx, pair, me, me); err != nil {
		return err
	}
	altering, err := rows(ctx, c, pgx.RowTo[string], queryAltering)
	if err != nil {
		return err
	}
	granted, err := rows(ctx, c, scanRoleGrant, queryRoleGrants)
	if err != nil {
		return err
	}
	roles := pair[me].roles
	for more := true; more; {
		more = false
		for _, g := range granted {
			_, holds := roles[g.role]
			if _, known := roles[g.granted]; holds && !known {
				roles[g.granted], more = false, true
			}
		}
	}
	if slices.ContainsFunc(altering, func(role string) bool { _, holds := roles[role]; return holds }) {
		return nil
	}
	return rotation.Fail(rotation.MissingPrivilege, "%q may not change other users: it is no superuser, and none of its roles has the privilege ALTER USER", me).
		With("As a superuser: CREATE ROLE rotor; GRANT ALTER USER TO ROLE rotor; GRANT ROLE rotor TO " + pgwire.Ident(me) + ";")
}
