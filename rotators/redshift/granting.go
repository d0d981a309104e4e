package redshift

import (
	"maps"
	"strings"

	"github.com/seed492efc12/rotor/rotators/internal/pgwire"
)

// minimal leaves out privileges on columns that the same privilege on the whole
// comprises. Redshift knows one or the other.
// Source: Database Developer Guide, "GRANT", usage notes for column-level access
// control.
func (g grants) minimal() grants {
	rest := maps.Clone(g)
	maps.DeleteFunc(rest, func(one grant, _ bool) bool {
		_, whole := g[one.whole()]
		return one.column != "" && whole
	})
	return rest
}

// beside is g as it compares with a twin's: who has a privilege on the whole has it on
// each column on which the twin has it.
func (g grants) beside(twin grants) grants {
	all := g.minimal()
	for one := range twin.minimal() {
		if _, whole := g[one.whole()]; whole && one.column != "" {
			all[one] = false
		}
	}
	return all
}

// coarse is g as a session compares it that does not see what its user's twin has:
// without the names of columns.
func (g grants) coarse(grants) grants {
	all := grants{}
	for one, option := range g {
		whole := one.column == ""
		if whole {
			all[one] = option
		}
		if !whole || strings.HasPrefix(one.on, "ON TABLE ") && (one.privilege == "SELECT" || one.privilege == "UPDATE") {
			all[grant{one.privilege, "columns", one.on}] = false
		}
	}
	return all
}

// collides reports whether one user cannot hold both: the same privilege on the
// whole and on a column. To grant the whole is an error then, and to grant the
// column does nothing.
func collides(a, b grant) bool {
	return a.whole() == b.whole() && (a.column == "") != (b.column == "")
}

// collidesWith reports whether any of g cannot be held beside one.
func (g grants) collidesWith(one grant) bool {
	if one.column != "" {
		_, whole := g[one.whole()]
		return whole
	}
	for other := range g {
		if collides(one, other) {
			return true
		}
	}
	return false
}

// optionAlone reports whether REVOKE can take the option to grant on and leave the
// privilege. Where it cannot, the privilege goes and comes back.
// Source: Database Developer Guide, "REVOKE": the forms for datashares and for
// scoped permissions have no GRANT OPTION FOR.
func (g grant) optionAlone() bool {
	return !strings.HasPrefix(g.on, "FOR ") && !strings.HasPrefix(g.on, "ON DATASHARE ")
}

// grantChanges are the statements that turn what user has into want. They revoke
// before they grant, and have to be one transaction, since what is granted may
// collide with what was revoked. What has more than one privilege to say of the
// same thing says them at once.
func grantChanges(user string, has, want grants) []statement {
	has, want = has.minimal(), want.minimal()
	var take, remove, removeOption, add, addOption []grant
	for _, g := range has.sorted() {
		option, ok := want[g]
		switch loses := has[g] && !option; {
		case !ok && want.collidesWith(g), ok && loses && !g.optionAlone():
			take = append(take, g)
		case !ok:
			remove = append(remove, g)
		case loses:
			removeOption = append(removeOption, g)
		}
	}
	for _, g := range want.sorted() {
		option, ok := has[g]
		switch {
		case want[g] && !option:
			addOption = append(addOption, g)
		case !ok, option && !want[g] && !g.optionAlone():
			add = append(add, g)
		}
	}
	to, from := " TO "+pgwire.Ident(user), " FROM "+pgwire.Ident(user)
	var all []statement
	for _, s := range merged(take) {
		all = append(all, must("REVOKE "+s+from))
	}
	for _, s := range merged(remove) {
		all = append(all, may("REVOKE "+s+from, "revoke from "+pgwire.Ident(user)+" what the original does not have: "+s))
	}
	for _, s := range merged(removeOption) {
		all = append(all, may("REVOKE GRANT OPTION FOR "+s+from, "take the grant option from "+pgwire.Ident(user)+" that the original does not have: "+s))
	}
	for _, s := range merged(add) {
		all = append(all, must("GRANT "+s+to))
	}
	for _, s := range merged(addOption) {
		all = append(all, must("GRANT "+s+to+" WITH GRANT OPTION"))
	}
	return all
}

// merged joins the privileges on the same thing, which are neighbours: those on the
// whole, and those on columns, which are another form of GRANT, with each privilege
// named once.
// Source: Database Developer Guide, "GRANT": on a datashare a statement takes one
// privilege.
func merged(sorted []grant) []string {
	var all []string
	for i := 0; i < len(sorted); {
		first := sorted[i]
		of := []grant{first}
		for i++; i < len(sorted) && first.joins(sorted[i]); i++ {
			of = append(of, sorted[i])
		}
		all = append(all, strings.TrimSpace(listed(of)+" "+first.on))
	}
	return all
}

func (g grant) joins(other grant) bool {
	return g.on == other.on && (g.column == "") == (other.column == "") && !strings.HasPrefix(g.on, "ON DATASHARE ")
}

// listed are privileges as GRANT lists them: SELECT, INSERT or SELECT ("a", "b"),
// UPDATE ("a").
func listed(of []grant) string {
	var all []string
	for i, g := range of {
		switch {
		case g.column == "":
			all = append(all, g.privilege)
		case i > 0 && of[i-1].privilege == g.privilege:
			all[len(all)-1] = strings.TrimSuffix(all[len(all)-1], ")") + ", " + g.column + ")"
		default:
			all = append(all, g.privilege+" ("+g.column+")")
		}
	}
	return strings.Join(all, ", ")
}
