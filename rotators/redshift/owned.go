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
	return !slices.ContainsFunc(o.all(), func(p string) bool { return !g[grant{p, o.on()}] })
}

// giving is the statement that gives a user all that can be granted.
func (o object) giving(user string) statement {
	return must("GRANT ALL PRIVILEGES " + o.on() + " TO " + pgwire.Ident(user) + " WITH GRANT OPTION")
}

// The catalogs of PostgreSQL that say who owns what. They may be joined with one
// another.
// Source: Amazon's v_find_dropuser_objs (amazon-redshift-utils).
const (
	queryOwnedRelations = `/* rotor: owned relations */
SELECT u.usename, n.nspname, c.relname, c.relkind = 'v' FROM pg_class c, pg_namespace n, pg_user u
WHERE n.oid = c.relnamespace AND u.usesysid = c.relowner AND c.relkind IN ('r', 'v') AND left(n.nspname, 8) <> 'pg_temp_' AND u.usename IN ($1, $2)`
	queryOwnedSchemas = `/* rotor: owned schemas */
SELECT u.usename, n.nspname FROM pg_namespace n, pg_user u
WHERE u.usesysid = n.nspowner AND left(n.nspname, 8) <> 'pg_temp_' AND u.usename IN ($1, $2)`
	queryOwnedDatabases = `/* rotor: owned databases */
SELECT u.usename, d.datname FROM pg_database d, pg_user u WHERE u.usesysid = d.datdba AND u.usename IN ($1, $2)`
	// Procedures of everybody: the view of privileges calls them functions.
	queryRoutines = `/* rotor: routines */
SELECT u.usename, n.nspname, p.proname, oidvectortypes(p.proargtypes), p.prokind = 'p' FROM pg_proc_info p, pg_namespace n, pg_user u
WHERE n.oid = p.pronamespace AND u.usesysid = p.proowner AND (p.prokind = 'p' OR u.usename IN ($1, $2))`
)

type ownership struct {
	user string
	object
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
		err = row.Scan(&o.user, &name)
		o.kind, o.name = kind, pgwire.Ident(name)
		return o, err
	}
}

func scanRoutine(row pgx.CollectableRow) (o ownership, err error) {
	var schema, name, arguments string
	var procedure bool
	err = row.Scan(&o.user, &schema, &name, &arguments, &procedure)
	o.kind, o.name = "FUNCTION", qualified(schema, name)+"("+arguments+")"
	if procedure {
		o.kind = "PROCEDURE"
	}
	return o, err
}

// readOwned fills in what two users own, and calls procedures by their name.
func (c *conn) readOwned(ctx context.Context, pair map[string]*profile, one, other string) error {
	for _, q := range []struct {
		sql  string
		scan pgx.RowToFunc[ownership]
	}{
		{queryOwnedSchemas, scanNamed("SCHEMA")}, {queryOwnedDatabases, scanNamed("DATABASE")},
		{queryOwnedRelations, scanRelation}, {queryRoutines, scanRoutine},
	} {
		all, err := rows(ctx, c, q.scan, q.sql, one, other)
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.kind == "PROCEDURE" {
				renameProcedure(pair, o.object)
			}
			if p := pair[o.user]; p != nil {
				p.owned[o.object] = true
			}
		}
	}
	return nil
}

func renameProcedure(pair map[string]*profile, o object) {
	was, is := grant{"EXECUTE", object{kind: "FUNCTION", name: o.name}.on()}, grant{"EXECUTE", o.on()}
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
