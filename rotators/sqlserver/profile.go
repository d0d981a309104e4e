package sqlserver

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A grant is one permission on something, in the words of GRANT.
type grant struct {
	permission string // such as SELECT, or SELECT ([price]) for a column
	on         string // such as " ON OBJECT::[shop].[orders]"; empty for the database or the server itself
}

func (g grant) String() string { return g.permission + g.on }

// whole is the permission on all columns, for one on a column.
func (g grant) whole() (whole grant, isColumn bool) {
	permission, _, isColumn := strings.Cut(g.permission, " (")
	return grant{permission, g.on}, isColumn
}

// A holding is how a permission is held, and from whom.
type holding struct {
	option bool            // may be granted on
	by     map[string]bool // for each grantor, whether with the option
}

// A thing is what a permission is on.
type thing struct {
	schema string // that it is in, in the words of GRANT ON
	owner  string // its number
}

// A profile is what one principal holds in one place: the server or a database.
// The zero profile holds nothing.
type profile struct {
	server    bool
	own       bool   // the session's own: what it may not see has a number for a name
	session   string // whose session reads this
	id        string // of the principal there; empty if there is none
	name      string
	schema    string          // DEFAULT_SCHEMA
	encrypted bool            // ALLOW_ENCRYPTED_VALUE_MODIFICATIONS
	roles     map[string]bool // whether the server made them, and not a customer
	// A permission both granted and denied is denied.
	grants, denials map[grant]holding
	// Columns to which the grant of their table does not extend, since it was
	// revoked for them (false), or to which it extends without the option (true).
	exceptions map[grant]bool
	owned      map[string]bool // in the words of GRANT ON
	things     map[string]thing
	rows       map[row]byte     // the states of what was added
	numbers    map[grant]string // of the session's own: each in numbers, which do not depend on what it may see
}

func newProfile(server bool, session string) *profile {
	return &profile{server: server, session: session, roles: map[string]bool{}, grants: map[grant]holding{}, denials: map[grant]holding{},
		exceptions: map[grant]bool{}, owned: map[string]bool{}, things: map[string]thing{}, rows: map[row]byte{}, numbers: map[grant]string{}}
}

// denyRoles are roles that take rights away.
var denyRoles = []string{"db_denydatareader", "db_denydatawriter"}

func denies(role string) bool { return slices.Contains(denyRoles, role) }

func (p *profile) in(role string) bool {
	_, ok := p.roles[role]
	return ok
}

// control is what an owner can do, as far as it can be granted.
func control(on string) grant { return grant{"CONTROL", on} }

// rights are the profile's grants, with ownership as CONTROL.
func (p *profile) rights() map[grant]holding {
	all := maps.Clone(p.grants)
	for on := range p.owned {
		all[control(on)] = holding{option: true}
	}
	return all
}

// owns reports whether p is the owner of a thing on which of has a permission:
// by itself, or by its schema. Nothing on it can be granted to p (4624).
func (p *profile) owns(on string, of *profile) bool {
	return p.owned[on] || p.id != "" && of.things[on].owner == p.id
}

// add adds a row of the catalog. Its state is granted (G), granted with the
// option (W), denied (D) or revoked (R).
// Source: Transact-SQL reference, "sys.database_permissions".
func (p *profile) add(g grant, state, grantor string) {
	p.rows[row{g, grantor}] = state[0]
	into := p.grants
	switch state {
	case "R":
		p.exceptions[g] = false
		return
	case "D":
		into = p.denials
	}
	h := into[g]
	if h.by == nil {
		h.by = map[string]bool{}
	}
	h.option = h.option || state == "W"
	h.by[grantor] = h.by[grantor] || state == "W"
	into[g] = h
}

// settle lets denials win, and leaves out what says nothing: on a column what its
// table says, and on a thing what CONTROL of its schema says.
func (p *profile) settle() {
	for g := range p.denials {
		delete(p.grants, g)
	}
	for g, h := range p.grants {
		if whole, isColumn := g.whole(); isColumn {
			p.settleColumn(g, h, p.grants[whole])
		}
	}
	controlled := func(g grant) bool {
		schema := p.things[g.on].schema
		_, controls := p.grants[control(schema)]
		return schema != "" && (controls || p.owned[schema])
	}
	maps.DeleteFunc(p.grants, func(g grant, _ holding) bool { return controlled(g) })
	maps.DeleteFunc(p.exceptions, func(g grant, _ bool) bool { return controlled(g) })
}

// settleColumn looks at a grant of a column beside that of its table. A row of
// the grantor who gave the table with the option means that the column has none.
func (p *profile) settleColumn(g grant, h, table holding) {
	h.by = maps.Clone(h.by)
	for grantor, option := range h.by {
		if table.by[grantor] && !option {
			p.exceptions[g] = true
			delete(h.by, grantor)
		}
	}
	_, excepted := p.exceptions[g]
	if len(h.by) == 0 || !excepted && len(table.by) > 0 && (table.option || !h.option) {
		delete(p.grants, g)
		return
	}
	p.grants[g] = h
}

// about reports whether a thing is one of the principals themselves: a right of
// one of two users on the other is neither copied nor compared.
func about(on string, principals ...*profile) bool {
	for _, p := range principals {
		if p.name != "" && (on == " ON USER::"+ident(p.name) || on == " ON LOGIN::"+ident(p.name)) {
			return true
		}
	}
	return false
}

func sortedGrants[V any](all map[grant]V) []grant {
	return slices.SortedFunc(maps.Keys(all), func(a, b grant) int {
		return cmp.Or(cmp.Compare(a.on, b.on), cmp.Compare(a.permission, b.permission))
	})
}

func sortedNames(all map[string]bool) []string { return slices.Sorted(maps.Keys(all)) }
