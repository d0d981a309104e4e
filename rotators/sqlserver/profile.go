package sqlserver

import (
	"maps"
	"slices"
)

// A grant is one permission on something, in the words of GRANT.
type grant struct {
	permission string // such as SELECT, or SELECT ([price]) for a column
	on         string // such as " ON OBJECT::[shop].[orders]"; empty for the database or the server itself
}

func (g grant) String() string { return g.permission + g.on }

// A holding is how a permission is held, and from whom.
type holding struct {
	option   bool // may be granted on
	grantors []string
}

// A profile is what one principal holds in one place: the server or a database.
// The zero profile holds nothing.
type profile struct {
	server  bool
	own     bool   // the session's own: what it may not see has a number for a name
	session string // whose session reads this
	id      string // of the principal there; empty if there is none
	name    string
	schema  string // DEFAULT_SCHEMA
	roles   map[string]bool
	// A permission both granted and denied is denied.
	grants, denials map[grant]holding
	// Columns to which the grant of their table does not extend: it was revoked
	// for them.
	exceptions map[grant]bool
	owned      map[string]bool // in the words of GRANT ON
}

func newProfile(server bool, session string) *profile {
	return &profile{server: server, session: session, roles: map[string]bool{}, grants: map[grant]holding{}, denials: map[grant]holding{}, exceptions: map[grant]bool{}, owned: map[string]bool{}}
}

// denyRoles are roles that take rights away.
var denyRoles = []string{"db_denydatareader", "db_denydatawriter"}

func denies(role string) bool { return slices.Contains(denyRoles, role) }

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

// add adds a row of the catalog. Its state is granted (G), granted with the
// option (W), denied (D) or revoked (R).
// Source: Transact-SQL reference, "sys.database_permissions".
func (p *profile) add(g grant, state, grantor string) {
	into := p.grants
	switch state {
	case "R":
		p.exceptions[g] = true
		return
	case "D":
		into = p.denials
	}
	h := into[g]
	h.option = h.option || state == "W"
	h.grantors = append(h.grantors, grantor)
	into[g] = h
}

// settle lets denials win.
func (p *profile) settle() {
	for g := range p.denials {
		delete(p.grants, g)
	}
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
		if a.on != b.on {
			return compareText(a.on, b.on)
		}
		return compareText(a.permission, b.permission)
	})
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func sortedNames(all map[string]bool) []string { return slices.Sorted(maps.Keys(all)) }
