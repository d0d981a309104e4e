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
		if _, ok := of.denials[g]; !ok && !about(g.on, p, of) {
			all = append(all, p.revoke(g, p.denials[g])...)
		}
	}
	for _, g := range sortedGrants(p.exceptions) {
		if !of.exceptions[g] {
			all = append(all, "GRANT "+g.String()+" TO "+ident(p.name)) // as its table's is
		}
	}
	for _, role := range sortedNames(p.roles) {
		if denies(role) && !of.roles[role] {
			all = append(all, p.member("DROP", role))
		}
	}
	return all
}

// gain are the statements that give p what only of has: roles, and permissions
// that are not denied to p.
func (p *profile) gain(of *profile) []string {
	var all []string
	for _, role := range sortedNames(of.roles) {
		if !p.roles[role] && !denies(role) {
			all = append(all, p.member("ADD", role))
		}
	}
	want := of.rights()
	for _, g := range sortedGrants(want) { // a table comes before its columns
		has, ok := p.grants[g]
		_, denied := of.denials[g]
		if ok && (has.option || !want[g].option) || denied || p.owned[g.on] || about(g.on, p, of) {
			continue
		}
		statement := "GRANT " + g.String() + " TO " + ident(p.name)
		if want[g].option {
			statement += " WITH GRANT OPTION"
		}
		all = append(all, statement)
	}
	return all
}

// restrict are the statements that deny p what of is denied.
func (p *profile) restrict(of *profile) []string {
	var all []string
	for _, g := range sortedGrants(of.denials) {
		if _, ok := p.denials[g]; !ok && !p.owned[g.on] && !about(g.on, p, of) {
			all = append(all, "DENY "+g.String()+" TO "+ident(p.name)+cascade(p.grants[g]))
		}
	}
	for _, g := range sortedGrants(of.exceptions) {
		if !p.exceptions[g] && !p.owned[g.on] {
			all = append(all, "REVOKE "+g.String()+" FROM "+ident(p.name)+cascade(p.grants[g]))
		}
	}
	for _, role := range sortedNames(of.roles) {
		if denies(role) && !p.roles[role] {
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
		switch {
		case denied || of.exceptions[g] || about(g.on, p, of): // restrict has done it; or it is not compared
		case !ok:
			all = append(all, p.revoke(g, p.grants[g])...)
		case p.grants[g].option && !wanted.option:
			all = append(all, "REVOKE GRANT OPTION FOR "+g.String()+" FROM "+ident(p.name)+" CASCADE")
		}
	}
	for _, role := range sortedNames(p.roles) {
		if !denies(role) && !of.roles[role] {
			all = append(all, p.member("DROP", role))
		}
	}
	return all
}

// revoke are the statements that end a grant or a denial, one for each principal
// who made it. REVOKE by itself ends that of the session, or of the owner for
// whom an administrator speaks.
func (p *profile) revoke(g grant, h holding) []string {
	var all []string
	for _, grantor := range h.grantors {
		statement := "REVOKE " + g.String() + " FROM " + ident(p.name) + cascade(h)
		if !slices.Contains([]string{"", "dbo", "sa", p.session}, grantor) {
			statement += " AS " + ident(grantor)
		}
		all = append(all, statement)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// cascade is what has to be said where others may hold a permission from its
// holder.
// Source: Transact-SQL reference, "REVOKE", remarks.
func cascade(h holding) string {
	if h.option {
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
