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
	missing, err := c.missing(ctx, p, clone != "")
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return rotation.Fail(rotation.MissingPrivilege, "%q lacks %s", c.login.User, strings.Join(missing, "; ")).
			With(c.alterRemedy(p) + " " + c.serverRemedy() + " In a database: ALTER ROLE [db_owner] ADD MEMBER its user there.")
	}
	if clone == "" {
		return nil
	}
	return c.clonable(ctx, p)
}

// missing is what the session lacks for the password of p or, to clone, for all
// that p has.
func (c *conn) missing(ctx context.Context, p *principal, cloning bool) (missing []string, err error) {
	if !p.contained {
		if missing, err = c.missingOnServer(ctx, p, cloning); err != nil {
			return nil, err
		}
	} else if may, err := c.may(ctx, queryMayInDatabase, "ALTER ANY USER"); err != nil || !may {
		return []string{"ALTER ANY USER in database " + ident(c.login.Database)}, err
	}
	if !cloning {
		return missing, nil
	}
	err = c.each(ctx, p, func(at place) error {
		more, err := c.missingInDatabase(ctx, at, p)
		missing = append(missing, more...)
		return err
	})
	return missing, err
}

func (c *conn) missingOnServer(ctx context.Context, p *principal, cloning bool) ([]string, error) {
	if all, err := c.may(ctx, queryMayOnServer, "CONTROL SERVER"); err != nil || all {
		return nil, err
	}
	if logins, err := c.may(ctx, queryMayOnServer, "ALTER ANY LOGIN"); err != nil || !logins {
		return []string{"ALTER ANY LOGIN on the server"}, err
	}
	has, err := c.onServer(ctx, p)
	if err != nil {
		return nil, err
	}
	var missing []string
	if _, control := has.grants[grant{"CONTROL SERVER", ""}]; has.roles["sysadmin"] || control {
		missing = append(missing, "CONTROL SERVER, which "+p.name+" has too")
	}
	if !cloning {
		return missing, nil
	}
	me, err := c.find(ctx, c.login.User)
	if err != nil {
		return nil, err
	}
	mine, err := c.onServer(ctx, me)
	if err != nil {
		return nil, err
	}
	return append(missing, mine.cannotGive(has)...), nil
}

// fixed are the server roles whose members alone may add others.
// Source: Transact-SQL reference, "ALTER SERVER ROLE", permissions.
var fixed = []string{"sysadmin", "serveradmin", "securityadmin", "processadmin", "setupadmin", "bulkadmin", "diskadmin", "dbcreator"}

// cannotGive is what of a login's rights on the server another one may not give
// to a third. CONNECT SQL comes with the login.
func (p *profile) cannotGive(of *profile) []string {
	var missing []string
	alters := slices.ContainsFunc([]string{"ALTER ANY SERVER ROLE", "CONTROL SERVER"}, func(name string) bool { _, ok := p.grants[grant{name, ""}]; return ok })
	for _, role := range sortedNames(of.roles) {
		if isFixed := slices.Contains(fixed, role) || strings.HasPrefix(role, "##"); isFixed && !p.roles[role] || !isFixed && !alters && !p.owned[" ON SERVER ROLE::"+ident(role)] {
			missing = append(missing, "membership in server role "+ident(role)+", or the right to alter it")
		}
	}
	for _, g := range slices.Concat(sortedGrants(of.grants), sortedGrants(of.denials)) {
		if mine := p.rights(); !mine[g].option && !mine[control(g.on)].option && g != (grant{"CONNECT SQL", ""}) {
			missing = append(missing, fmt.Sprintf("%s on the server, with grant option", g))
		}
	}
	return missing
}

// missingInDatabase is what the session lacks to copy p's rights in the present
// database.
func (c *conn) missingInDatabase(ctx context.Context, at place, p *principal) ([]string, error) {
	has, _, err := c.inDatabase(ctx, p, p)
	if err != nil || has.id == "" {
		return nil, err
	}
	if owner, err := c.may(ctx, queryIsOwner); err != nil || owner {
		return nil, err
	}
	needs := []string{"ALTER ANY USER"}
	if len(has.roles) > 0 {
		needs = append(needs, "ALTER ANY ROLE")
	}
	if len(has.grants)+len(has.denials)+len(has.owned) > 1 { // CONNECT comes with the user
		needs = append(needs, "CONTROL")
	}
	var missing []string
	for _, need := range needs {
		may, err := c.may(ctx, queryMayInDatabase, need)
		if err != nil {
			return nil, err
		}
		if !may {
			missing = append(missing, need+" in database "+ident(at.name))
		}
	}
	for _, role := range sortedNames(has.roles) {
		if strings.HasPrefix(role, "db_") {
			missing = append(missing, "membership in db_owner of database "+ident(at.name)+", to add members to "+ident(role))
		}
	}
	return missing, nil
}
