package postgrestest

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// catalogQueries are the queries that the wire-level server answers. A test on the wire-level server that sends another
// one fails with 0A000 and this list's name. An entry answers as the query does on a real server whose only objects are
// roles and databases.
func catalogQueries() []catalogQuery {
	text := func(name string) column { return column{name, pgtype.TextOID} }
	flag := func(name string) column { return column{name, pgtype.BoolOID} }
	grant := []column{text("kind"), text("object"), text("column"), text("privilege"), flag("grantable")}
	return []catalogQuery{
		{
			label: "role facts",
			columns: []column{flag("rolcanlogin"), flag("expired"), flag("pg_is_in_recovery"), text("current_setting"),
				{"scram_iterations", pgtype.Int4OID}, flag("is_session"), flag("is_current")},
			rows: roleFacts,
		},
		{
			label:   "lock",
			columns: []column{text("set_config"), text("set_config"), text("pg_advisory_xact_lock")},
			rows: func(s *wireSession, _ []any) ([][]any, error) {
				_, err := s.writable() // the one lock there is
				return [][]any{{"pg_catalog", "ISO", ""}}, err
			},
		},
		{
			label: "role attributes",
			columns: []column{flag("rolsuper"), flag("rolcreatedb"), flag("rolcreaterole"), flag("rolinherit"),
				flag("rolreplication"), flag("rolbypassrls"), {"rolconnlimit", pgtype.Int4OID}, text("coalesce")},
			rows: roleAttributes,
		},
		{
			label:   "memberships",
			columns: []column{text("rolname"), text("coalesce"), flag("admin_option"), flag("full"), flag("pg_has_role")},
			rows:    memberships,
		},
		{label: "settings", columns: []column{text("coalesce"), text("item")}, rows: roleSettings},
		{label: "owned objects", columns: []column{text("object"), text("database")}, rows: ownedObjects},
		{label: "direct grants", columns: grant, rows: func(*wireSession, []any) ([][]any, error) { return nil, nil }},
		{label: "rights", columns: grant, rows: rights},
		{
			label: "powers",
			columns: []column{flag("rolsuper"), flag("rolcreatedb"), flag("rolcreaterole"), flag("rolreplication"),
				flag("rolbypassrls")},
			rows: func(s *wireSession, _ []any) ([][]any, error) {
				me := s.view().roles[s.currentUser()]
				return [][]any{{me.super, me.createDB, me.createRole, me.replication, me.bypassRLS}}, nil
			},
		},
		{
			label: "preflight",
			columns: []column{flag("rolsuper"), flag("rolcreaterole"), flag("rolsuper"), flag("pg_has_role"),
				flag("restricted")},
			rows: preflight,
		},
		{
			sql:     `SELECT rolname FROM pg_roles WHERE rolname = $1`,
			columns: []column{{"rolname", pgtype.NameOID}},
			rows: func(s *wireSession, arguments []any) ([][]any, error) {
				if r := s.view().roles[argument(arguments, 0)]; r != nil {
					return [][]any{{r.name}}, nil
				}
				return nil, nil
			},
		},
		{
			sql:     `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`,
			columns: []column{flag("exists")},
			rows: func(s *wireSession, arguments []any) ([][]any, error) {
				return [][]any{{s.view().roles[argument(arguments, 0)] != nil}}, nil
			},
		},
	}
}

func roleFacts(s *wireSession, arguments []any) ([][]any, error) {
	r := s.view().roles[argument(arguments, 0)]
	if r == nil {
		return nil, nil
	}
	encryption := s.setting("password_encryption")
	return [][]any{{r.login, expired(r.validUntil), s.server.recovery, encryption, int32(4096), r.name == s.user, r.name == s.currentUser()}}, nil
}

func roleAttributes(s *wireSession, arguments []any) ([][]any, error) {
	r := s.view().roles[argument(arguments, 0)]
	if r == nil {
		return nil, nil
	}
	return [][]any{{r.super, r.createDB, r.createRole, r.inherit, r.replication, r.bypassRLS, int32(r.limit), timeText(r.validUntil)}}, nil
}

// timeText is a time as a cast to text prints it, in UTC; NULL is empty.
func timeText(t pgtype.Timestamptz) string {
	switch {
	case !t.Valid:
		return ""
	case t.InfinityModifier != pgtype.Finite:
		return t.InfinityModifier.String()
	}
	return t.Time.In(time.UTC).Format("2006-01-02 15:04:05.999999-07")
}

// memberships are those of the first role, with whether the second is a member too.
func memberships(s *wireSession, arguments []any) ([][]any, error) {
	var rows [][]any
	member, other := argument(arguments, 0), argument(arguments, 1)
	c := s.view()
	if c.roles[other] == nil {
		return nil, nil
	}
	for _, m := range c.memberships {
		if m.member == member {
			rows = append(rows, []any{m.role, m.grantor, m.admin, m.inherit && m.set, c.hasRole(other, m.role)})
		}
	}
	return sortRows(rows, 0, 1), nil
}

// hasRole is pg_has_role(member, role, 'MEMBER').
func (c *catalog) hasRole(member, role string) bool {
	return c.isSuper(member) || c.isMember(member, role)
}

func roleSettings(s *wireSession, arguments []any) ([][]any, error) {
	var rows [][]any
	for scope, settings := range s.view().settings {
		if scope.role != argument(arguments, 0) {
			continue
		}
		for _, name := range sortedKeys(settings) {
			rows = append(rows, []any{scope.database, name + "=" + settings[name]})
		}
	}
	return sortRows(rows, 0, 1), nil
}

// ownedObjects are databases: there is nothing else to own here.
func ownedObjects(s *wireSession, arguments []any) ([][]any, error) {
	var rows [][]any
	for _, d := range s.view().databases {
		if d.owner == argument(arguments, 0) {
			rows = append(rows, []any{"database " + quoteIdentifier(d.name), ""})
		}
	}
	return sortRows(rows, 1, 0), nil
}

// rights are the databases that the session's roles own, and the roles that they are members of, but for the two users
// that alternate.
func rights(s *wireSession, arguments []any) ([][]any, error) {
	var rows [][]any
	c := s.view()
	mine := []string{s.user, s.currentUser()}
	anyOfMine := func(is func(me string) bool) bool { return is(mine[0]) || is(mine[1]) }
	inherits := func(m membership) bool { return m.inherit }
	for _, d := range c.databases {
		if anyOfMine(func(me string) bool { return c.reaches(me, d.owner, inherits) }) {
			rows = append(rows, []any{"database", quoteIdentifier(d.name), "", "ownership", false})
		}
	}
	for name := range c.roles {
		if name == mine[0] || name == mine[1] || name == argument(arguments, 0) {
			continue
		}
		if anyOfMine(func(me string) bool { return c.hasRole(me, name) }) {
			admin := anyOfMine(func(me string) bool { return c.isAdmin(me, name) })
			rows = append(rows, []any{"role", quoteIdentifier(name), "", "membership", admin})
		}
	}
	return sortRows(rows, 0, 1, 2, 3), nil
}

func preflight(s *wireSession, arguments []any) ([][]any, error) {
	c := s.view()
	target := c.roles[argument(arguments, 0)]
	if target == nil {
		return nil, nil
	}
	me := c.roles[s.user]
	return [][]any{{me.super, me.createRole, target.super, c.isAdmin(s.user, target.name), s.passwordsRestricted(s.user)}}, nil
}
