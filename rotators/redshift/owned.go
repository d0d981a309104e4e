package redshift

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// An object is something that a user owns, in the words of ALTER: TABLE
// "shop"."orders".
type object struct {
	kind, name string
	view       bool // a table to ALTER and GRANT, though not one to write to
	external   bool // a schema of another catalog
}

func (o object) String() string { return o.kind + " " + o.name }

// on is what GRANT calls the object.
func (o object) on() string { return "ON " + o.String() }

// all are the privileges that make another user nearly an owner, as far as the
// views are sure to show them. GRANT ALL gives more (DROP, ALTER, TRUNCATE), but
// whether the views show those is open (?).
func (o object) all() []string {
	switch {
	case o.view:
		return []string{"SELECT"}
	case o.kind == "TABLE":
		return []string{"SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES"}
	case o.external:
		return []string{"USAGE"}
	case o.kind == "SCHEMA":
		return []string{"CREATE", "USAGE"}
	case o.kind == "DATABASE":
		return []string{"CREATE", "TEMP"}
	}
	return []string{"EXECUTE"}
}

// in reports whether g holds all that can be granted on the object, and the
// right to grant it on.
func (o object) in(g grants) bool {
	return !slices.ContainsFunc(o.all(), func(p string) bool { return !g[grant{privilege: p, on: o.on()}] })
}

// handedOver reports whether the object can have another owner. A model cannot: there
// is no ALTER MODEL.
// Source: Database Developer Guide, "SQL commands".
func (o object) handedOver() bool { return o.kind != "MODEL" }

// giving are the statements that give a user who holds g all that can be granted. On
// an external schema that is USAGE alone. What the user holds on columns has to go
// first: see collides.
// Source: Database Developer Guide, "GRANT".
func (o object) giving(user string, g grants) []statement {
	columns := maps.Clone(g)
	maps.DeleteFunc(columns, func(one grant, _ bool) bool { return one.column == "" || one.on != o.on() })
	var all []statement
	for _, s := range merged(columns.sorted()) {
		all = append(all, must("REVOKE "+s+" FROM "+pgwire.Ident(user)))
	}
	what := "ALL PRIVILEGES "
	if o.external {
		what = "USAGE "
	}
	return append(all, must("GRANT "+what+o.on()+" TO "+pgwire.Ident(user)+" WITH GRANT OPTION"))
}

// The catalogs of PostgreSQL that say who owns what. They may be joined with one
// another.
// Source: Amazon's v_find_dropuser_objs (amazon-redshift-utils).
const (
	queryOwnedRelations = `/* rotor: owned relations */
SELECT u.usename, n.nspname, c.relname, c.relkind = 'v' FROM pg_user u JOIN pg_class c ON c.relowner = u.usesysid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v') AND substring(n.nspname, 1, 8) <> 'pg_temp_' AND u.usename IN ($1, $2)`
	queryOwnedSchemas = `/* rotor: owned schemas */
SELECT u.usename, n.nspname, e.esoid IS NOT NULL FROM pg_user u JOIN pg_namespace n ON n.nspowner = u.usesysid LEFT JOIN pg_external_schema e ON e.esoid = n.oid
WHERE substring(n.nspname, 1, 8) <> 'pg_temp_' AND u.usename IN ($1, $2)`
	queryOwnedDatabases = `/* rotor: owned databases */
SELECT u.usename, d.datname, false FROM pg_user u JOIN pg_database d ON d.datdba = u.usesysid WHERE u.usename IN ($1, $2)`
	// Procedures of everybody, which the view of privileges calls functions, and
	// functions of models, which take no grants.
	queryRoutines = `/* rotor: routines */
SELECT u.usename, n.nspname, p.proname, oidvectortypes(p.proargtypes), p.prokind = 'p', l.lanname = '` + modelLanguage + `'
FROM pg_proc_info p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_user u ON u.usesysid = p.proowner JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind = 'p' OR l.lanname = '` + modelLanguage + `' OR u.usename IN ($1, $2)`
	// Its names are padded with blanks.
	queryModels = `/* rotor: owned models */
SELECT rtrim(user_name), rtrim(schema_name), rtrim(model_name) FROM svv_ml_model_info
WHERE rtrim(database_name) = current_database() AND rtrim(user_name) IN ($1, $2)`
)

// An ownership is a row of a query of objects.
type ownership struct {
	user string
	object
	ofModel bool // a function that belongs to a model
}

func scanRelation(row pgx.CollectableRow) (o ownership, err error) {
	var schema, name string
	err = row.Scan(&o.user, &schema, &name, &o.view)
	o.kind, o.name = "TABLE", qualified(schema, name)
	return o, err
}

func scanNamed(kind string) pgx.RowToFunc[ownership] {
	return func(row pgx.CollectableRow) (o ownership, err error) {
		var name string
		err = row.Scan(&o.user, &name, &o.external)
		o.kind, o.name = kind, pgwire.Ident(name)
		return o, err
	}
}

func scanRoutine(row pgx.CollectableRow) (o ownership, err error) {
	var schema, name, arguments string
	var procedure bool
	err = row.Scan(&o.user, &schema, &name, &arguments, &procedure, &o.ofModel)
	o.kind, o.name = "FUNCTION", qualified(schema, name)+"("+arguments+")"
	if procedure {
		o.kind = "PROCEDURE"
	}
	return o, err
}

func scanModel(row pgx.CollectableRow) (o ownership, err error) {
	var schema, name string
	err = row.Scan(&o.user, &schema, &name)
	o.kind, o.name = "MODEL", qualified(schema, name)
	return o, err
}

// readOwned fills in what two users own, and calls procedures by their name.
func (c *conn) readOwned(ctx context.Context, pair map[string]*profile, one, other string) error {
	for _, q := range []struct {
		sql  string
		scan pgx.RowToFunc[ownership]
	}{
		{queryOwnedSchemas, scanNamed("SCHEMA")}, {queryOwnedDatabases, scanNamed("DATABASE")},
		{queryOwnedRelations, scanRelation}, {queryRoutines, scanRoutine}, {queryModels, scanModel},
	} {
		all, err := rows(ctx, c, q.scan, q.sql, one, other)
		if err != nil {
			return err
		}
		views := map[string]bool{}
		for _, o := range all {
			views[o.name] = o.view
		}
		for _, o := range all {
			of, ok := storedFor(o.name)
			p := pair[o.user]
			switch {
			case o.ofModel:
				forget(pair, o.object)
			case p == nil:
			case ok && views[of]: // nobody's to grant or to hand over: the view is
				p.materialized = append(p.materialized, of)
			default:
				p.owned[o.object] = true
			}
			if o.kind == "PROCEDURE" {
				renameProcedure(pair, o.object)
			}
		}
	}
	for _, p := range pair {
		slices.Sort(p.materialized)
	}
	return nil
}

// storedFor is the name of the materialized view whose rows the table of a name has:
// "shop"."mv_tbl__sales__0" has those of "shop"."sales".
// Source: Database Developer Guide, "Automatic query rewriting to use materialized
// views".
func storedFor(name string) (view string, ok bool) {
	const prefix = `."mv_tbl__`
	start := strings.LastIndex(name, prefix)
	if start < 0 {
		return "", false
	}
	of := strings.TrimSuffix(name[start+len(prefix):], `"`)
	end := strings.LastIndex(of, "__")
	if end < 1 || !digits(of[end+2:]) {
		return "", false
	}
	return name[:start] + `."` + of[:end] + `"`, true
}

// forget leaves out a privilege that is another's: that on a function of a model.
func forget(pair map[string]*profile, o object) {
	for _, p := range pair {
		delete(p.grants, grant{privilege: "EXECUTE", on: o.on()})
	}
}

func renameProcedure(pair map[string]*profile, o object) {
	was, is := grant{privilege: "EXECUTE", on: object{kind: "FUNCTION", name: o.name}.on()}, grant{privilege: "EXECUTE", on: o.on()}
	for _, p := range pair {
		if option, ok := p.grants[was]; ok {
			delete(p.grants, was)
			p.grants[is] = option
		}
	}
}

// objects are what a user owns.
type objects map[object]bool

func (o objects) sorted() []object {
	return slices.SortedFunc(maps.Keys(o), func(a, b object) int { return strings.Compare(a.String(), b.String()) })
}

// handedOver are those of the objects that can have another owner.
func (o objects) handedOver() objects {
	rest := maps.Clone(o)
	maps.DeleteFunc(rest, func(one object, _ bool) bool { return !one.handedOver() })
	return rest
}

// without are the grants that are on none of the objects.
func (g grants) without(o ...objects) grants {
	rest := maps.Clone(g)
	for _, some := range o {
		on := map[string]bool{}
		for object := range some {
			on[object.on()] = true
		}
		maps.DeleteFunc(rest, func(g grant, _ bool) bool { return on[g.on] })
	}
	return rest
}
