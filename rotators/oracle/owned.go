package oracle

import (
	"maps"
	"slices"
	"strings"
)

// objects are what a user owns, with their type.
type objects map[object]string

// shared are the privileges that let another user work with an object nearly as
// its owner does. DEBUG, FLASHBACK and the like are left out, as a user needs
// them for no work. Types that are not here (triggers, indexes, private synonyms,
// database links, jobs, queues) are for nobody but the owner.
// Source: SQL Language Reference, "GRANT", object privileges.
var shared = map[string][]string{
	"TABLE":             {"ALTER", "DELETE", "INDEX", "INSERT", "REFERENCES", "SELECT", "UPDATE"},
	externalTable:       {"ALTER", "SELECT"},
	"VIEW":              {"SELECT"},
	"MATERIALIZED VIEW": {"SELECT"},
	"SEQUENCE":          {"ALTER", "SELECT"},
	"PROCEDURE":         {"EXECUTE"},
	"FUNCTION":          {"EXECUTE"},
	"PACKAGE":           {"EXECUTE"},
	"TYPE":              {"EXECUTE"},
	"OPERATOR":          {"EXECUTE"},
	"INDEXTYPE":         {"EXECUTE"},
	"LIBRARY":           {"EXECUTE"},
}

// writing are privileges on views that the owner itself may lack, or may not
// grant: then nobody else can have them.
var writing = []string{"DELETE", "INSERT", "UPDATE"}

// externalTable is no type that OBJECT_TYPE has: see putExternal.
const externalTable = "EXTERNAL TABLE"

// made are what the names of objects begin with that the server makes by itself:
// overflow segments of index-organized tables, types of PL/SQL's table functions,
// histories of Flashback Data Archive, and what it keeps of dropped objects. The
// customer's own names may begin with SYS_ as well.
var made = []string{recycled, "SYS_IOT_OVER_", "SYS_PLSQL_", "SYS_FBA_"}

func isMade(name string) bool {
	return slices.ContainsFunc(made, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func putOwned(a *account, row []string) error {
	name, kind := row[1], row[2]
	o := object{owner: row[0], name: name}
	switch {
	case shared[kind] == nil, isMade(name):
	case a.owned[o] == "MATERIALIZED VIEW": // which is a table of the same name too
	default:
		a.owned[o] = kind
	}
	return nil
}

// dropNested forgets the storage tables of nested tables: nothing is granted on
// them.
func dropNested(a *account, row []string) error {
	delete(a.owned, object{owner: row[0], name: row[1]})
	return nil
}

// putExternal marks a table as one whose rows are in files.
func putExternal(a *account, row []string) error {
	if o := (object{owner: row[0], name: row[1]}); a.owned[o] != "" {
		a.owned[o] = externalTable
	}
	return nil
}

func (o objects) sorted() []object {
	return slices.SortedFunc(maps.Keys(o), func(a, b object) int { return strings.Compare(a.String(), b.String()) })
}

// sharing are the statements that give user what it lacks of the privileges on
// what another owns, with the right to grant them on.
func sharing(user string, has grants, owned objects) []statement {
	var all []statement
	for _, o := range owned.sorted() {
		if s, ok := giving(user, has, o, shared[owned[o]]); ok {
			all = append(all, s)
		}
		if owned[o] != "VIEW" {
			continue
		}
		if s, ok := giving(user, has, o, writing); ok {
			s.attempt = "let " + ident(user) + " write through the view " + o.String()
			all = append(all, s)
		}
	}
	return all
}

func giving(user string, has grants, o object, privileges []string) (statement, bool) {
	var some []grant
	for _, p := range privileges {
		if g := (grant{privilege: p, on: o}); !has[g].grantable {
			some = append(some, g)
		}
	}
	if len(some) == 0 {
		return statement{}, false
	}
	what := phrase(some)
	return statement{sql: "GRANT " + what + " TO " + ident(user) + " WITH GRANT OPTION", what: what, on: o,
		needs: need{what: anyObject, passes: some}}, true
}
