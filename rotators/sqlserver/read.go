package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// Of logins, on the server.
const (
	queryServerRoles = `/* rotor: server roles */
SELECT r.name, r.is_fixed_role FROM sys.server_role_members m JOIN sys.server_principals r ON r.principal_id = m.role_principal_id
 JOIN sys.server_principals p ON p.principal_id = m.member_principal_id WHERE p.name = @p1`
	// That an availability group's major_id is its replica's metadata id is
	// nowhere said (?).
	queryServerPermissions = `/* rotor: server permissions */
SELECT p.permission_name, p.state, g.name, p.class, COALESCE(l.name` + collated + `, e.name` + collated + `, a.name` + collated + `), l.type
FROM sys.server_permissions p JOIN sys.server_principals t ON t.principal_id = p.grantee_principal_id
 LEFT JOIN sys.server_principals g ON g.principal_id = p.grantor_principal_id
 LEFT JOIN sys.server_principals l ON p.class = 101 AND l.principal_id = p.major_id
 LEFT JOIN sys.endpoints e ON p.class = 105 AND e.endpoint_id = p.major_id
 LEFT JOIN sys.availability_replicas r ON p.class = 108 AND r.replica_metadata_id = p.major_id
 LEFT JOIN sys.availability_groups a ON a.group_id = r.group_id
WHERE t.name = @p1`
	queryServerOwned = `/* rotor: owned on the server */
SELECT 101, x.name` + collated + `, x.type` + collated + ` FROM sys.server_principals x JOIN sys.server_principals o ON o.principal_id = x.owning_principal_id
 WHERE o.name = @p1 AND x.type = 'R'
UNION ALL SELECT 105, x.name` + collated + `, N'' FROM sys.endpoints x JOIN sys.server_principals o ON o.principal_id = x.principal_id WHERE o.name = @p1`
)

// Of users, in a database.
const (
	queryUsersBySID = `/* rotor: users by sid */
SELECT HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW DEFINITION'), CONVERT(nvarchar(200), u.sid, 1), u.principal_id, u.name, u.default_schema_name,
 u.allow_encrypted_value_modifications
FROM (SELECT 1 AS one) x LEFT JOIN sys.database_principals u ON u.type = 'S' AND u.sid IN (CONVERT(varbinary(85), @p1, 1), CONVERT(varbinary(85), @p2, 1))`
	queryUsersByName = `/* rotor: users by name */
SELECT HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'VIEW DEFINITION'), u.name, u.principal_id, u.name, u.default_schema_name, u.allow_encrypted_value_modifications
FROM (SELECT 1 AS one) x LEFT JOIN sys.database_principals u ON u.authentication_type = 2 AND u.name IN (@p1, @p2)`
	queryRoles = `/* rotor: roles */
SELECT r.name, r.is_fixed_role FROM sys.database_role_members m JOIN sys.database_principals r ON r.principal_id = m.role_principal_id WHERE m.member_principal_id = @p1`
	queryClasses = `/* rotor: classes */
SELECT DISTINCT class FROM sys.database_permissions WHERE grantee_principal_id = @p1`
)

// onServer reads what a login holds on the server. Nil holds nothing.
func (c *conn) onServer(ctx context.Context, l *principal) (*profile, error) {
	p := newProfile(true, c.login.User)
	if l == nil {
		return p, nil
	}
	p.id, p.name = l.sid, l.name
	roles, err := c.rows(ctx, queryServerRoles, l.name)
	if err != nil {
		return nil, err
	}
	for _, r := range roles {
		p.roles[r[0]] = isTrue(r[1])
	}
	rows, err := c.rows(ctx, queryServerPermissions, l.name)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		on, err := onServer(r[3], r[4], r[5])
		if err != nil && l.name != c.login.User {
			return nil, unseen("a securable of class "+r[3]+" on the server", grantView(c.login.User))
		} else if err != nil {
			on = " ON something of class " + r[3] + " that it may not see"
		}
		p.add(grant{r[0], on}, r[1], r[2])
	}
	owned, err := c.rows(ctx, queryServerOwned, l.name)
	for _, r := range owned {
		on, _ := onServer(r[0], r[1], r[2])
		p.owned[on] = true
	}
	p.settle()
	return p, err
}

// onServer is how GRANT names a thing of the server.
func onServer(class, name, kind string) (string, error) {
	keyword := map[string]string{"101": "LOGIN", "105": "ENDPOINT", "108": "AVAILABILITY GROUP"}[class]
	switch {
	case class == "100":
		return "", nil
	case keyword == "" || name == "":
		return "", errHidden
	case class == "101" && kind == "R":
		keyword = "SERVER ROLE"
	}
	return " ON " + keyword + "::" + ident(name), nil
}

// unseen says that a permission is on something that cannot be named.
func unseen(what, remedy string) error {
	return rotation.Fail(rotation.MissingPrivilege, "there is a permission on %s that the session cannot see, or that this version does not know", what).With("As an administrator: " + remedy)
}

// errHidden says that a thing has no name for the session.
var errHidden = errors.New("the session may not see what a permission is on")

// errBlind says that the session does not see everything in a database.
var errBlind = errors.New("the session may not view the definitions in the database")

// users finds the users of two principals in the session's present database. One
// who is not there has no number; of the two only the other one may be absent.
func (c *conn) users(ctx context.Context, one, other *principal) (a, b *profile, err error) {
	query, key := queryUsersBySID, func(p *principal) string { return p.sid }
	if one.contained {
		query, key = queryUsersByName, func(p *principal) string { return p.name }
	}
	second := key(other)
	if other.absent {
		second = key(one)
	}
	found, err := c.rows(ctx, query, key(one), second)
	if err != nil {
		return nil, nil, err
	}
	a, b = newProfile(false, c.login.User), newProfile(false, c.login.User)
	for _, r := range found {
		if !isTrue(r[0]) {
			return nil, nil, errBlind
		}
		into := b
		if strings.EqualFold(r[1], key(one)) {
			into = a
		}
		into.id, into.name, into.schema, into.encrypted = r[2], r[3], r[4], isTrue(r[5])
	}
	return a, b, nil
}

// inDatabase reads what two principals hold in the session's present database.
func (c *conn) inDatabase(ctx context.Context, one, other *principal) (a, b *profile, err error) {
	if a, b, err = c.users(ctx, one, other); err != nil {
		return nil, nil, err
	}
	for _, p := range []*profile{a, b} {
		if p.id == "" {
			continue
		}
		if err := c.fill(ctx, p); err != nil {
			return nil, nil, err
		}
	}
	return a, b, nil
}

// fill reads what the user p.id of the present database holds.
func (c *conn) fill(ctx context.Context, p *profile) error {
	roles, err := c.rows(ctx, queryRoles, p.id)
	if err != nil {
		return err
	}
	for _, r := range roles {
		p.roles[r[0]] = isTrue(r[1])
	}
	present, err := c.column(ctx, queryClasses, p.id)
	if err != nil {
		return err
	}
	for _, number := range present {
		if err := c.readClass(ctx, p, number); err != nil {
			return err
		}
	}
	if err := c.readOwned(ctx, p); err != nil {
		return err
	}
	p.settle()
	return nil
}

func (c *conn) readClass(ctx context.Context, p *profile, number string) error {
	k, known := classOf(number)
	if !known {
		return unseen("a securable of class "+number, "revoke it, if nothing needs it.")
	}
	rows, err := c.rows(ctx, k.permissions(), p.id)
	if err != nil {
		return err
	}
	for _, r := range rows {
		permission, state, grantor, schema, name, column, kind, number, owner := r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8]
		if column != "" {
			permission += " (" + ident(column) + ")"
		}
		on := k.on(schema, name, kind)
		if hidden := k.view != "" && (name == "" || k.schema && schema == "" || column == "" && !strings.HasSuffix(number, ".0")); hidden && !p.own {
			return unseen(fmt.Sprintf("a securable of class %d (%s)", k.number, k.keyword), "see to it that no VIEW DEFINITION is denied to "+ident(c.login.User)+".")
		} else if hidden {
			on = " ON " + k.keyword + " number " + number
		}
		p.add(grant{permission, on}, state, grantor)
		if p.own && k.view != "" {
			p.numbers[grant{permission, on}] = r[0] + " ON " + k.keyword + " number " + number
		}
		p.things[on] = thing{owner: owner}
		if k.schema {
			p.things[on] = thing{" ON SCHEMA::" + ident(schema), owner}
		}
	}
	return nil
}

func (c *conn) readOwned(ctx context.Context, p *profile) error {
	version, err := c.about(ctx)
	if err != nil {
		return err
	}
	rows, err := c.rows(ctx, ownings(version), p.id)
	for _, r := range rows {
		if k, ok := classOf(r[0]); ok {
			p.owned[k.on(r[1], r[2], r[3])] = true
		}
	}
	return err
}
