package oracletest

import (
	"maps"
	"slices"
)

// createObject makes an object without content: what it consists of is read over,
// but for what a view is made of, nested tables, and whether a table is external.
// GENERATED and SECONDARY before the kind, which Oracle has not, say what the
// catalog shows of it.
func createObject(p *parser, s *session) (action, *sqlError) {
	o := &object{}
	force := p.take("FORCE")
	o.generated, o.secondary = p.take("GENERATED"), p.take("SECONDARY")
	needs := ""
	switch {
	case p.take("TABLE"):
		o.kind, needs = "TABLE", "CREATE TABLE"
	case p.take("VIEW"):
		o.kind, needs = "VIEW", "CREATE VIEW"
	case p.take("MATERIALIZED", "VIEW"):
		o.kind, needs = "MATERIALIZED VIEW", "CREATE TABLE"
	case p.take("SEQUENCE"):
		o.kind, needs = "SEQUENCE", "CREATE SEQUENCE"
	case p.take("PROCEDURE"):
		o.kind, needs = "PROCEDURE", "CREATE PROCEDURE"
	case p.take("TYPE"):
		o.kind, needs = "TYPE", "CREATE PROCEDURE"
	case p.take("QUEUE"): // as DBMS_AQADM makes it
		o.kind, needs = "QUEUE", "CREATE TABLE"
	case p.take("TRIGGER"):
		o.kind, needs = "TRIGGER", "CREATE PROCEDURE"
	default:
		return nil, p.syntax()
	}
	on, err := p.qualified(s.user)
	if err == nil && p.take("AS", "SELECT", "*", "FROM") {
		var base key
		base, err = p.qualified(s.user)
		o.on = append(o.on, base)
	}
	nested := o.content(p)
	return func(c *catalog, s *session) error {
		u := c.users[on.owner]
		switch {
		case on.owner != s.user && s.user != "SYS", !c.holds(s.user, s.roles, needs):
			return denied()
		case s.user != "SYS" && o.kind == "TABLE" && u.quotas[u.tablespace] == "" && !c.holds(s.user, s.roles, "UNLIMITED TABLESPACE"):
			return raise(1950, "no privileges on tablespace '%s'", u.tablespace)
		case c.objects[on] != nil:
			return raise(955, "name is already used by an existing object")
		}
		c.objects[on] = o
		if nested != "" {
			c.objects[key{on.owner, nested}] = &object{kind: "TABLE", nested: true}
		}
		if !force && !c.compiles(on) {
			delete(c.objects, on)
			return invisible()
		}
		return nil
	}, err
}

// content reads over what an object consists of, and returns the name of a nested
// table in it.
func (o *object) content(p *parser) (nested string) {
	for !p.done() {
		switch {
		case p.take("ORGANIZATION", "EXTERNAL"):
			o.external = true
		case p.take("STORE", "AS"):
			nested, _ = p.name()
		default:
			p.tokens = p.tokens[1:]
		}
	}
	return nested
}

// alterTable changes a table: what is made of it has to be compiled anew.
func alterTable(p *parser, s *session) (action, *sqlError) {
	on, err := p.qualified(s.schema)
	p.rest()
	return func(c *catalog, s *session) error {
		if c.objects[on] == nil || !c.may(s, on, "", "ALTER") {
			return c.refuse(s, on)
		}
		for _, o := range c.objects {
			o.stale = o.stale || slices.Contains(o.on, on)
		}
		return nil
	}, err
}

func dropObject(p *parser, s *session) (action, *sqlError) {
	for _, kind := range []string{"TABLE", "VIEW", "SEQUENCE", "PROCEDURE"} {
		if !p.take(kind) {
			continue
		}
		on, err := p.qualified(s.schema)
		return func(c *catalog, s *session) error {
			if on.owner != s.user && s.user != "SYS" || c.objects[on] == nil {
				return invisible()
			}
			delete(c.objects, on)
			maps.DeleteFunc(c.object, func(g objectGrant, _ *objectOption) bool { return g.on == on })
			return nil
		}, err
	}
	return nil, p.syntax()
}

// using is an action that only checks whether the session may.
func using(on key, column string, privileges ...string) action {
	return func(c *catalog, s *session) error {
		if c.objects[on] == nil || !c.may(s, on, column, privileges...) {
			return c.refuse(s, on)
		}
		return nil
	}
}

func insert(p *parser, s *session) (action, *sqlError) {
	on, err := p.qualified(s.schema)
	p.rest()
	return using(on, "", "INSERT"), err
}

func update(p *parser, s *session) (action, *sqlError) {
	on, err := p.qualified(s.schema)
	if err == nil {
		err = p.expect("SET")
	}
	if err != nil {
		return nil, err
	}
	column, err := p.name()
	p.rest()
	return using(on, column, "UPDATE"), err
}

func deleteRows(p *parser, s *session) (action, *sqlError) {
	on, err := p.qualified(s.schema)
	return using(on, "", "DELETE"), err
}

func setSchema(p *parser, _ *session) (action, *sqlError) {
	name, err := p.name()
	return func(_ *catalog, s *session) error { s.schema = name; return nil }, err
}

// block reads BEGIN x; END;, where x is a procedure, or one of RDS.
func block(p *parser, s *session) (action, *sqlError) {
	if p.take("RDSADMIN", ".", "RDSADMIN_UTIL", ".") {
		return rdsadmin(p)
	}
	on, err := p.qualified(s.schema)
	if err == nil {
		err = p.expect(";", "END", ";")
	}
	return using(on, "", "EXECUTE"), err
}

// rdsadmin reads a call of one of the two procedures for privileges on what is
// SYS's, with its arguments by name.
func rdsadmin(p *parser) (action, *sqlError) {
	t, ok := p.kind(wordToken)
	if !ok || t.text != "GRANT_SYS_OBJECT" && t.text != "REVOKE_SYS_OBJECT" {
		return nil, p.syntax()
	}
	arguments, err := p.arguments()
	if err != nil {
		return nil, err
	}
	grants, who := t.text == "GRANT_SYS_OBJECT", "P_GRANTEE"
	if !grants {
		who = "P_REVOKEE"
	}
	to, privilege := arguments[who], arguments["P_PRIVILEGE"]
	on := key{"SYS", arguments["P_OBJ_NAME"]}
	return func(c *catalog, s *session) error {
		has := slices.ContainsFunc(holders(s.user, s.roles), func(h string) bool { return h != "PUBLIC" && c.object[objectGrant{h, privilege, "", on, "SYS"}] != nil })
		switch {
		case c.users["RDSADMIN"] == nil:
			return raise(6550, "identifier 'RDSADMIN.RDSADMIN_UTIL' must be declared")
		case !has || c.users[to] == nil:
			return raise(20900, "the privilege is not the master user's, or there is no such user")
		case grants:
			c.object[objectGrant{to, privilege, "", on, "SYS"}] = &objectOption{grantable: arguments["P_GRANT_OPTION"] == "TRUE"}
		case !c.revokeFrom(on, privilege, to, "SYS"):
			return raise(1927, "cannot REVOKE privileges you did not grant")
		}
		return nil
	}, nil
}

func (p *parser) arguments() (map[string]string, *sqlError) {
	all := map[string]string{}
	for p.take("(") || p.take(",") {
		name, ok := p.kind(wordToken)
		if !ok || !p.take("=>") {
			return nil, p.syntax()
		}
		if p.take("TRUE") {
			all[name.text] = "TRUE"
			continue
		}
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		all[name.text] = value
	}
	return all, p.expect(")", ";", "END", ";")
}
