package sqlserver

import (
	"slices"
	"strings"
)

// follow are the statements after which p holds what of holds, and no more. What
// is added comes first: sessions of a clone may still be open.
func (p *profile) follow(of *profile) []statement {
	return slices.Concat(p.allow(of), p.gain(of), p.restrict(of), p.lose(of))
}

// allow are the statements that take back denials that of has not.
func (p *profile) allow(of *profile) []statement {
	var all []statement
	for _, g := range sortedGrants(p.denials) {
		_, denied := of.denials[g]
		_, excepted := of.exceptions[g]
		switch whole, isColumn := g.whole(); {
		case denied || about(g.on, p, of):
		case isColumn && !excepted && p.granted(whole) && of.granted(whole): // REVOKE would leave it out of its table's
			all = append(all, p.grant(g, p.grants[whole].option))
		default:
			all = append(all, p.revoke(g, p.denials[g])...)
		}
	}
	for _, g := range sortedGrants(p.exceptions) {
		if _, ok := of.exceptions[g]; !ok && p.deniedTable(g) && of.deniedTable(g) {
			all = append(all, p.deny(g, false))
		}
		whole, _ := g.whole()
		if optionless, ok := of.exceptions[g]; of.granted(whole) && (!ok || optionless != p.exceptions[g]) {
			all = append(all, p.grant(g, p.grants[whole].option)) // as its table's is
		}
	}
	for _, role := range sortedNames(p.roles) {
		if denies(role) && !of.in(role) {
			all = append(all, p.member("DROP", role))
		}
	}
	return all
}

func (p *profile) granted(g grant) bool {
	_, ok := p.grants[g]
	return ok
}

// deniedTable reports whether a permission is on a column, and denied on its table.
func (p *profile) deniedTable(g grant) bool {
	whole, isColumn := g.whole()
	_, denied := p.denials[whole]
	return isColumn && denied
}

// gain are the statements that give p what only of has: roles, and permissions
// that are not denied to p.
func (p *profile) gain(of *profile) []statement {
	var all []statement
	for _, role := range sortedNames(of.roles) {
		if !p.in(role) && !denies(role) {
			all = append(all, p.member("ADD", role))
		}
	}
	want := of.rights()
	for _, g := range sortedGrants(want) { // a table comes before its columns
		has, ok := p.grants[g]
		_, denied := of.denials[g]
		if ok && (has.option || !want[g].option) || denied || p.owns(g.on, of) || about(g.on, p, of) {
			continue
		}
		all = append(all, p.grant(g, want[g].option))
	}
	return all
}

// restrict are the statements that deny p what of is denied.
func (p *profile) restrict(of *profile) []statement {
	var all []statement
	for _, g := range sortedGrants(of.denials) {
		if _, ok := p.denials[g]; !ok && !p.owns(g.on, of) && !about(g.on, p, of) {
			all = append(all, p.deny(g, p.cascades(g, of)))
		}
	}
	for _, g := range sortedGrants(of.exceptions) {
		optionless, ok := p.exceptions[g]
		switch wanted := of.exceptions[g]; {
		case ok && optionless == wanted, p.owns(g.on, of):
		case wanted:
			all = append(all, statement{whom: p, verb: revokeOption, what: g, cascade: true})
		default:
			all = append(all, statement{whom: p, verb: "REVOKE", what: g, cascade: p.cascades(g, of)})
		}
	}
	for _, role := range sortedNames(of.roles) {
		if denies(role) && !p.in(role) {
			all = append(all, p.member("ADD", role))
		}
	}
	return all
}

// lose are the statements that take from p what of has not.
func (p *profile) lose(of *profile) []statement {
	var all []statement
	want := of.rights()
	for _, g := range sortedGrants(p.grants) {
		wanted, ok := want[g]
		_, denied := of.denials[g]
		_, excepted := of.exceptions[g]
		switch {
		case denied || excepted || about(g.on, p, of): // restrict has done it; or it is not compared
		case !ok && p.deniedTable(g) && of.deniedTable(g): // as its table is
			all = append(all, p.deny(g, p.cascades(g, of)))
		case !ok:
			all = append(all, p.revoke(g, p.grants[g])...)
		case p.grants[g].option && !wanted.option:
			all = append(all, p.revokeOption(g, p.grants[g])...)
		}
	}
	for _, role := range sortedNames(p.roles) {
		if !denies(role) && !of.in(role) {
			all = append(all, p.member("DROP", role))
		}
	}
	return all
}

// revoke are the statements that end a grant or a denial, one for each principal
// who made it.
func (p *profile) revoke(g grant, h holding) []statement {
	var all []statement
	for grantor, option := range h.by {
		all = append(all, statement{whom: p, verb: "REVOKE", what: g, cascade: option, as: p.as(grantor)})
	}
	return once(all)
}

// revokeOption are the statements that end the option of a grant, one for each
// principal who gave it: of a grant without it the grant itself would end.
// Source: Transact-SQL reference, "REVOKE", arguments.
func (p *profile) revokeOption(g grant, h holding) []statement {
	var all []statement
	for grantor, option := range h.by {
		if option {
			all = append(all, statement{whom: p, verb: revokeOption, what: g, cascade: true, as: p.as(grantor)})
		}
	}
	return once(all)
}

// once sorts statements and says none of them twice.
func once(all []statement) []statement {
	slices.SortFunc(all, func(a, b statement) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

// as says whose grant REVOKE is to end. By itself it ends that of the session, or
// of the owner for whom an administrator speaks.
func (p *profile) as(grantor string) string {
	if slices.Contains([]string{"", "dbo", "sa", p.session}, grantor) {
		return ""
	}
	return grantor
}

// cascades reports whether CASCADE has to be said, since others may hold a
// permission from its holder: also of a column whose table may be granted on.
// Source: Transact-SQL reference, "REVOKE", remarks.
func (p *profile) cascades(g grant, of *profile) bool {
	whole, _ := g.whole()
	return p.grants[g].option || p.grants[whole].option || of.grants[whole].option
}

func (p *profile) grant(g grant, option bool) statement {
	return statement{whom: p, verb: "GRANT", what: g, option: option}
}

func (p *profile) deny(g grant, cascade bool) statement {
	return statement{whom: p, verb: "DENY", what: g, cascade: cascade}
}

func (p *profile) member(verb, role string) statement {
	return statement{whom: p, verb: verb, role: role}
}
