package redshifttest

import (
	"slices"
	"strings"
)

// A privilegeClause is what stands between GRANT and TO.
type privilegeClause struct {
	all     bool
	listed  []listedPrivilege
	scope   string // FOR TABLES IN ...
	objects []object
}

type listedPrivilege struct{ name, column string }

// createModel is granted on nothing; the catalog has it as USAGE on the language of models.
const createModel = "CREATE MODEL"

// listPrivileges reads ALL, or names with columns: SELECT, INSERT or SELECT (a, b), UPDATE (a).
func (p *parser) listPrivileges() (c privilegeClause, err error) {
	if p.take("all") {
		p.take("privileges")
		c.all = true
		return c, nil
	}
	for len(c.listed) == 0 || p.take(",") {
		word, ok := p.kind(wordToken)
		if !ok {
			return c, p.syntax()
		}
		name := strings.ToUpper(word)
		if name == "TEMPORARY" {
			name = "TEMP"
		}
		columns := []string{""}
		if p.take("(") {
			if columns, err = p.names(); err == nil {
				err = p.expect(")")
			}
			if err != nil {
				return c, err
			}
		}
		for _, column := range columns {
			c.listed = append(c.listed, listedPrivilege{name, column})
		}
	}
	of := func(l listedPrivilege) bool { return l.column != "" }
	if slices.ContainsFunc(c.listed, of) && slices.ContainsFunc(c.listed, func(l listedPrivilege) bool { return !of(l) }) {
		return c, p.syntax() // they are two forms of GRANT
	}
	return c, nil
}

// names reads what stands between commas.
func (p *parser) names() (all []string, err error) {
	for len(all) == 0 || p.take(",") {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, nil
}

func (p *parser) privileges() (c privilegeClause, err error) {
	if p.take("create", "model") {
		return privilegeClause{listed: []listedPrivilege{{name: createModel}}, objects: []object{{kind: "language", name: modelLanguage}}}, nil
	}
	if c, err = p.listPrivileges(); err != nil {
		return c, err
	}
	if p.take("for") {
		if c.scope = "COPY JOBS"; !p.take("copy", "jobs") {
			word, _ := p.kind(wordToken)
			c.scope = strings.ToUpper(word)
		}
		if err := p.expect("in"); err != nil {
			return c, err
		}
	} else if err := p.expect("on"); err != nil {
		return c, err
	}
	kind, ok := readKind(p)
	if !ok {
		kind = "table"
	}
	for len(c.objects) == 0 || p.take(",") {
		o, err := p.object(kind)
		if err != nil {
			return c, err
		}
		c.objects = append(c.objects, o)
	}
	if kind == "datashare" && (c.all || len(c.listed) > 1) {
		return c, p.syntax()
	}
	return c, nil
}

func (p *parser) grantee() (g grantee, err error) {
	switch {
	case p.take("public"):
		return grantee{kind: "public", name: "public"}, nil
	case p.take("group"):
		g.kind = "group"
	case p.take("role"):
		g.kind = "role"
	default:
		g.kind = "user"
		g.name, err = p.user()
		return g, err
	}
	g.name, err = p.name()
	return g, err
}

func (c *catalog) knowGrantee(g grantee) error {
	_, user := c.users[g.name]
	_, group := c.groups[g.name]
	if g.kind == "user" && !user || g.kind == "group" && !group || g.kind == "role" && !c.roles[g.name] {
		return missing(g.kind, g.name)
	}
	return nil
}

// acls are the single privileges that a clause stands for.
func (c *catalog) acls(clause privilegeClause, to grantee) ([]acl, error) {
	if err := c.knowGrantee(to); err != nil {
		return nil, err
	}
	var all []acl
	for _, o := range clause.objects {
		if err := c.known(o); err != nil {
			return nil, err
		}
		listed := clause.listed
		if clause.all {
			for _, name := range c.every(o, clause.scope) {
				listed = append(listed, listedPrivilege{name: name})
			}
		}
		for _, l := range listed {
			if clause.all && c.objects[o].language == modelLanguage || !clause.all && !c.applies(l, o, clause.scope) {
				return nil, raise("0LP01", "invalid privilege type %s for %s", l.name, o.kind)
			}
			if l.name == createModel {
				l.name = "USAGE"
			}
			all = append(all, acl{grantee: to, privilege: l.name, column: l.column, scope: clause.scope, object: o})
		}
	}
	return all, nil
}

// mayGrant is the right to grant: a superuser's, the owner's, or the grant option, but for columns.
func (c *catalog) mayGrant(a acl, name string) error {
	own := a
	own.grantee = grantee{"user", name}
	if c.users[name].super || c.objects[a.object].owner == name || c.grants[own] && a.column == "" {
		return nil
	}
	return denied("permission denied for %s %s", a.object.kind, a.object.name)
}

// whole is the same privilege on all columns.
func (a acl) whole() acl {
	a.column = ""
	return a
}

// onColumns are the same privilege on columns of the table, which the grantee has.
func (c *catalog) onColumns(of acl) (all []acl) {
	for a := range c.grants {
		if a.column != "" && a.whole() == of {
			all = append(all, a)
		}
	}
	return all
}

// give is GRANT. A privilege is held on the table or on columns: one on columns is in the way of the same on the table,
// and beside that on the table has no effect. The code of the error is a guess (?).
// Source: Database Developer Guide, "GRANT", usage notes for column-level access control.
func (c *catalog) give(a acl, option bool) error {
	if _, held := c.grants[a.whole()]; a.column != "" && held {
		return nil
	}
	if len(c.onColumns(a)) > 0 {
		return raise("0LP01", "%s %q has %s on columns of %q: revoke it first", a.grantee.kind, a.grantee.name, a.privilege, a.object.name)
	}
	c.grants[a] = c.grants[a] || option
	c.showOwner(a.object)
	return nil
}

// takeAway is REVOKE. On a table it takes the columns too; on columns it fails where the table is held.
func (c *catalog) takeAway(a acl, option bool) error {
	if _, held := c.grants[a.whole()]; a.column != "" && held {
		return raise("0LP01", "%s %q has %s on the table %q: revoke that", a.grantee.kind, a.grantee.name, a.privilege, a.object.name)
	}
	if _, ok := c.grants[a]; ok && option {
		c.grants[a] = false
		return nil
	}
	if delete(c.grants, a); !option {
		for _, column := range c.onColumns(a) {
			delete(c.grants, column)
		}
	}
	return nil
}

func grantPrivileges(p *parser) (action, error) {
	clause, err := p.privileges()
	if err == nil {
		err = p.expect("to")
	}
	if err != nil {
		return nil, err
	}
	to, err := p.grantee()
	option := p.take("with", "grant", "option")
	if err == nil && option && (to.kind != "user" || len(clause.listed) > 0 && clause.listed[0].column != "") {
		return nil, p.syntax()
	}
	return each(clause, to, func(c *catalog, a acl) error { return c.give(a, option) }), err
}

func revokePrivileges(p *parser) (action, error) {
	option := p.take("grant", "option", "for")
	clause, err := p.privileges()
	if err == nil {
		err = p.expect("from")
	}
	if err == nil && option && (clause.scope != "" || clause.objects[0].kind == "datashare") {
		err = p.syntax() // they have no such form
	}
	if err != nil {
		return nil, err
	}
	from, err := p.grantee()
	return each(clause, from, func(c *catalog, a acl) error { return c.takeAway(a, option) }), err
}

// each does something to every single privilege of a clause.
func each(clause privilegeClause, who grantee, do func(*catalog, acl) error) action {
	return func(c *catalog, s *session) error {
		all, err := c.acls(clause, who)
		for _, a := range all {
			if err := c.mayGrant(a, s.user); err != nil {
				return err
			}
			if err := do(c, a); err != nil {
				return err
			}
		}
		return err
	}
}

// showOwner makes an owner's own privileges explicit, as the first grant on an object does.
func (c *catalog) showOwner(o object) {
	for _, name := range c.every(o, "") {
		a := acl{grantee: grantee{"user", c.objects[o].owner}, privilege: name, object: o}
		if _, ok := c.grants[a]; !ok && len(c.onColumns(a)) == 0 {
			c.grants[a] = false
		}
	}
}

func alterDefaults(p *parser) (action, error) {
	d := defaultACL{}
	var err error
	if p.take("for", "user") {
		if d.owner, err = p.user(); err != nil {
			return nil, err
		}
	}
	if p.take("in", "schema") {
		if d.schema, err = p.name(); err != nil {
			return nil, err
		}
	}
	give := p.take("grant")
	if !give && !p.take("revoke") {
		return nil, p.syntax()
	}
	clause, err := p.listPrivileges()
	if err == nil {
		err = p.expect("on")
	}
	if err != nil {
		return nil, err
	}
	d.objects, _ = p.kind(wordToken)
	if !p.take("to") && !p.take("from") {
		return nil, p.syntax()
	}
	if d.grantee, err = p.grantee(); err != nil {
		return nil, err
	}
	option := p.take("with", "grant", "option")
	return func(c *catalog, s *session) error { return c.setDefaults(d, clause, give, option, s) }, nil
}

func (c *catalog) setDefaults(d defaultACL, clause privilegeClause, give, option bool, s *session) error {
	if d.owner == "" {
		d.owner = s.user
	}
	if d.owner != s.user && !c.users[s.user].super {
		return denied("permission denied")
	}
	if _, ok := c.users[d.owner]; !ok {
		return missing("user", d.owner)
	}
	if err := c.knowGrantee(d.grantee); err != nil {
		return err
	}
	for _, l := range clause.listed {
		d.privilege = l.name
		if delete(c.defaults, d); give {
			c.defaults[d] = option
		}
	}
	return nil
}
