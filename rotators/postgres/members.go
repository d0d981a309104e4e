package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A membership is one grant of a role to the clone.
type membership struct {
	role, grantor string
	quoted        string // the role, by the server
	admin         bool
	full          bool // inherited, and the member may become the role
	inherited     bool
	originals     bool // the original is a member too
	originally    bool // and inherits it
	administers   bool // with the ADMIN option
	mayGive       bool // the session may grant the role
	mayTake       bool // and take this grant back
	passedOn      bool // the member has granted the role to others by this
	circular      bool // the role is a member of the original, and so cannot be granted to it
}

// administers says that the session may take grants of the role r back; grantor, that
// it may make some: there is a role whose powers it has, itself for one, that was given
// the option. Who has the option by a role that it does not inherit gets "no possible
// grantors" (found on 16, 17 and 18).
const (
	administers = "pg_catalog.pg_has_role(s.oid, r.oid, 'MEMBER WITH ADMIN OPTION')"
	grantor     = `EXISTS (SELECT FROM pg_catalog.pg_auth_members a WHERE a.roleid = r.oid AND a.admin_option
         AND pg_catalog.pg_has_role(s.oid, a.member, 'USAGE'))`
)

// queryMemberships reads what $1 is a member of, and how $2 is. It has three %s: what
// else than a superuser may grant the role r, and may take back what g has granted;
// and whether grants hang on the option by which they were made.
const queryMemberships = `/* rotor: memberships */
SELECT r.rolname::text, coalesce(g.rolname::text, ''), pg_catalog.quote_ident(r.rolname), m.admin_option,
       coalesce((to_jsonb(m)->>'inherit_option')::bool, true) AND coalesce((to_jsonb(m)->>'set_option')::bool, true),
       coalesce((to_jsonb(m)->>'inherit_option')::bool, true),
       pg_catalog.pg_has_role(o.oid, r.oid, 'MEMBER'), pg_catalog.pg_has_role(o.oid, r.oid, 'USAGE'),
       pg_catalog.pg_has_role(o.oid, r.oid, 'MEMBER WITH ADMIN OPTION'),
       s.rolsuper OR NOT r.rolsuper AND %[1]s,
       s.rolsuper OR NOT r.rolsuper AND %[2]s,
       m.admin_option AND %[3]s AND EXISTS (SELECT FROM pg_catalog.pg_auth_members d WHERE d.roleid = m.roleid AND d.grantor = m.member),
       EXISTS (WITH RECURSIVE above AS (SELECT a.roleid FROM pg_catalog.pg_auth_members a WHERE a.member = r.oid
                                        UNION SELECT a.roleid FROM pg_catalog.pg_auth_members a JOIN above ON above.roleid = a.member)
               SELECT FROM above WHERE above.roleid = o.oid)
FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
JOIN pg_catalog.pg_roles u ON u.oid = m.member AND u.rolname = $1
JOIN pg_catalog.pg_roles o ON o.rolname = $2
JOIN pg_catalog.pg_roles s ON s.rolname = session_user
LEFT JOIN pg_catalog.pg_roles g ON g.oid = m.grantor
ORDER BY 1, 2`

// memberships asks by the rules of the server's version: before 16, CREATEROLE grants
// and revokes every role but superusers, and nobody asks who granted it. Since then it
// takes the ADMIN option, and to take a grant back the powers of who made it.
// Source: PostgreSQL manual, "GRANT" and "REVOKE", "Notes", of 15 and of 16.
func (k *cloning) memberships(ctx context.Context) ([]membership, error) {
	before16 := "(s.rolcreaterole OR " + administers + ")"
	query := fmt.Sprintf(queryMemberships, before16, before16, "false")
	if k.major() >= 16 {
		query = fmt.Sprintf(queryMemberships, grantor, administers+" AND coalesce(pg_catalog.pg_has_role(s.oid, g.oid, 'USAGE'), false)", "true")
	}
	rows, err := k.tx.Query(ctx, query, k.clone, k.original)
	if err != nil {
		return nil, fault(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m membership, err error) {
		return m, row.Scan(&m.role, &m.grantor, &m.quoted, &m.admin, &m.full, &m.inherited,
			&m.originals, &m.originally, &m.administers, &m.mayGive, &m.mayTake, &m.passedOn, &m.circular)
	})
	return all, fault(err)
}

// planMemberships makes the clone a member of the original, and of no role that gives
// it more than the original has.
func (k *cloning) planMemberships(ctx context.Context, p *plan) error {
	all, err := k.memberships(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(m membership) bool { return m.role == k.original && m.full }) {
		if err := k.notItsMember(ctx); err != nil {
			return err
		}
		statement := "GRANT " + pgwire.Ident(k.original) + " TO " + pgwire.Ident(k.clone)
		if k.major() >= 16 {
			if err := k.mayMakeMembers(ctx); err != nil {
				return err
			}
			statement += " WITH INHERIT TRUE, SET TRUE"
		}
		p.add(change{statement: statement})
	}
	for _, m := range all {
		k.planRevocation(p, m)
	}
	return nil
}

const queryGrantor = `/* rotor: possible grantor */
SELECT s.rolsuper OR ` + grantor + ` FROM pg_catalog.pg_roles r, pg_catalog.pg_roles s WHERE r.rolname = $1 AND s.rolname = session_user`

// mayMakeMembers fails if the session has the ADMIN option on the original by a role
// that it does not inherit.
func (k *cloning) mayMakeMembers(ctx context.Context) error {
	var may bool
	if err := k.tx.QueryRow(ctx, queryGrantor, k.original).Scan(&may); err != nil || may {
		return fault(err)
	}
	return rotation.Fail(rotation.MissingPrivilege, "%q has the ADMIN option on %q by a role that it does not inherit", k.login.User, k.original).
		With(fmt.Sprintf("As a superuser: GRANT %s TO %s WITH ADMIN OPTION;", pgwire.Ident(k.original), pgwire.Ident(k.login.User)))
}

// planRevocation takes a membership away that gives the clone more than the original
// has.
func (k *cloning) planRevocation(p *plan, m membership) {
	more := m.inherited && !m.originally
	var option, what string
	switch {
	case m.role == k.original: // the clone's mark
		return
	case !m.originals:
		what = "membership on role " + m.role
	case more:
		what = "inheritance of role " + m.role
	case m.admin && !m.administers:
		option, what = "ADMIN OPTION FOR ", "the admin option on role "+m.role
	default:
		return
	}
	statement := "REVOKE " + option + pgwire.Ident(m.role) + " FROM " + pgwire.Ident(k.clone)
	if k.major() >= 16 && m.grantor != "" {
		statement += " GRANTED BY " + pgwire.Ident(m.grantor)
	}
	switch {
	case m.passedOn: // and who has it from the clone would lose it
		p.kept = append(p.kept, kept{right: what + ", which it has passed on", give: k.grantRole(m)})
	case m.mayTake:
		p.add(change{statement: statement, takes: what})
	default:
		p.kept = append(p.kept, kept{what, statement, k.grantRole(m)})
	}
}

// grantRole is the statement that makes the original as much a member as the clone; it
// is empty where that would be a circle.
func (k *cloning) grantRole(m membership) string {
	if m.circular {
		return ""
	}
	statement := "GRANT " + pgwire.Ident(m.role) + " TO " + pgwire.Ident(k.original)
	switch {
	case m.admin && m.inherited && k.major() >= 16:
		return statement + " WITH ADMIN TRUE, INHERIT TRUE"
	case m.admin:
		return statement + " WITH ADMIN OPTION"
	case m.inherited && k.major() >= 16:
		return statement + " WITH INHERIT TRUE"
	}
	return statement
}

// queryAbove finds by whom $1 is a member of $2.
const queryAbove = `/* rotor: members of the clone */
WITH RECURSIVE above AS (
  SELECT m.roleid, m.member FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles o ON o.oid = m.member AND o.rolname = $1
  UNION SELECT m.roleid, m.member FROM pg_catalog.pg_auth_members m JOIN above ON above.roleid = m.member)
SELECT pg_catalog.pg_get_userbyid(above.member)::text FROM above JOIN pg_catalog.pg_roles c ON c.oid = above.roleid AND c.rolname = $2 LIMIT 1`

// notItsMember fails if the original is a member of the clone: it cannot be both ways.
func (k *cloning) notItsMember(ctx context.Context) error {
	var by string
	err := k.tx.QueryRow(ctx, queryAbove, k.original, k.clone).Scan(&by)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fault(err)
	}
	return rotation.Fail(rotation.NotItsTwin, "%q is a member of %q, which therefore cannot be its clone", k.original, k.clone).
		With(fmt.Sprintf("As a superuser: REVOKE %s FROM %s; Then rotate again.", pgwire.Ident(k.clone), pgwire.Ident(by)))
}
