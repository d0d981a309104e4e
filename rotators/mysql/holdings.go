package mysql

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A right is one privilege on one object, or on one column of it. GRANT OPTION
// is a right too: these servers keep it for each object, not for each
// privilege. MySQL's dynamic privileges alone have one each.
type right struct {
	privilege string
	column    string // quoted, or ""
	option    bool   // of a dynamic privilege
}

const allPrivileges, grantOption, everywhere = "ALL PRIVILEGES", "GRANT OPTION", "*.*"

// dynamic privileges are one word with underscores, and static ones are not
// (MariaDB has READ_ONLY ADMIN).
// Source: MySQL manual, 8.2.2 "Privileges Provided by MySQL".
func (r right) dynamic() bool {
	return strings.Contains(r.privilege, "_") && !strings.Contains(r.privilege, " ")
}

// beyondAll: ALL PRIVILEGES on the object does not cover it, or the server keeps
// it apart.
func (r right) beyondAll() bool {
	return r.privilege == allPrivileges || r.privilege == grantOption || r.column != "" || r.dynamic()
}

// text is the right as GRANT and REVOKE spell it.
func (r right) text() string {
	if r.column == "" {
		return r.privilege
	}
	return r.privilege + " (" + r.column + ")"
}

// rights are those on one object.
type rights map[right]bool

// An object is what rights are on. Those that MySQL denies in one database
// (partial revokes) are kept apart.
type object struct {
	name   string // in backticks
	denied bool
}

// isTable: it is a table or a view, and not all of a database, or a routine.
func (o object) isTable() bool {
	return strings.HasPrefix(o.name, "`") && !strings.HasSuffix(o.name, ".*")
}

// holdings are what an account was granted.
type holdings struct {
	on       map[object]rights
	roles    map[string]bool // with ADMIN OPTION or without
	defaults []string        // roles that a login activates; MariaDB only, see definition
	lent     map[string]bool // of them, those of another account: see lend
	proxies  map[string]bool // accounts, with GRANT OPTION or without
	unread   []string        // lines that are not understood, without what they quote
}

func newHoldings() *holdings {
	return &holdings{on: map[object]rights{}, roles: map[string]bool{}, proxies: map[string]bool{}, lent: map[string]bool{}}
}

// add counts a line. A role's line (its grantee is not "") adds what the role
// may do, and not what roles the role has.
func (h *holdings) add(g grant) {
	if g.grantee == "" {
		for _, r := range g.roles {
			h.roles[r] = h.roles[r] || g.option
		}
		h.defaults = append(h.defaults, g.defaults...)
	}
	for _, p := range g.privileges {
		if p.name == "PROXY" {
			h.proxies[g.object] = g.option
			return
		}
		h.addPrivilege(object{g.object, g.denied}, p, g.option)
	}
	if g.option && len(g.privileges) > 0 && !slices.ContainsFunc(g.privileges, func(p privilege) bool { return right{privilege: p.name}.dynamic() }) {
		h.put(object{g.object, g.denied}, right{privilege: grantOption})
	}
}

func (h *holdings) addPrivilege(o object, p privilege, option bool) {
	switch r := (right{privilege: p.name}); {
	case p.name == "USAGE": // is none
	case p.name == "ALL":
		h.put(o, right{privilege: allPrivileges})
	case r.dynamic():
		r.option = option
		h.put(o, r)
	case len(p.columns) == 0:
		h.put(o, r)
	default:
		for _, c := range p.columns {
			h.put(o, right{privilege: p.name, column: c})
		}
	}
}

func (h *holdings) put(o object, r right) {
	if h.on[o] == nil {
		h.on[o] = rights{}
	}
	h.on[o][r] = true
}

// has reports whether a privilege was granted, by name or with all.
func (h *holdings) has(privilege, name string) bool {
	on := h.on[object{name: name}]
	return on[right{privilege: privilege}] || on[right{privilege: privilege, option: true}] || on[right{privilege: allPrivileges}]
}

// objects are those of both, in the order in which to grant: what is denied in
// one database comes after what is granted everywhere.
func objects(a, b *holdings) []object {
	all := map[object]bool{}
	for o := range a.on {
		all[o] = true
	}
	for o := range b.on {
		all[o] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(x, y object) int {
		if x.denied != y.denied {
			if x.denied {
				return 1
			}
			return -1
		}
		return strings.Compare(x.name, y.name) // "*" sorts before "`"
	})
}

// A change is a statement that brings an account nearer to another.
type change struct {
	statement string
	takes     bool   // it is a REVOKE
	revokes   bool   // its failure costs nobody a right
	what      string // for people
	remedy    string // the GRANT that lets an administrator, named by %s, do it
	// What it gives or takes: a role, a proxy, or rights on an object.
	role    string
	proxied account
	option  bool // of a role or a proxy, to pass it on
	on      object
	rights  []right
	// absent are the statements to use if the table does not exist.
	absent []string
}

// says: the two are the same statement.
func (ch change) says(other change) bool { return ch.statement == other.statement }

// changes are the statements that turn what an account has into what it is to
// have. Those that change what it may do everywhere change what is denied to it in one
// database too: what is left of that comes after another look.
func changes(has, want *holdings, grantee string) []change {
	var all []change
	global := object{name: everywhere}
	for _, o := range objects(has, want) {
		if o.denied && slices.ContainsFunc(all, func(ch change) bool { return ch.on == global }) {
			break
		}
		all = append(all, objectChanges(o, has.on[o], want.on[o], grantee)...)
	}
	return all
}

func objectChanges(o object, has, want rights, grantee string) []change {
	excess, missing := minus(has, want), minus(want, has)
	all := right{privilege: allPrivileges}
	switch {
	case has[all] && want[all]: // what is spelled out beside it is in it
		excess, missing = only(excess, right.beyondAll), only(missing, right.beyondAll)
	case want[all]:
		excess = only(excess, right.beyondAll)
	case has[all]: // what is to stay goes with it
		missing = only(minus(want, nil), func(r right) bool { return !r.beyondAll() || !has[r] })
	}
	var list []change
	if o.denied { // MySQL: to grant in a database lifts what is denied there
		list = append(list, grants(o, excess, grantee)...)
		return append(list, revokes(o, missing, grantee)...)
	}
	list = append(list, revokes(o, excess, grantee)...)
	return append(list, grants(o, missing, grantee)...)
}

// without are the rights of a that b has not.
func without(a, b *holdings) *holdings {
	h := newHoldings()
	for o := range a.on {
		for _, r := range minus(a.on[o], b.on[o]) {
			h.put(o, r)
		}
	}
	return h
}

// active are MariaDB's default roles, of those that have has.
func (h *holdings) active(has *holdings) []string {
	return slices.DeleteFunc(slices.Clone(h.defaults), func(r string) bool { _, ok := has.roles[r]; return !ok && !has.lent[r] })
}

// minus returns what of a is not in b, sorted.
func minus(a, b rights) []right {
	var rest []right
	for r := range a {
		if !b[r] {
			rest = append(rest, r)
		}
	}
	slices.SortFunc(rest, func(x, y right) int {
		if c := strings.Compare(x.privilege, y.privilege); c != 0 {
			return c
		}
		return strings.Compare(x.column, y.column)
	})
	return rest
}

func only(list []right, keep func(right) bool) []right {
	return slices.DeleteFunc(list, func(r right) bool { return !keep(r) })
}

// revokes are the statements that take rights on an object away. ALL PRIVILEGES
// goes by itself, as the grammar has it.
func revokes(o object, list []right, grantee string) []change {
	all, rest := splitRights(list, func(r right) bool { return r.privilege == allPrivileges })
	var changes []change
	for _, part := range [][]right{all, rest} {
		if len(part) > 0 {
			changes = append(changes, change{
				statement: "REVOKE " + join(part) + " ON " + o.name + " FROM " + grantee,
				on:        o,
				rights:    part,
				takes:     true,
				revokes:   !o.denied,
				what:      fmt.Sprintf("revoke %s on %s from %s", join(part), o.name, grantee),
				remedy:    grantRemedy(part, o),
			})
		}
	}
	return changes
}

// grants are the statements that give rights on an object. ALL
// PRIVILEGES, dynamic privileges with a grant option, those without, and other
// static ones do not mix.
func grants(o object, list []right, grantee string) []change {
	option, list := splitRights(list, func(r right) bool { return r.privilege == grantOption })
	dynamic, static := splitRights(list, right.dynamic)
	with, without := splitRights(dynamic, func(r right) bool { return r.option })
	all, static := splitRights(static, func(r right) bool { return r.privilege == allPrivileges })
	if len(all) > 0 {
		static = only(static, right.beyondAll)
	}
	if len(option) > 0 && len(static) == 0 && len(all) == 0 {
		static = []right{{privilege: "USAGE"}}
	}
	var changes []change
	for _, part := range []struct {
		list   []right
		option bool
	}{{all, len(option) > 0}, {static, len(option) > 0}, {with, true}, {without, false}} {
		if len(part.list) == 0 {
			continue
		}
		statement := "GRANT " + join(part.list) + " ON " + o.name + " TO " + grantee
		given := part.list
		if part.option {
			statement += " WITH GRANT OPTION"
			given = append(slices.Clone(given), option...)
		}
		changes = append(changes, change{
			statement: statement,
			on:        o,
			rights:    given,
			what:      fmt.Sprintf("grant %s on %s to %s", join(part.list), o.name, grantee),
			remedy:    grantRemedy(part.list, o),
			absent:    absent(statement, part.list, o, grantee),
		})
	}
	return changes
}

// absent grants CREATE as well and takes it away again.
func absent(statement string, list []right, o object, grantee string) []string {
	for _, r := range list {
		if r.column != "" || r.privilege == "CREATE" || r.privilege == allPrivileges {
			return nil
		}
	}
	return []string{
		strings.Replace(statement, "GRANT ", "GRANT CREATE, ", 1),
		"REVOKE CREATE ON " + o.name + " FROM " + grantee,
	}
}

// grantRemedy is the GRANT that an administrator needs, who is the %s in it. To pass
// a dynamic privilege's own option on takes the static one too.
func grantRemedy(list []right, o object) string {
	remedy := strings.ReplaceAll("GRANT "+join(list)+" ON "+o.name, "%", "%%") + " TO %s WITH GRANT OPTION"
	if slices.ContainsFunc(list, func(r right) bool { return r.option }) {
		remedy += "; GRANT USAGE ON *.* TO %[1]s WITH GRANT OPTION"
	}
	return remedy
}

func splitRights(list []right, is func(right) bool) (yes, no []right) {
	for _, r := range list {
		if is(r) {
			yes = append(yes, r)
		} else {
			no = append(no, r)
		}
	}
	return yes, no
}

func join(list []right) string {
	var texts []string
	for _, r := range list {
		texts = append(texts, r.text())
	}
	return strings.Join(texts, ", ")
}
