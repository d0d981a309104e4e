package sqlserver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	queryRoleDenials = `/* rotor: denials of roles */
SELECT USER_NAME(grantee_principal_id), permission_name, class_desc, CONCAT(major_id, '.', minor_id) FROM sys.database_permissions
WHERE state = 'D' AND grantee_principal_id <> DATABASE_PRINCIPAL_ID() AND IS_MEMBER(USER_NAME(grantee_principal_id)) = 1`
	queryServerRoleDenials = `/* rotor: denials of server roles */
SELECT g.name, p.permission_name, p.class_desc, CONCAT(p.major_id, '.', p.minor_id) FROM sys.server_permissions p
 JOIN sys.server_principals g ON g.principal_id = p.grantee_principal_id WHERE p.state = 'D' AND IS_SRVROLEMEMBER(g.name) = 1`
	queryBuiltin = `/* rotor: builtin permissions */
SELECT class_desc, permission_name FROM sys.fn_builtin_permissions(DEFAULT)`
)

// Principals that every database has.
const dbo, guest = "1", "2"

// Rights implements database.Administrator: what the session's user holds on the
// server and in every database that it may open. It needs no privilege, since
// everybody sees its own rights and roles.
//
// The lines are compared as sets: each line of the one user has to be the
// other's too. A denial takes a right away, and so is told by its absence: for
// the server and for each database there is one line that says what is denied
// there, which reads "nothing is denied" where nothing is. Who is denied more
// lacks the other's line. Who is denied less would lack one as well; but a
// denial that the original lost is gone from the clone by then, see Adopt.
func (c *conn) Rights(ctx context.Context, twin string) ([]string, error) {
	me, err := c.find(ctx, c.login.User)
	if err != nil {
		return nil, err
	}
	if me == nil {
		return nil, unseen("the session's own login", grantView(c.login.User))
	}
	other := &profile{name: twin}
	builtin, err := c.builtin(ctx)
	if err != nil {
		return nil, err
	}
	lines := map[string]bool{}
	if !me.contained {
		p, err := c.onServer(ctx, me)
		if err != nil {
			return nil, err
		}
		if p.in("sysadmin") {
			return []string{"member of server role [sysadmin]"}, nil // all others follow
		}
		by, err := c.rows(ctx, queryServerRoleDenials)
		if err != nil {
			return nil, err
		}
		p.lines(lines, "on the server", builtin, by, other)
		if sees, err := c.may(ctx, queryMayOnServer, "VIEW ANY DATABASE"); err != nil {
			return nil, err
		} else if !sees {
			c.login.Report.Notef("%q does not see databases other than its own (VIEW ANY DATABASE is denied): its rights there are not compared.", me.name)
		}
	}
	err = c.eachOpen(ctx, me, func(p place) error { return c.linesIn(ctx, p, me, builtin, twin, lines) })
	return slices.Sorted(maps.Keys(lines)), err
}

// builtin are all permissions that there are, by class: CONTROL is each of them.
func (c *conn) builtin(ctx context.Context) (map[string][]string, error) {
	rows, err := c.rows(ctx, queryBuiltin)
	all := map[string][]string{}
	for _, r := range rows {
		all[r[0]] = append(all[r[0]], r[1])
	}
	return all, err
}

// eachOpen is each without a note: what the user may not open gives it no rights.
func (c *conn) eachOpen(ctx context.Context, me *principal, f func(place) error) error {
	quiet := *c
	quiet.login.Report = nil
	return quiet.each(ctx, me, f)
}

// linesIn adds the lines of the present database.
func (c *conn) linesIn(ctx context.Context, at place, me *principal, builtin map[string][]string, twin string, lines map[string]bool) error {
	self, err := c.rows(ctx, queryUser)
	if err != nil || len(self) == 0 {
		return err
	}
	where := "in database " + ident(at.name)
	switch self[0][0] {
	case dbo:
		lines["owner of database "+ident(at.name)] = true
		return nil
	case guest:
		return nil
	}
	p := newProfile(false, c.login.User)
	p.own, p.id, p.name = true, self[0][0], self[0][1]
	if err := c.fill(ctx, p); err != nil {
		return err
	}
	by, err := c.rows(ctx, queryRoleDenials)
	if err != nil {
		return err
	}
	lines["user "+where] = true
	p.lines(lines, where, builtin, by, &profile{name: twin})
	return nil
}

// lines adds the profile's lines for a place. What may be granted on has a
// second line, so that who has more has the lines of who has less; and CONTROL
// has those of each permission that it covers.
func (p *profile) lines(lines map[string]bool, where string, builtin map[string][]string, byRoles [][]string, twin *profile) {
	add := func(g grant, option bool) {
		line := g.permission + strings.Replace(g.on, " ON ", " on ", 1) + " " + where
		lines[line] = true
		if option {
			lines[line+", with grant option"] = true
		}
	}
	for g, h := range p.rights() {
		if about(g.on, p, twin) || twin.owns(g.on, p) && !twin.owned[g.on] { // whoever owns its schema has lines for that
			continue
		}
		add(g, h.option)
		if g.permission == "CONTROL" || g.permission == "CONTROL SERVER" {
			for _, each := range builtin[p.kindOf(g.on)] {
				add(grant{each, g.on}, h.option)
			}
		}
	}
	for role := range p.roles {
		if !denies(role) {
			lines["member of role "+ident(role)+" "+where] = true
		}
	}
	if p.encrypted {
		lines["ALLOW_ENCRYPTED_VALUE_MODIFICATIONS "+where] = true
	}
	lines[p.denied(byRoles, twin)+" "+where] = true
}

// kindOf is the class of a thing, by sys.fn_builtin_permissions.
func (p *profile) kindOf(on string) string {
	switch {
	case on == "" && p.server:
		return "SERVER"
	case on == "":
		return "DATABASE"
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(on, " ON "), "::")
	return kind
}

// inNumbers is a grant as the profile compares it: two users need not see the
// names of what both are denied.
func (p *profile) inNumbers(g grant) string {
	if number, ok := p.numbers[g]; ok {
		return number
	}
	return g.String()
}

// denied says what is denied to the user, by itself and by its roles.
func (p *profile) denied(byRoles [][]string, twin *profile) string {
	var all []string
	for g := range p.denials {
		if !about(g.on, p, twin) {
			all = append(all, p.inNumbers(g))
		}
	}
	for g, optionless := range p.exceptions {
		if optionless {
			all = append(all, "to grant on "+p.inNumbers(g))
		} else {
			all = append(all, "(revoked) "+p.inNumbers(g))
		}
	}
	for role := range p.roles {
		if denies(role) {
			all = append(all, "as member of "+ident(role))
		}
	}
	for _, r := range byRoles {
		all = append(all, fmt.Sprintf("as member of %s: %s on %s number %s", ident(r[0]), r[1], r[2], r[3]))
	}
	if len(all) == 0 {
		return "nothing is denied"
	}
	slices.Sort(all)
	return "nothing is denied but " + strings.Join(all, ", ")
}
