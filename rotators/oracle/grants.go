package oracle

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
)

// An object is what a privilege is on. The zero object stands for the whole
// database: the privilege is a system privilege.
type object struct {
	kind        string // the word that GRANT wants before the name, or ""
	owner, name string // without owner: directories, editions, users
}

func (o object) String() string {
	name := ident(o.name)
	if o.owner != "" {
		name = ident(o.owner) + "." + name
	}
	if o.kind != "" {
		return o.kind + " " + name
	}
	return name
}

// A grant is one privilege.
type grant struct {
	privilege, column string // column is "" for the whole object
	on                object
}

func (g grant) String() string { return phrase([]grant{g}) }

// phrase is what stands between GRANT and TO for grants on one object.
func phrase(some []grant) string {
	if some[0].on == (object{}) {
		return listed(some)
	}
	return listed(some) + " ON " + some[0].on.String()
}

// whole is what REVOKE takes: a privilege on columns goes as a whole.
// Source: SQL Language Reference, "REVOKE".
func (g grant) whole() grant { return grant{privilege: g.privilege, on: g.on} }

// An option is what else a grant has.
type option struct{ grantable, hierarchy bool }

// covers reports whether o has all that other has.
func (o option) covers(other option) bool {
	return (o.grantable || !other.grantable) && (o.hierarchy || !other.hierarchy)
}

func (o option) or(other option) option {
	return option{o.grantable || other.grantable, o.hierarchy || other.hierarchy}
}

// grants are a user's.
type grants map[grant]option

// sorted has those on a whole object before those on columns of it.
func (g grants) sorted() []grant {
	return slices.SortedFunc(maps.Keys(g), func(a, b grant) int {
		return cmp.Or(cmp.Compare(a.on.String(), b.on.String()), cmp.Compare(min(len(a.column), 1), min(len(b.column), 1)),
			cmp.Compare(a.privilege, b.privilege), cmp.Compare(a.column, b.column))
	})
}

// without are the grants that are on nothing of some schemas.
func (g grants) without(owners ...string) grants {
	rest := maps.Clone(g)
	maps.DeleteFunc(rest, func(g grant, _ option) bool { return g.on.owner != "" && slices.Contains(owners, g.on.owner) })
	return rest
}

// union has what either has, with the options of both.
func union(a, b grants) grants {
	all := maps.Clone(a)
	for g, o := range b {
		all[g] = all[g].or(o)
	}
	return all
}

// privilegeForm is what privileges look like. They stand in statements without
// quotes.
var privilegeForm = regexp.MustCompile(`^[A-Z][A-Z ]*$`)

func (a *account) put(g grant, o option) error {
	if !privilegeForm.MatchString(g.privilege) {
		return rotation.Fail(rotation.Unknown, "the catalog has a privilege called %q", g.privilege)
	}
	a.grants[g] = a.grants[g].or(o)
	return nil
}

func (a *account) putFrom(g grant, o option, owner, grantor string) error {
	if grantor != owner {
		a.lent[g] = grantor
	}
	return a.put(g, o)
}

func putSystem(a *account, row []string) error {
	return a.put(grant{privilege: row[1]}, option{grantable: row[2] == "YES"})
}

// kinds are the types of objects whose kind GRANT wants to hear, and whether
// they belong to a schema. Source: SQL Language Reference, "GRANT".
var kinds = map[string]bool{"DIRECTORY": false, "EDITION": false, "USER": false, "MINING MODEL": true, "JAVA SOURCE": true, "JAVA RESOURCE": true, "SQL TRANSLATION PROFILE": true}

// schemaKind is that of privileges on all that a schema has, since release 23.
const schemaKind = "SCHEMA"

func putSchema(a *account, row []string) error {
	return a.put(grant{privilege: row[1], on: object{kind: schemaKind, name: row[2]}}, option{grantable: row[3] == "YES"})
}

// recycled is what the names of dropped objects begin with. They keep their
// grants, and nothing can be granted on them.
const recycled = "BIN$"

func putObject(a *account, row []string) error {
	if strings.HasPrefix(row[2], recycled) {
		return nil
	}
	on := object{owner: row[1], name: row[2]}
	if inSchema, ok := kinds[row[3]]; ok {
		on.kind = row[3]
		if !inSchema {
			on.owner = ""
		}
	}
	return a.putFrom(grant{privilege: row[4], on: on}, option{grantable: row[5] == "YES", hierarchy: row[7] == "YES"}, row[1], row[6])
}

func putColumn(a *account, row []string) error {
	if strings.HasPrefix(row[2], recycled) {
		return nil
	}
	return a.putFrom(grant{privilege: row[4], column: row[3], on: object{owner: row[1], name: row[2]}}, option{grantable: row[5] == "YES"}, row[1], row[6])
}

// merged joins grants on the same object, or on columns of it, with the same
// options, into lists. The grants are sorted.
func merged(sorted []grant, options grants) [][]grant {
	alike := func(a, b grant) bool {
		return a.on == b.on && a.on != (object{}) && (a.column == "") == (b.column == "") && options[a] == options[b]
	}
	var all [][]grant
next:
	for _, g := range sorted {
		for i := len(all) - 1; i >= 0 && all[i][0].on == g.on; i-- {
			if alike(all[i][0], g) {
				all[i] = append(all[i], g)
				continue next
			}
		}
		all = append(all, []grant{g})
	}
	return all
}

// listed joins the privileges of grants on one object as GRANT has them: each
// once, with all its columns, or the server says ORA-01711.
// Source: SQL Language Reference, "GRANT", "Restriction on Object Privileges".
func listed(some []grant) string {
	var words []string
	for i := 0; i < len(some); i++ {
		privilege, columns := some[i].privilege, []string{}
		for ; i < len(some) && some[i].privilege == privilege && some[i].column != ""; i++ {
			columns = append(columns, ident(some[i].column))
		}
		if len(columns) > 0 {
			i-- // the loop's own step
			privilege += " (" + strings.Join(columns, ", ") + ")"
		}
		words = append(words, privilege)
	}
	return strings.Join(words, ", ")
}
