package redshifttest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// abstimeOID is a type of PostgreSQL 8.0 that pgx does not know.
const abstimeOID = 702

// A column is one of a result.
type column struct {
	name string
	oid  uint32
}

// A query is a SELECT that the server answers from its catalog. It has no engine for queries: there is an entry for
// each that the rotator sends, known by the comment that it begins with: "/* rotor: users */". What the query says after
// that is for real servers to understand.
type query struct {
	columns []column
	rows    func(s *session, arguments []string) [][]any
}

func (q query) describe() *pgproto3.RowDescription {
	d := &pgproto3.RowDescription{}
	for _, c := range q.columns {
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: []byte(c.name), DataTypeOID: c.oid, DataTypeSize: -1, TypeModifier: -1})
	}
	return d
}

var label = regexp.MustCompile(`^\s*/\* rotor: ([^*]+?) \*/`)

func (w *wireServer) find(source string) (query, bool) {
	if m := label.FindStringSubmatch(source); m != nil {
		q, ok := w.queries[m[1]]
		return q, ok
	}
	q, ok := w.queries[strings.ToLower(strings.TrimSpace(source))]
	return q, ok
}

func texts(names ...string) []column {
	var all []column
	for _, n := range names {
		all = append(all, column{n, pgtype.TextOID})
	}
	return all
}

func queries() map[string]query {
	flag, name := func(n string) column { return column{n, pgtype.BoolOID} }, func(n string) column { return column{n, pgtype.NameOID} }
	privileges := func(more ...string) []column {
		return append([]column{{"identity_name", pgtype.TextOID}, {"privilege_type", pgtype.TextOID}, flag("admin_option")}, texts(more...)...)
	}
	return map[string]query{
		"select 1":  {[]column{{"?column?", pgtype.Int4OID}}, func(*session, []string) [][]any { return [][]any{{int32(1)}} }},
		"validity":  {[]column{{"valuntil", abstimeOID}}, validity},
		"users":     {[]column{name("usename"), flag("usesuper"), flag("usecreatedb"), {"valuntil", abstimeOID}, {"useconfig", pgtype.TextArrayOID}}, users},
		"user info": {append(texts("user_name", "connection_limit", "syslog_access"), column{"session_timeout", pgtype.Int4OID}), userInfo},
		"groups":    {[]column{name("usename"), name("groname")}, groups},
		"roles":     {append(texts("user_name", "role_name"), flag("admin_option")), roles},
		"svv_relation_privileges": {privileges("namespace_name", "relation_name"), granted(func(a acl) []any {
			return on(a.objectKind() == "table" && a.column == "" && a.scope == "", a.schema, a.object.name)
		})},
		"svv_column_privileges": {privileges("namespace_name", "relation_name", "column_name"), granted(func(a acl) []any {
			return on(a.column != "", a.schema, a.object.name, a.column)
		})},
		"svv_schema_privileges": {privileges("namespace_name", "privilege_scope"), granted(func(a acl) []any {
			return on(a.objectKind() == "schema", a.object.name, scopeOr(a.scope, "SCHEMA"))
		})},
		"svv_database_privileges": {privileges("database_name", "privilege_scope"), granted(func(a acl) []any {
			return on(a.objectKind() == "database", a.object.name, scopeOr(a.scope, "DATABASE"))
		})},
		"svv_function_privileges": {privileges("namespace_name", "function_name", "argument_types"), granted(func(a acl) []any {
			return on(a.objectKind() == "function" || a.objectKind() == "procedure", a.schema, a.object.name, a.arguments)
		})},
		"svv_language_privileges": {privileges("language_name"), granted(func(a acl) []any { return on(a.objectKind() == "language", a.object.name) })},
		"owned relations": {append(texts("usename", "nspname", "relname"), flag("relkind")), owned(func(c *catalog, o object) []any {
			return on(o.kind == "table", o.schema, o.name, c.views[o])
		})},
		"owned schemas":   {texts("usename", "nspname"), owned(func(_ *catalog, o object) []any { return on(o.kind == "schema", o.name) })},
		"owned databases": {texts("usename", "datname"), owned(func(_ *catalog, o object) []any { return on(o.kind == "database", o.name) })},
		"routines":        {append(texts("usename", "nspname", "proname", "oidvectortypes"), flag("prokind")), routines},
		"default privileges": {append(texts("schema_name", "object_type", "owner_name", "privilege_type", "grantee_name", "grantee_type"),
			flag("admin_option")), defaults},
	}
}

func (a acl) objectKind() string { return a.object.kind }

// on is what a row says of an object, or nil if it is none of the view's.
func on(is bool, texts ...any) []any {
	if !is {
		return nil
	}
	return texts
}

func scopeOr(scope, container string) string {
	if scope == "" {
		return container
	}
	return scope
}

// visible says whether the session sees what is about a user in the SVV_ views: superusers see all, others themselves.
func (s *session) visible(name string) bool { return s.view().users[s.user].super || s.user == name }

func until(u user) any {
	if u.validUntil == "" {
		return nil
	}
	return u.validUntil
}

func validity(s *session, arguments []string) [][]any {
	u, ok := s.view().users[arguments[0]]
	if !ok {
		return nil
	}
	return [][]any{{until(u)}}
}

func users(s *session, arguments []string) [][]any {
	var rows [][]any
	for name, u := range s.view().users {
		if !slices.Contains(arguments, name) {
			continue
		}
		var config []string
		for k, v := range u.settings {
			config = append(config, k+"="+v)
		}
		rows = append(rows, []any{name, u.super, u.createDB, until(u), config})
	}
	return rows
}

func userInfo(s *session, arguments []string) [][]any {
	var rows [][]any
	for name, u := range s.view().users {
		if !slices.Contains(arguments, name) || !s.visible(name) {
			continue
		}
		limit, access := "UNLIMITED", "RESTRICTED"
		if u.limit >= 0 {
			limit = strconv.Itoa(u.limit)
		}
		if u.unrestricted {
			access = "UNRESTRICTED"
		}
		rows = append(rows, []any{name, limit, access, int32(u.timeout)})
	}
	return rows
}

func groups(s *session, arguments []string) [][]any {
	var rows [][]any
	for group, members := range s.view().groups {
		for _, m := range members {
			if slices.Contains(arguments, m) {
				rows = append(rows, []any{m, group})
			}
		}
	}
	return rows
}

func roles(s *session, arguments []string) [][]any {
	var rows [][]any
	for r, admin := range s.view().roleGrants {
		if slices.Contains(arguments, r.user) && s.visible(r.user) {
			rows = append(rows, []any{r.user, r.role, admin})
		}
	}
	return rows
}

// granted answers a view of privileges.
func granted(columns func(a acl) []any) func(*session, []string) [][]any {
	return func(s *session, arguments []string) [][]any {
		var rows [][]any
		for a, option := range s.view().grants {
			if a.grantee.kind != "user" || !slices.Contains(arguments, a.grantee.name) || !s.visible(a.grantee.name) {
				continue
			}
			if more := columns(a); more != nil {
				rows = append(rows, append([]any{a.grantee.name, a.privilege, option}, more...))
			}
		}
		return rows
	}
}

func owned(columns func(c *catalog, o object) []any) func(*session, []string) [][]any {
	return func(s *session, arguments []string) [][]any {
		var rows [][]any
		for o, owner := range s.view().objects {
			if more := columns(s.view(), o); more != nil && slices.Contains(arguments, owner) {
				rows = append(rows, append([]any{owner}, more...))
			}
		}
		return rows
	}
}

func routines(s *session, arguments []string) [][]any {
	var rows [][]any
	for o, owner := range s.view().objects {
		if o.kind == "procedure" || o.kind == "function" && slices.Contains(arguments, owner) {
			rows = append(rows, []any{owner, o.schema, o.name, o.arguments, o.kind == "procedure"})
		}
	}
	return rows
}

func defaults(s *session, arguments []string) [][]any {
	var rows [][]any
	kinds := map[string]string{"tables": "RELATION", "functions": "FUNCTION", "procedures": "PROCEDURE"}
	for d, option := range s.view().defaults {
		to := d.kind == "user" && slices.Contains(arguments, d.name)
		if !to && !slices.Contains(arguments, d.owner) || !s.visible(d.name) {
			continue
		}
		var schema any
		if d.schema != "" {
			schema = d.schema
		}
		rows = append(rows, []any{schema, kinds[d.objects], d.owner, d.privilege, d.name, d.kind, option})
	}
	return rows
}
