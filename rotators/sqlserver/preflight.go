package sqlserver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

const (
	queryMayOnServer = `/* rotor: may on the server */
SELECT HAS_PERMS_BY_NAME(NULL, NULL, @p1)`
	queryMayInDatabase = `/* rotor: may in the database */
SELECT HAS_PERMS_BY_NAME(NULL, 'DATABASE', @p1)`
	queryIsServerMember = `/* rotor: member of a server role */
SELECT IS_SRVROLEMEMBER(@p1)`
	queryIsOwner = `/* rotor: owner's role */
SELECT IS_MEMBER('db_owner')`
)

// may reports whether a query answers 1.
func (c *conn) may(ctx context.Context, query string, args ...string) (bool, error) {
	answer, err := c.column(ctx, query, args...)
	return len(answer) == 1 && isTrue(answer[0]), err
}

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
	if drift {
		return c.PreflightClone(ctx, p) // which takes as much
	}
	return c.Preflight(ctx, p.Original)
}

// preflight: a user may always change its own
// password.
func (c *conn) preflight(ctx context.Context, user, clone string) error {
	p, err := c.usable(ctx, user)
	if err != nil {
		return err
	}
	if user == c.login.User && clone == "" {
		return nil
	}
	if clone != "" {
		if err := c.mustSee(ctx, p); err != nil {
			return err
		}
	}
	missing, err := c.missing(ctx, p, clone)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return lackingAll(c.login.User, missing)
	}
	if clone == "" {
		return nil
	}
	return c.clonable(ctx, p)
}

// A lack is a privilege that the session has not, and what gives it.
type lack struct{ what, remedy string }

func lackingAll(user string, missing []lack) error {
	var what, remedies []string
	for _, m := range missing {
		what = append(what, m.what)
		if !slices.Contains(remedies, m.remedy) {
			remedies = append(remedies, m.remedy)
		}
	}
	return rotation.Fail(rotation.MissingPrivilege, "%q lacks %s", user, strings.Join(what, "; ")).With("As an administrator: " + strings.Join(remedies, " "))
}

// missing is what the session lacks for the password of p or, to make a clone of
// that name follow it, for all that p has.
func (c *conn) missing(ctx context.Context, p *principal, clone string) (missing []lack, err error) {
	if !p.contained {
		if missing, err = c.missingOnServer(ctx, p, clone != ""); err != nil {
			return nil, err
		}
	} else if may, err := c.may(ctx, queryMayInDatabase, "ALTER ANY USER"); err != nil || !may {
		return []lack{{"ALTER ANY USER in database " + ident(c.login.Database), c.alterUsers(p)}}, err
	}
	if clone == "" {
		return missing, nil
	}
	k, err := c.find(ctx, clone)
	if err != nil {
		return nil, err
	}
	err = c.each(ctx, p, func(at place) error {
		more, err := c.missingInDatabase(ctx, at, p, k, clone)
		missing = append(missing, more...)
		return err
	})
	return missing, err
}

func (c *conn) missingOnServer(ctx context.Context, p *principal, cloning bool) ([]lack, error) {
	all, err := c.may(ctx, queryMayOnServer, "CONTROL SERVER")
	if err != nil || all && !cloning {
		return nil, err
	}
	if !all {
		if logins, err := c.may(ctx, queryMayOnServer, "ALTER ANY LOGIN"); err != nil || !logins {
			return []lack{{"ALTER ANY LOGIN on the server", grantLogins(c.login.User)}}, err
		}
	}
	has, err := c.onServer(ctx, p)
	if err != nil {
		return nil, err
	}
	var missing []lack
	if _, control := has.grants[grant{"CONTROL SERVER", ""}]; !all && (has.in("sysadmin") || control) {
		missing = append(missing, lack{"CONTROL SERVER, which " + p.name + " has too", grantServer(c.login.User)})
	}
	if !cloning {
		return missing, nil
	}
	if p.options.hasCredential {
		if may, err := c.may(ctx, queryMayOnServer, "ALTER ANY CREDENTIAL"); err != nil {
			return nil, err
		} else if !may {
			missing = append(missing, lack{"ALTER ANY CREDENTIAL on the server", grantCredential(c.login.User)})
		}
	}
	roles, err := c.cannotJoin(ctx, has)
	if err != nil || all {
		return append(missing, roles...), err
	}
	me, err := c.find(ctx, c.login.User)
	if err != nil {
		return nil, err
	}
	mine, err := c.onServer(ctx, me)
	if err != nil {
		return nil, err
	}
	return slices.Concat(missing, roles, mine.cannotGive(has)), nil
}

// cannotJoin are the server roles of a login to which the session may not add
// another. To a fixed one its members may, and sysadmin's: CONTROL SERVER is not
// enough.
// Source: Transact-SQL reference, "ALTER SERVER ROLE", permissions.
func (c *conn) cannotJoin(ctx context.Context, of *profile) (missing []lack, err error) {
	if len(of.roles) == 0 {
		return nil, nil
	}
	if all, err := c.may(ctx, queryIsServerMember, "sysadmin"); err != nil || all {
		return nil, err
	}
	alters, err := c.may(ctx, queryMayOnServer, "ALTER ANY SERVER ROLE")
	if err != nil {
		return nil, err
	}
	for _, role := range sortedNames(of.roles) {
		may := alters
		if of.roles[role] {
			if may, err = c.may(ctx, queryIsServerMember, role); err != nil {
				return nil, err
			}
		}
		switch {
		case may:
		case of.roles[role]:
			missing = append(missing, lack{"membership in server role " + ident(role) + ", to add members to it",
				"ALTER SERVER ROLE " + ident(role) + " ADD MEMBER " + ident(c.login.User) + ";"})
		default:
			missing = append(missing, lack{"ALTER ANY SERVER ROLE on the server, to add members to " + ident(role),
				"USE [master]; GRANT ALTER ANY SERVER ROLE TO " + ident(c.login.User) + ";"})
		}
	}
	return missing, nil
}

// cannotGive is what of a login's permissions on the server another one may not
// give to a third. CONNECT SQL comes with the login.
func (p *profile) cannotGive(of *profile) []lack {
	var missing []lack
	mine := p.rights()
	for _, g := range slices.Concat(sortedGrants(of.grants), sortedGrants(of.denials)) {
		if !mine[g].option && !mine[control(g.on)].option && g != (grant{"CONNECT SQL", ""}) {
			missing = append(missing, lack{fmt.Sprintf("%s on the server, with grant option", g),
				"USE [master]; GRANT " + g.String() + " TO " + ident(p.session) + " WITH GRANT OPTION;"})
		}
	}
	return missing
}

// missingInDatabase is what the session lacks to make the clone's user, which may
// not exist, follow p's in the present database.
func (c *conn) missingInDatabase(ctx context.Context, at place, p, k *principal, clone string) ([]lack, error) {
	twin := k
	if twin == nil {
		twin = p
	}
	has, follows, err := c.inDatabase(ctx, p, twin)
	if err != nil || has.id == "" {
		return nil, err
	}
	needs := []string{"ALTER ANY USER"}
	if k == nil || follows.id == "" {
		orphan, err := c.vacant(ctx, at, k, clone)
		if err != nil {
			return nil, err
		}
		if orphan != nil {
			needs = append(needs, "CONTROL")
		}
	}
	if owner, err := c.may(ctx, queryIsOwner); err != nil || owner {
		return nil, err
	}
	if len(has.roles) > 0 {
		needs = append(needs, "ALTER ANY ROLE")
	}
	if len(has.grants)+len(has.denials)+len(has.owned) > 1 { // CONNECT comes with the user
		needs = append(needs, "CONTROL")
	}
	remedy := c.grantDatabase(ctx, at.name)
	var missing []lack
	for _, need := range needs {
		may, err := c.may(ctx, queryMayInDatabase, need)
		if err != nil {
			return nil, err
		}
		if !may {
			missing = append(missing, lack{need + " in database " + ident(at.name), remedy})
		}
	}
	for _, role := range sortedNames(has.roles) {
		if has.roles[role] {
			missing = append(missing, lack{"membership in db_owner of database " + ident(at.name) + ", to add members to " + ident(role), remedy})
		}
	}
	return missing, nil
}
