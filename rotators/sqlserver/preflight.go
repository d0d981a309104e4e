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

// CheckPassword implements database.Conn. The operating system has the rules (CHECK_POLICY),
// and SQL Server does not tell them.
func (c *conn) CheckPassword(context.Context, string) error { return nil }

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
	if err := c.Preflight(ctx, p.Original); err != nil {
		return err
	}
	missing, err := c.missingToHandBack(ctx, p)
	if err == nil && len(missing) > 0 {
		err = lackingAll(c.login.User, missing)
	}
	return err
}

// missingToHandBack is what the session lacks for adopt.
func (c *conn) missingToHandBack(ctx context.Context, p database.Pair) (missing []lack, err error) {
	o, err := c.usable(ctx, p.Original.User)
	if err != nil {
		return nil, err
	}
	k, err := c.usable(ctx, p.Clone.User)
	if err != nil {
		return nil, err
	}
	if err := c.mustSee(ctx, o); err != nil {
		return nil, err
	}
	all, err := c.may(ctx, queryMayOnServer, "CONTROL SERVER")
	if err != nil {
		return nil, err
	}
	if !all && !o.contained {
		mine, err := c.onServer(ctx, o)
		if err != nil {
			return nil, err
		}
		has, err := c.onServer(ctx, k)
		if err != nil {
			return nil, err
		}
		has.grants = nil // they are left
		missing = mine.cannotTake(mine, has)
	}
	err = c.each(ctx, k, func(at place) error {
		mine, has, err := c.inDatabase(ctx, o, k)
		if err != nil || mine.id == "" || has.id == "" {
			return err
		}
		more, err := c.missingToAdopt(ctx, at, adopting(mine, has))
		missing = append(missing, more...)
		return err
	})
	return missing, err
}

// missingToAdopt is what the session lacks for the statements of adopting in the
// present database: the roles among them are fixed ones.
func (c *conn) missingToAdopt(ctx context.Context, at place, statements []statement) ([]lack, error) {
	if len(statements) == 0 {
		return nil, nil
	}
	if owner, err := c.may(ctx, queryIsOwner); err != nil || owner {
		return nil, err
	}
	roles := slices.ContainsFunc(statements, func(s statement) bool { return s.role != "" })
	if control, err := c.may(ctx, queryMayInDatabase, "CONTROL"); err != nil || control && !roles {
		return nil, err
	}
	return []lack{{"membership in db_owner of database " + ident(at.name), c.grantDatabase(ctx, at.name)}}, nil
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
		if missing, err = c.missingOnServer(ctx, p, clone); err != nil {
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

func (c *conn) missingOnServer(ctx context.Context, p *principal, clone string) ([]lack, error) {
	cloning := clone != ""
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
	k, err := c.find(ctx, clone)
	if err != nil {
		return nil, err
	}
	follows, err := c.onServer(ctx, k)
	if err != nil {
		return nil, err
	}
	if p.options.hasCredential {
		if may, err := c.may(ctx, queryMayOnServer, "ALTER ANY CREDENTIAL"); err != nil {
			return nil, err
		} else if !may {
			missing = append(missing, lack{"ALTER ANY CREDENTIAL on the server", grantCredential(c.login.User)})
		}
	}
	roles, err := c.cannotJoin(ctx, has, follows)
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
	return slices.Concat(missing, roles, mine.cannotGive(has), mine.cannotTake(has, follows)), nil
}

// cannotJoin are the server roles of one of two logins to which the session may not
// add the other, or from which it may not drop it. Of a fixed one its members may, and sysadmin's: CONTROL SERVER is not
// enough.
// Source: Transact-SQL reference, "ALTER SERVER ROLE", permissions.
func (c *conn) cannotJoin(ctx context.Context, of, clone *profile) (missing []lack, err error) {
	differ := differing(of, clone)
	if len(differ) == 0 {
		return nil, nil
	}
	if all, err := c.may(ctx, queryIsServerMember, "sysadmin"); err != nil || all {
		return nil, err
	}
	alters, err := c.may(ctx, queryMayOnServer, "ALTER ANY SERVER ROLE")
	if err != nil {
		return nil, err
	}
	for _, role := range sortedNames(differ) {
		may := alters
		if differ[role] {
			if may, err = c.may(ctx, queryIsServerMember, role); err != nil {
				return nil, err
			}
		}
		switch {
		case may:
		case differ[role]:
			missing = append(missing, lack{"membership in server role " + ident(role) + ", to add members to it",
				"ALTER SERVER ROLE " + ident(role) + " ADD MEMBER " + ident(c.login.User) + ";"})
		default:
			missing = append(missing, lack{"ALTER ANY SERVER ROLE on the server, to add members to " + ident(role),
				"USE [master]; GRANT ALTER ANY SERVER ROLE TO " + ident(c.login.User) + ";"})
		}
	}
	return missing, nil
}

// differing are the roles that one of two has and the other has not.
func differing(a, b *profile) map[string]bool {
	all := map[string]bool{}
	for _, pair := range [][2]*profile{{a, b}, {b, a}} {
		for role, fixed := range pair[0].roles {
			if !pair[1].in(role) {
				all[role] = fixed
			}
		}
	}
	return all
}

// cannotTake is what of a clone's permissions and denials on the server, which its
// original has not, the session may not revoke: what others have granted takes
// CONTROL SERVER.
// Source: Transact-SQL reference, "REVOKE Server Permissions", permissions.
func (p *profile) cannotTake(of, clone *profile) []lack {
	var missing []lack
	want := of.rights()
	foreign := func(h holding) bool {
		for grantor := range h.by {
			if grantor != p.session {
				return true
			}
		}
		return false
	}
	for _, g := range slices.Concat(sortedGrants(clone.grants), sortedGrants(clone.denials)) {
		granted, isGrant := clone.grants[g]
		wanted, ok := want[g]
		_, denied := of.denials[g]
		if isGrant && (!ok || granted.option && !wanted.option) && foreign(granted) || !isGrant && !denied && foreign(clone.denials[g]) {
			missing = append(missing, lack{fmt.Sprintf("CONTROL SERVER, to revoke %s from %s", g, clone.name), grantServer(p.session)})
		}
	}
	return missing
}

var connectSQL = grant{"CONNECT SQL", ""}

// cannotGive is what of a login's permissions on the server another one may not
// give to a third. CONNECT SQL comes with the login.
func (p *profile) cannotGive(of *profile) []lack {
	var missing []lack
	mine := p.rights()
	for _, g := range slices.Concat(sortedGrants(of.grants), sortedGrants(of.denials)) {
		if !mine[g].option && !mine[control(g.on)].option && g != connectSQL {
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
	if err != nil {
		return nil, err
	}
	var needs []string
	switch {
	case has.id == "" && follows.id == "":
		return nil, nil
	case has.id == "": // what the clone has is taken away
	case k == nil || follows.id == "":
		orphan, err := c.vacant(ctx, at, k, clone)
		if err != nil {
			return nil, err
		}
		follows = newUser(clone, c.login.User)
		if needs = append(needs, "ALTER ANY USER"); orphan != nil {
			follows = orphan
			needs = append(needs, "CONTROL")
		}
	case defaultSchema(has) != defaultSchema(follows) || has.encrypted != follows.encrypted:
		needs = append(needs, "ALTER ANY USER")
	}
	return c.missingFor(ctx, at, has, follows, needs)
}

// newUser is what a user has by being there.
func newUser(name, session string) *profile {
	p := newProfile(false, session)
	p.name = name
	p.add(grant{"CONNECT", ""}, "G", "dbo")
	return p
}

// missingFor is what the session lacks of these permissions in the present
// database, and of what it takes to make one user follow another.
func (c *conn) missingFor(ctx context.Context, at place, has, follows *profile, needs []string) ([]lack, error) {
	roles := differing(has, follows)
	if len(roles) > 0 {
		needs = append(needs, "ALTER ANY ROLE")
	}
	if len(follows.follow(has)) > len(roles) {
		needs = append(needs, "CONTROL")
	}
	if len(needs) > 0 {
		if err := c.noteTriggers(ctx, at); err != nil {
			return nil, err
		}
	}
	if owner, err := c.may(ctx, queryIsOwner); err != nil || owner || len(needs) == 0 {
		return nil, err
	}
	remedy := c.grantDatabase(ctx, at.name)
	var missing []lack
	for _, need := range slices.Compact(needs) {
		may, err := c.may(ctx, queryMayInDatabase, need)
		if err != nil {
			return nil, err
		}
		if !may {
			missing = append(missing, lack{need + " in database " + ident(at.name), remedy})
		}
	}
	for _, role := range sortedNames(roles) {
		if roles[role] {
			missing = append(missing, lack{"membership in db_owner of database " + ident(at.name) + ", to change the members of " + ident(role), remedy})
		}
	}
	return missing, nil
}
