package sqlserver

import (
	"context"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A user whose SID no login has is left over from a login that was dropped, or
// from the server where the database was backed up. Its name proves nothing. It
// becomes a login's only if that login is the clone already, which the framework
// has proven by then, and if it owns nothing; its rights are made the original's
// before it is the clone's. So nobody gets by it what the original has not.
const queryNamesake = `/* rotor: namesake */
SELECT u.type, u.authentication_type, u.principal_id, u.default_schema_name, u.allow_encrypted_value_modifications, l.principal_id
FROM sys.database_principals u LEFT JOIN sys.server_principals l ON l.sid = u.sid WHERE u.name = @p1`

// roomFor makes sure that a login or contained user of that name can be made: in
// no database where the original is, another principal may have it.
func (c *conn) roomFor(ctx context.Context, from *principal, clone string) error {
	return c.each(ctx, from, func(p place) error {
		want, _, err := c.users(ctx, from, from)
		if err != nil || want.id == "" {
			return err
		}
		_, err = c.vacant(ctx, p, nil, clone)
		return err
	})
}

// vacant makes sure that a user of that name can be made in the present database
// for a login, which is nil if it does not exist yet. Orphan is who has the name,
// and may become the login's.
func (c *conn) vacant(ctx context.Context, p place, of *principal, name string) (orphan *profile, err error) {
	rows, err := c.rows(ctx, queryNamesake, name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	r := rows[0]
	kind, authentication, login := r[0], r[1], r[5]
	drop := "DROP USER "
	switch kind {
	case "R":
		drop = "DROP ROLE "
	case "A":
		drop = "DROP APPLICATION ROLE "
	}
	drop = "If nobody needs it: USE " + ident(p.name) + "; " + drop + ident(name) + "; If it is somebody's, choose another CLONE_SUFFIX."
	if kind != "S" || authentication != "1" || login != "" || of == nil {
		return nil, rotation.Fail(rotation.NotItsTwin, "in database %s there is a user or a role %q, and it is not the login's of that name", ident(p.name), name).With(drop)
	}
	orphan = newProfile(false, c.login.User)
	orphan.id, orphan.name, orphan.schema, orphan.encrypted = r[2], name, r[3], isTrue(r[4])
	if err := c.fill(ctx, orphan); err != nil {
		return nil, err
	}
	if len(orphan.owned) > 0 {
		all := strings.ReplaceAll(strings.Join(sortedNames(orphan.owned), ","), " ON ", " ")
		return nil, rotation.Fail(rotation.NotItsTwin, "in database %s the user %q has the SID of no login, as after a restore, and owns%s", ident(p.name), name, all).
			With("Give that to another owner, which ends all permissions on it: USE " + ident(p.name) + ";" + givenAway(orphan) +
				" If it is somebody's, choose another CLONE_SUFFIX.")
	}
	return orphan, nil
}

// givenAway are the statements by which dbo becomes the owner of what p owns.
func givenAway(p *profile) string {
	var all strings.Builder
	for _, on := range sortedNames(p.owned) {
		all.WriteString(" ALTER AUTHORIZATION" + on + " TO [dbo];")
	}
	return all.String()
}

// adoptOrphan makes an orphan the user of a login, with the rights of want.
// Source: Transact-SQL reference, "ALTER USER".
func (c *conn) adoptOrphan(ctx context.Context, p place, to *principal, orphan, want *profile) (*profile, error) {
	statements := orphan.follow(want)
	if err := c.change(ctx, p, append(texts(statements), "ALTER USER "+ident(orphan.name)+" WITH LOGIN = "+ident(to.name))); err != nil {
		return nil, err
	}
	has, err := c.reread(ctx, to, orphan.after(statements, want))
	if err != nil {
		return nil, err
	}
	return c.enter(ctx, p, to, has, want)
}
