package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// Clone implements database.Administrator. All of it is one transaction: a clone
// that lacks something is never seen. Nothing keeps two runs apart, since any user
// of the server can hold an advisory lock: if they meet, the server ends one of
// them (a row that changed meanwhile, a role that exists by now), which is worth
// another try.
func (c *conn) Clone(ctx context.Context, p database.Pair) error {
	return c.explained(ctx, p.Original.User, p.Clone.User, c.cloning(ctx, p, func(k *cloning) error {
		if _, err := c.facts(ctx, k.tx, p.Original.User); err != nil {
			return err
		}
		return k.run(ctx)
	}))
}

// cloning is one transaction that works on a pair.
type cloning struct {
	*conn
	tx              pgx.Tx
	original, clone string
	changes         []string
}

// cloning runs f in a transaction, and tells what it has changed.
func (c *conn) cloning(ctx context.Context, p database.Pair, f func(*cloning) error) error {
	k := &cloning{conn: c, original: p.Original.User, clone: p.Clone.User}
	err := c.work(ctx, beginWriting, func(tx pgx.Tx) error { k.tx = tx; return f(k) })
	if err == nil {
		for _, statement := range k.changes {
			c.login.Report.Changed(statement)
		}
	}
	return err
}

func (k *cloning) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		k.role,
		k.membership,
		k.settings,
		k.handOver,
		k.revokeExcess,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// attributes are what CREATE ROLE and ALTER ROLE set, apart from the password.
type attributes struct {
	flags      []bool // in the order of flagNames
	limit      int    // of connections; -1 is none
	validUntil string // ISO, or "" for ever
	login      bool
}

var flagNames = []string{"SUPERUSER", "CREATEDB", "CREATEROLE", "INHERIT", "REPLICATION", "BYPASSRLS"}

const flagInherit = 3 // of flagNames

// fresh are the attributes of a role that CREATE ROLE names without options.
var fresh = attributes{flags: []bool{false, false, false, true, false, false}, limit: -1}

const queryAttributes = `/* rotor: role attributes */
SELECT rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolreplication, rolbypassrls, rolconnlimit,
       coalesce(rolvaliduntil::text, ''), rolcanlogin
FROM pg_catalog.pg_roles WHERE rolname = $1`

func (k *cloning) attributes(ctx context.Context, user string) (attributes, error) {
	a := attributes{flags: make([]bool, len(flagNames))}
	err := k.tx.QueryRow(ctx, queryAttributes, user).
		Scan(&a.flags[0], &a.flags[1], &a.flags[2], &a.flags[3], &a.flags[4], &a.flags[5], &a.limit, &a.validUntil, &a.login)
	return a, err
}

// wanted are the attributes that the clone ought to have: the original's. Before
// version 16 a role inherits from all roles that it is a member of, or from none,
// and a clone has to inherit from its original, which then inherits itself or not.
func (k *cloning) wanted(ctx context.Context) (attributes, error) {
	a, err := k.attributes(ctx, k.original)
	if err == nil && k.major() < 16 {
		a.flags[flagInherit] = true
	}
	return a, err
}

// options are what to say to turn the attributes from into to. What is the same
// is left out: to say it again takes privileges that the administrator may
// lack.
func options(from, to attributes) string {
	var b strings.Builder
	if to.login && !from.login {
		b.WriteString(" LOGIN")
	}
	for i, name := range flagNames {
		switch {
		case to.flags[i] && !from.flags[i]:
			b.WriteString(" " + name)
		case !to.flags[i] && from.flags[i]:
			b.WriteString(" NO" + name)
		}
	}
	if to.limit != from.limit {
		fmt.Fprintf(&b, " CONNECTION LIMIT %d", to.limit)
	}
	if to.validUntil != from.validUntil {
		until := to.validUntil
		if until == "" {
			until = "infinity"
		}
		b.WriteString(" VALID UNTIL " + literal(until))
	}
	return b.String()
}

// role makes the clone exist with the original's attributes. A new one has no
// password, so that none logs it in.
func (k *cloning) role(ctx context.Context) error {
	want, err := k.wanted(ctx)
	if err != nil {
		return fault(err)
	}
	verb := "ALTER ROLE "
	has, exists, err := k.existing(ctx)
	if err != nil {
		return fault(err)
	}
	if !exists {
		verb = "CREATE ROLE "
		if err := k.noteSessionUser(ctx, k.tx); err != nil {
			return err
		}
	}
	said := options(has, want)
	if verb == "ALTER ROLE " && said == "" {
		return nil
	}
	return k.altering(k.exec(ctx, verb+pgwire.Ident(k.clone)+said), k.clone)
}

const queryMemberships = `/* rotor: memberships */
SELECT r.rolname::text, coalesce(g.rolname::text, ''), m.admin_option,
       coalesce((to_jsonb(m)->>'inherit_option')::bool, true) AND coalesce((to_jsonb(m)->>'set_option')::bool, true),
       coalesce((to_jsonb(m)->>'inherit_option')::bool, true) AND NOT pg_catalog.pg_has_role(o.oid, r.oid, 'USAGE'),
       pg_catalog.pg_has_role(o.oid, r.oid, 'MEMBER'), pg_catalog.pg_has_role(o.oid, r.oid, 'MEMBER WITH ADMIN OPTION')
FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
JOIN pg_catalog.pg_roles u ON u.oid = m.member AND u.rolname = $1
JOIN pg_catalog.pg_roles o ON o.rolname = $2
LEFT JOIN pg_catalog.pg_roles g ON g.oid = m.grantor
ORDER BY 1, 2`

// A membership is one grant of a role to the clone.
type membership struct {
	role, grantor string
	admin         bool
	full          bool // inherited, and the member may become the role
	more          bool // inherited, and not by the original
	originals     bool // the original is a member too
	administers   bool // so, with the ADMIN option
}

func (k *cloning) memberships(ctx context.Context) ([]membership, error) {
	rows, err := k.tx.Query(ctx, queryMemberships, k.clone, k.original)
	if err != nil {
		return nil, fault(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m membership, err error) {
		return m, row.Scan(&m.role, &m.grantor, &m.admin, &m.full, &m.more, &m.originals, &m.administers)
	})
	return all, fault(err)
}

// membership makes the clone a member of the original, and of no role that gives
// it more than the original has.
func (k *cloning) membership(ctx context.Context) error {
	all, err := k.memberships(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(m membership) bool { return m.role == k.original && m.full }) {
		if err := k.grantOriginal(ctx); err != nil {
			return err
		}
	}
	for _, m := range all {
		what := ""
		switch {
		case m.role == k.original:
			continue // the clone's mark
		case m.originals && !m.more && (!m.admin || m.administers):
			continue
		case m.originals && !m.more:
			what = "ADMIN OPTION FOR "
		}
		statement := "REVOKE " + what + pgwire.Ident(m.role) + " FROM " + pgwire.Ident(k.clone)
		if k.major() >= 16 && m.grantor != "" {
			statement += " GRANTED BY " + pgwire.Ident(m.grantor)
		}
		k.attempt(ctx, statement, fmt.Sprintf("revoke %sthe role %q, which %q does not have so, from %q", strings.ToLower(what), m.role, k.original, k.clone))
	}
	return nil
}

func (k *cloning) grantOriginal(ctx context.Context) error {
	statement := "GRANT " + pgwire.Ident(k.original) + " TO " + pgwire.Ident(k.clone)
	if k.major() >= 16 {
		statement += " WITH INHERIT TRUE, SET TRUE"
	}
	return k.altering(k.exec(ctx, statement), k.original)
}

// attempt runs a statement whose failure costs nobody a right. A failure is
// noted, with what was to be done, and undone.
func (k *cloning) attempt(ctx context.Context, statement, what string) bool {
	err := pgx.BeginFunc(ctx, k.tx, func(savepoint pgx.Tx) error {
		_, err := savepoint.Exec(ctx, statement)
		return err
	})
	if err != nil {
		k.login.Report.Notef("The administrator could not %s: %v", what, fault(err))
	} else {
		k.changes = append(k.changes, statement)
	}
	return err == nil
}

// exec runs a statement without a password.
func (k *cloning) exec(ctx context.Context, statement string) error {
	_, err := k.tx.Exec(ctx, statement)
	if err == nil {
		k.changes = append(k.changes, statement)
	}
	return err
}

// altering gives the error of a statement about a role its class. What an
// administrator lacks, explained finds out.
func (c *conn) altering(err error, role string) error {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != "42501" {
		return fault(err)
	}
	f := codes.Server(pe)
	if role == c.login.User {
		return f.With("The server does not let users change their own password (on RDS: rds.restrict_password_commands). " +
			"Use ROTATION_STRATEGY=single-user-by-administrator or alternating-users, with an administrator in masterarn.")
	}
	return f.With("Let masterarn name a superuser (on RDS, the master user), or give " + pgwire.Ident(c.login.User) + " what the server's message asks for.")
}

// adminRemedy says how the administrator gets power over a role. Since version
// 16, CREATEROLE is not enough.
func adminRemedy(major int, role, admin string) string {
	if major >= 16 {
		return fmt.Sprintf("As a superuser or an administrator of the role: GRANT %s TO %s WITH ADMIN OPTION; and ALTER ROLE %s CREATEROLE;", pgwire.Ident(role), pgwire.Ident(admin), pgwire.Ident(admin))
	}
	return fmt.Sprintf("As a superuser: ALTER ROLE %s CREATEROLE;", pgwire.Ident(admin))
}
