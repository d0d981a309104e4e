package redshift

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// A grant is one privilege on something, in the words of GRANT.
type grant struct {
	privilege string // such as SELECT
	column    string // in quotes; "" is the whole
	on        string // such as ON TABLE "shop"."orders"; "" for CREATE MODEL, which is on nothing
}

func (g grant) String() string {
	text := g.privilege
	if g.column != "" {
		text += " (" + g.column + ")"
	}
	return strings.TrimSpace(text + " " + g.on)
}

// whole is the same privilege on all columns.
func (g grant) whole() grant { return grant{privilege: g.privilege, on: g.on} }

// grants are a user's, with whether the user may grant them on.
type grants map[grant]bool

// sorted has what is on the same thing together, and there what is on the whole
// before what is on columns.
func (g grants) sorted() []grant {
	return slices.SortedFunc(maps.Keys(g), func(a, b grant) int {
		return cmp.Or(cmp.Compare(a.on, b.on), cmp.Compare(min(len(a.column), 1), min(len(b.column), 1)),
			cmp.Compare(a.privilege, b.privilege), cmp.Compare(a.column, b.column))
	})
}

// privileges are those that GRANT and REVOKE know.
// Source: Database Developer Guide, "GRANT".
var privileges = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE", "CREATE", "USAGE", "TEMP", "EXECUTE", "SHARE"}

// unsupported are privileges that the views show, and that mean nothing: PostgreSQL
// had them.
// Source: Database Developer Guide, "GRANT": RULE and TRIGGER are not supported.
var unsupported = []string{"", "RULE", "TRIGGER"}

// privilege is a privilege's one name. It is not known if no statement can say it.
func privilege(name string) (one string, known bool) {
	name = strings.ToUpper(strings.TrimSpace(name))
	if name == "TEMPORARY" {
		name = "TEMP"
	}
	return name, slices.Contains(privileges, name)
}

// A view is one of the system views that list what was granted explicitly.
type view struct {
	name    string
	columns []string // those that say on what
	option  bool     // it has a column admin_option
	grant   func(p string, c []string) (g grant, known bool)
}

// views are the views of privileges on objects. They show what was granted in the
// session's own database, and on all databases.
// Source: Database Developer Guide, the pages of the same names.
var views = []view{
	{"svv_relation_privileges", []string{"namespace_name", "relation_name"}, true, func(p string, c []string) (grant, bool) {
		return grant{privilege: p, on: "ON TABLE " + qualified(c[0], c[1])}, true
	}},
	{"svv_column_privileges", []string{"namespace_name", "relation_name", "column_name"}, false, func(p string, c []string) (grant, bool) {
		return grant{p, pgwire.Ident(c[2]), "ON TABLE " + qualified(c[0], c[1])}, true
	}},
	{"svv_schema_privileges", []string{"namespace_name", "privilege_scope"}, true, func(p string, c []string) (grant, bool) {
		on, known := scoped(c[1], "SCHEMA", c[0])
		return grant{privilege: p, on: on}, known
	}},
	{"svv_database_privileges", []string{"database_name", "privilege_scope"}, true, func(p string, c []string) (grant, bool) {
		on, known := scoped(c[1], "DATABASE", c[0])
		return grant{privilege: p, on: on}, known
	}},
	{"svv_function_privileges", []string{"namespace_name", "function_name", "argument_types"}, true, func(p string, c []string) (grant, bool) {
		return grant{privilege: p, on: "ON FUNCTION " + qualified(c[0], c[1]) + "(" + c[2] + ")"}, true
	}},
	{"svv_language_privileges", []string{"language_name"}, true, func(p string, c []string) (grant, bool) {
		if c[0] == modelLanguage {
			return grant{privilege: "CREATE MODEL"}, true
		}
		return grant{privilege: p, on: "ON LANGUAGE " + pgwire.Ident(c[0])}, true
	}},
	{"svv_ml_model_privileges", []string{"namespace_name", "model_name"}, true, func(p string, c []string) (grant, bool) {
		return grant{privilege: p, on: "ON MODEL " + qualified(c[0], c[1])}, true
	}},
	{"svv_datashare_privileges", []string{"datashare_name"}, true, func(p string, c []string) (grant, bool) {
		return grant{privilege: p, on: "ON DATASHARE " + pgwire.Ident(c[0])}, true
	}},
}

// modelLanguage is the language of the functions that belong to machine learning
// models. Nobody can grant on them: GRANT goes to the model. USAGE on it is what
// GRANT CREATE MODEL gives.
// Source: Database Developer Guide, "GRANT", usage notes for machine learning;
// Amazon's pr_migrate_groups_to_roles (amazon-redshift-utils).
const modelLanguage = "mlfunc"

func qualified(schema, name string) string { return pgwire.Ident(schema) + "." + pgwire.Ident(name) }

// scoped is what a privilege is on: a container, or what is and will be in it. A
// scope that is not known must not be taken for the container itself: a privilege
// on some of what is in a database would become one on all of it.
// Source: Database Developer Guide, "Scoped permissions".
func scoped(scope, container, name string) (on string, known bool) {
	switch scope = strings.ToUpper(strings.ReplaceAll(scope, "_", " ")); scope {
	case "", container:
		return "ON " + container + " " + pgwire.Ident(name), true
	case "SCHEMAS", "TABLES", "FUNCTIONS", "PROCEDURES", "LANGUAGES", "COPY JOBS":
		known = true
	}
	return "FOR " + scope + " IN " + container + " " + pgwire.Ident(name), known
}

func (v view) query() string {
	option := "false"
	if v.option {
		option = "admin_option"
	}
	return "/* rotor: " + v.name + " */\nSELECT identity_name, privilege_type, " + option + ", " + strings.Join(v.columns, ", ") +
		" FROM " + v.name + " WHERE identity_type = 'user' AND identity_name IN ($1, $2)"
}

// A held is a row of a view.
type held struct {
	user          string
	grant         grant
	option, known bool // known: a statement can say it
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
	p, known := privilege(text(name))
	h.grant, h.known = v.grant(p, texts)
	h.option, h.known = option != nil && *option, h.known && known
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
			p := pair[h.user]
			switch {
			case p == nil || slices.Contains(unsupported, h.grant.privilege):
			case h.known:
				p.grants[h.grant] = p.grants[h.grant] || h.option
			default:
				p.unknown[h.grant] = p.unknown[h.grant] || h.option
			}
		}
	}
	for _, p := range pair {
		p.grants.leaveOutStorage()
	}
	return nil
}

// leaveOutStorage forgets what the views may say of the storage of materialized views
// that the user may read.
func (g grants) leaveOutStorage() {
	on := map[string]bool{}
	for one := range g {
		on[one.on] = true
	}
	maps.DeleteFunc(g, func(one grant, _ bool) bool {
		view, ok := storedFor(one.on)
		return ok && on[view]
	})
}
