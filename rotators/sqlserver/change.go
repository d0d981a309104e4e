package sqlserver

import "slices"

// follow are the statements after which p holds what of holds, and no more. What
// is added comes first: sessions of a clone may still be open.
func (p *profile) follow(of *profile) []string {
	return slices.Concat(p.allow(of), p.gain(of), p.restrict(of), p.lose(of))
}

// allow are the statements that take back denials that of has not.
func (p *profile) allow(of *profile) []string {
	var all []string
	for _, g := range sortedGrants(p.denials) {
		_, denied := of.denials[g]
		_, excepted := of.exceptions[g]
		switch whole, isColumn := g.whole(); {
		case denied || about(g.on, p, of):
		case isColumn && !excepted && p.granted(whole) && of.granted(whole): // REVOKE would leave it out of its table's
			all = append(all, "GRANT "+g.String()+" TO "+ident(p.name)+option(p.grants[whole]))
		default:
			all = append(all, p.revoke(g, p.denials[g])...)
		}
	}
	for _, g := range sortedGrants(p.exceptions) {
		if _, ok := of.exceptions[g]; !ok && p.deniedTable(g) && of.deniedTable(g) {
			all = append(all, "DENY "+g.String()+" TO "+ident(p.name))
		}
		whole, _ := g.whole()
		if optionless, ok := of.exceptions[g]; of.granted(whole) && (!ok || optionless != p.exceptions[g]) {
			all = append(all, "GRANT "+g.String()+" TO "+ident(p.name)+option(p.grants[whole])) // as its table's is
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

// option is what is said where a permission may be granted on.
func option(h holding) string {
	if h.option {
		return " WITH GRANT OPTION"
	}
	return ""
}

// gain are the statements that give p what only of has: roles, and permissions
// that are not denied to p.
func (p *profile) gain(of *profile) []string {
	var all []string
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
		all = append(all, "GRANT "+g.String()+" TO "+ident(p.name)+option(want[g]))
	}
	return all
}

// restrict are the statements that deny p what of is denied.
func (p *profile) restrict(of *profile) []string {
	var all []string
	for _, g := range sortedGrants(of.denials) {
		if _, ok := p.denials[g]; !ok && !p.owns(g.on, of) && !about(g.on, p, of) {
			all = append(all, "DENY "+g.String()+" TO "+ident(p.name)+p.cascade(g, of))
		}
	}
	for _, g := range sortedGrants(of.exceptions) {
		optionless, ok := p.exceptions[g]
		switch wanted := of.exceptions[g]; {
		case ok && optionless == wanted, p.owns(g.on, of):
		case wanted:
			all = append(all, "REVOKE GRANT OPTION FOR "+g.String()+" FROM "+ident(p.name)+" CASCADE")
		default:
			all = append(all, "REVOKE "+g.String()+" FROM "+ident(p.name)+p.cascade(g, of))
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
func (p *profile) lose(of *profile) []string {
	var all []string
	want := of.rights()
	for _, g := range sortedGrants(p.grants) {
		wanted, ok := want[g]
		_, denied := of.denials[g]
		_, excepted := of.exceptions[g]
		switch {
		case denied || excepted || about(g.on, p, of): // restrict has done it; or it is not compared
		case !ok && p.deniedTable(g) && of.deniedTable(g): // as its table is
			all = append(all, "DENY "+g.String()+" TO "+ident(p.name)+p.cascade(g, of))
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
func (p *profile) revoke(g grant, h holding) []string {
	var all []string
	for grantor, option := range h.by {
		cascade := ""
		if option {
			cascade = " CASCADE"
		}
		all = append(all, "REVOKE "+g.String()+" FROM "+ident(p.name)+cascade+p.as(grantor))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// revokeOption are the statements that end the option of a grant, one for each
// principal who gave it: of a grant without it the grant itself would end.
// Source: Transact-SQL reference, "REVOKE", arguments.
func (p *profile) revokeOption(g grant, h holding) []string {
	var all []string
	for grantor, option := range h.by {
		if option {
			all = append(all, "REVOKE GRANT OPTION FOR "+g.String()+" FROM "+ident(p.name)+" CASCADE"+p.as(grantor))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// as says whose grant REVOKE is to end. By itself it ends that of the session, or
// of the owner for whom an administrator speaks.
func (p *profile) as(grantor string) string {
	if slices.Contains([]string{"", "dbo", "sa", p.session}, grantor) {
		return ""
	}
	return " AS " + ident(grantor)
}

// cascade is what has to be said where others may hold a permission from its
// holder: also of a column whose table may be granted on.
// Source: Transact-SQL reference, "REVOKE", remarks.
func (p *profile) cascade(g grant, of *profile) string {
	whole, _ := g.whole()
	if p.grants[g].option || p.grants[whole].option || of.grants[whole].option {
		return " CASCADE"
	}
	return ""
}

func (p *profile) member(verb, role string) string {
	what := "ALTER ROLE "
	if p.server {
		what = "ALTER SERVER ROLE "
	}
	return what + ident(role) + " " + verb + " MEMBER " + ident(p.name)
}
