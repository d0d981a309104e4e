package sqlserver

import (
	"context"
	"errors"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// A place is a database.
type place struct {
	name      string
	online    bool
	readOnly  bool
	open      bool   // to this session
	owner     string // the SID of the login that is its owner
	contained bool   // the session's one, when the users are of it alone
}

// Snapshots are as their databases were, and tempdb begins anew with the server.
const queryDatabases = `/* rotor: databases */
SELECT name, state_desc, CONVERT(nvarchar(60), DATABASEPROPERTYEX(name, 'Updateability')), HAS_DBACCESS(name), CONVERT(nvarchar(200), owner_sid, 1)
FROM sys.databases WHERE name <> N'tempdb' AND source_database_id IS NULL ORDER BY database_id`

// places are the databases in which a principal may have rights.
func (c *conn) places(ctx context.Context, of *principal) ([]place, error) {
	if of.contained {
		return []place{{name: c.login.Database, online: true, open: true, contained: true}}, nil
	}
	rows, err := c.rows(ctx, queryDatabases)
	var all []place
	for _, r := range rows {
		all = append(all, place{name: r[0], online: r[1] == "ONLINE", readOnly: r[2] == "READ_ONLY", open: isTrue(r[3]), owner: r[4]})
	}
	return all, err
}

// each calls f in every database that the session may open, and names the
// others in a note: whether the user has rights there is not known. Test finds
// those that the user itself can see.
func (c *conn) each(ctx context.Context, of *principal, f func(place) error) error {
	all, err := c.places(ctx, of)
	if err != nil {
		return err
	}
	var closed []string
	for _, p := range all {
		if !p.online || !p.open {
			closed = append(closed, ident(p.name))
			continue
		}
		if !p.contained {
			err := c.use(ctx, p.name)
			if isClass(err, rotation.ReadOnly) || isClass(err, rotation.NoDatabase) || isClass(err, rotation.MissingPrivilege) {
				closed = append(closed, ident(p.name)) // a secondary replica, or gone meanwhile
				continue
			}
			if err != nil {
				return err
			}
		}
		switch err := f(p); {
		case errors.Is(err, errBlind) && (p.contained || p.name == c.login.Database && p.name != master):
			return rotation.Fail(rotation.MissingPrivilege, "%q does not see who may do what in database %s", c.login.User, ident(p.name)).With("As an administrator: " + c.grantDatabase(ctx, p.name))
		case errors.Is(err, errBlind):
			closed = append(closed, ident(p.name))
		case err != nil:
			return err
		}
	}
	if len(closed) > 0 {
		c.login.Report.Notef("The rights of %q in these databases were not looked at, since %q may not open them or not view the definitions there, "+
			"or they are offline: %s. If it has any there, an alternating rotation ends with %v. GRANT CONNECT ANY DATABASE TO %s; on the server lets the trial look.",
			of.name, c.login.User, strings.Join(closed, ", "), rotation.FewerRights, ident(c.login.User))
	}
	if of.contained {
		return nil
	}
	return c.home(ctx)
}

// change carries out statements in a database.
func (c *conn) change(ctx context.Context, p place, statements []string) error {
	if len(statements) > 0 && p.readOnly {
		return rotation.Fail(rotation.ReadOnly, "the database %s is read-only or a secondary replica, and the user's rights there have to be changed", ident(p.name)).
			With("Make it writable for the time of the rotation, point the secret's host at the primary replica, or take the users out of that database.")
	}
	if len(statements) > 0 {
		if err := c.noteTriggers(ctx, p); err != nil {
			return err
		}
	}
	err := c.run(ctx, statements)
	if isClass(err, rotation.MissingPrivilege) {
		return lacking(err, "As an administrator: "+c.grantDatabase(ctx, p.name))
	}
	return err
}

// master is the database of a secret that names none. The session is only
// passing through, as in all others.
const master = "master"

const queryUser = `/* rotor: user */
SELECT DATABASE_PRINCIPAL_ID(), USER_NAME()`

// grantDatabase is what lets the session copy rights in its present database,
// where it may have a user, or be there as guest.
func (c *conn) grantDatabase(ctx context.Context, database string) string {
	use, user := "USE "+ident(database)+"; ", c.login.User
	rows, err := c.rows(ctx, queryUser)
	switch {
	case err == nil && len(rows) == 1 && rows[0][0] != guest:
		user = rows[0][1]
	default:
		use += "CREATE USER " + ident(user) + " FOR LOGIN " + ident(user) + "; "
	}
	return use + "ALTER ROLE [db_owner] ADD MEMBER " + ident(user) + ";"
}

// ownsNothing refuses to copy a user who is the owner of a database: it is dbo
// there, which nobody can be beside it.
func ownsNothing(of *principal, p place) error {
	if of.contained || p.owner != of.sid {
		return nil
	}
	return rotation.Fail(rotation.FewerRights, "%q is the owner of the database %s, and a database has one owner: its clone would have fewer rights", of.name, ident(p.name)).
		With("Give the database to another login (ALTER AUTHORIZATION ON DATABASE::" + ident(p.name) + " TO [sa];), make " + of.name + " a user of it and a member of db_owner; or use ROTATION_STRATEGY=single-user.")
}
