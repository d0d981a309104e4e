package redshift

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A grant is one privilege on something, in the words of GRANT.
type grant struct {
	privilege string // such as SELECT, or SELECT ("price") for a column
	on        string // such as ON TABLE "shop"."orders"
}

func (g grant) String() string { return g.privilege + " " + g.on }

func (g grant) onColumn() bool { return strings.Contains(g.privilege, "(") }

// grants are a user's, with whether the user may grant them on.
type grants map[grant]bool

func (g grants) sorted() []grant {
	return slices.SortedFunc(maps.Keys(g), func(a, b grant) int { return strings.Compare(a.on+a.privilege, b.on+b.privilege) })
}

// privileges are those that GRANT and REVOKE know. The views show others too
// (RULE, TRIGGER), which PostgreSQL had and nobody can grant.
// Source: Database Developer Guide, "GRANT".
var privileges = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE", "CREATE", "USAGE", "TEMP", "EXECUTE"}

// privilege is a privilege's one name, or "" for one that nobody can grant.
func privilege(name string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	if name == "TEMPORARY" {
		name = "TEMP"
	}
	if !slices.Contains(privileges, name) {
		return ""
	}
	return name
}

// A view is one of the system views that list what was granted explicitly.
type view struct {
	name    string
	columns []string // those that say on what
	option  bool     // it has a column admin_option
	grant   func(p string, c []string) grant
}

// views are the views of privileges. They show what was granted in the session's
// own database, and on all databases.
// Source: Database Developer Guide, the pages of the same names.
var views = []view{
	{"svv_relation_privileges", []string{"namespace_name", "relation_name"}, true, func(p string, c []string) grant {
		return grant{p, "ON TABLE " + qualified(c[0], c[1])}
	}},
	{"svv_column_privileges", []string{"namespace_name", "relation_name", "column_name"}, false, func(p string, c []string) grant {
		return grant{p + " (" + pgwire.Ident(c[2]) + ")", "ON TABLE " + qualified(c[0], c[1])}
	}},
	{"svv_schema_privileges", []string{"namespace_name", "privilege_scope"}, true, func(p string, c []string) grant {
		return grant{p, scoped(c[1], "SCHEMA", c[0])}
	}},
	{"svv_database_privileges", []string{"database_name", "privilege_scope"}, true, func(p string, c []string) grant {
		return grant{p, scoped(c[1], "DATABASE", c[0])}
	}},
	{"svv_function_privileges", []string{"namespace_name", "function_name", "argument_types"}, true, func(p string, c []string) grant {
		return grant{p, "ON FUNCTION " + qualified(c[0], c[1]) + "(" + c[2] + ")"}
	}},
	{"svv_language_privileges", []string{"language_name"}, true, func(p string, c []string) grant {
		return grant{p, "ON LANGUAGE " + pgwire.Ident(c[0])}
	}},
}

func qualified(schema, name string) string { return pgwire.Ident(schema) + "." + pgwire.Ident(name) }

// scoped is what a privilege is on: a container, or what is and will be in it.
// Source: Database Developer Guide, "Scoped permissions".
func scoped(scope, container, name string) string {
	scope = strings.ToUpper(scope)
	switch scope {
	case "SCHEMAS", "TABLES", "FUNCTIONS", "PROCEDURES", "LANGUAGES":
		return "FOR " + scope + " IN " + container + " " + pgwire.Ident(name)
	}
	return "ON " + container + " " + pgwire.Ident(name)
}

func (v view) query() string {
	option := "false"
	if v.option {
		option = "admin_option"
	}
	return "/* rotor: " + v.name + " */\nSELECT identity_name, privilege_type, " + option + ", " + strings.Join(v.columns, ", ") +
		" FROM " + v.name + " WHERE identity_type = 'user' AND identity_name IN ($1, $2)"
}

// A held is a row of a view. It is not valid for a privilege that nobody can
// grant.
type held struct {
	user          string
	grant         grant
	option, valid bool
}

func (v view) scan(row pgx.CollectableRow) (h held, err error) {
	var name *string
	var option *bool
	columns := make([]*string, len(v.columns))
	into := []any{&h.user, &name, &option}
	for i := range columns {
		into = append(into, &columns[i])
	}
	if err := row.Scan(into...); err != nil {
		return h, err
	}
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = text(c)
	}
	p := privilege(text(name))
	h.grant, h.option, h.valid = v.grant(p, texts), option != nil && *option, p != ""
	return h, nil
}

// text is a column that may be NULL.
func text(column *string) string {
	if column == nil {
		return ""
	}
	return *column
}

// readGrants fills in what was granted to each of two users directly.
func (c *conn) readGrants(ctx context.Context, pair map[string]*profile, one, other string) error {
	for _, v := range views {
		all, err := rows(ctx, c, v.scan, v.query(), one, other)
		if err != nil {
			return err
		}
		for _, h := range all {
			if p := pair[h.user]; p != nil && h.valid {
				p.grants[h.grant] = p.grants[h.grant] || h.option
			}
		}
	}
	return nil
}

// grantChanges are the statements that turn what user has into want. What has
// more than one privilege to say of the same thing says them at once.
func grantChanges(user string, has, want grants) []statement {
	var add, addOption, remove, removeOption []grant
	for _, g := range want.sorted() {
		option, ok := has[g]
		switch {
		case want[g] && !option:
			addOption = append(addOption, g)
		case !ok:
			add = append(add, g)
		}
	}
	for _, g := range has.sorted() {
		option, ok := want[g]
		switch {
		case !ok:
			remove = append(remove, g)
		case has[g] && !option:
			removeOption = append(removeOption, g)
		}
	}
	to, from := " TO "+pgwire.Ident(user), " FROM "+pgwire.Ident(user)
	all := make([]statement, 0, len(add)+len(addOption)+len(remove)+len(removeOption))
	for _, s := range merged(add) {
		all = append(all, must("GRANT "+s+to))
	}
	for _, s := range merged(addOption) {
		all = append(all, must("GRANT "+s+to+" WITH GRANT OPTION"))
	}
	for _, s := range merged(remove) {
		all = append(all, may("REVOKE "+s+from, "revoke from "+pgwire.Ident(user)+" what the original does not have: "+s))
	}
	for _, s := range merged(removeOption) {
		all = append(all, may("REVOKE GRANT OPTION FOR "+s+from, "take the grant option from "+pgwire.Ident(user)+" that the original does not have: "+s))
	}
	return all
}

// merged joins the privileges on the same thing, which are neighbours. Those on
// columns and those on the whole table are two forms of GRANT.
func merged(sorted []grant) []string {
	var all []string
	for i := 0; i < len(sorted); {
		first := sorted[i]
		names := first.privilege
		for i++; i < len(sorted) && sorted[i].on == first.on && sorted[i].onColumn() == first.onColumn(); i++ {
			names += ", " + sorted[i].privilege
		}
		all = append(all, names+" "+first.on)
	}
	return all
}
