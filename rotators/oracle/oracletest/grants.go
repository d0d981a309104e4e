package oracletest

import (
	"maps"
	"slices"
	"strings"
)

// A clause is what stands between GRANT and TO.
type clause struct {
	privileges []columned
	on         *key   // nil: system privileges, or roles
	schema     string // of system privileges on one schema
	role       string
}

// A columned privilege is on columns, or without them on the whole object.
type columned struct {
	privilege string
	columns   []string
}

// objectPrivileges are those that go with ON.
var objectPrivileges = map[string][]string{
	"EXTERNAL TABLE": {"SELECT", "READ", "ALTER"},
	"TABLE":          {"SELECT", "READ", "INSERT", "UPDATE", "DELETE", "ALTER", "INDEX", "REFERENCES", "FLASHBACK", "ON COMMIT REFRESH"},
	"VIEW":           {"SELECT", "READ", "INSERT", "UPDATE", "DELETE", "REFERENCES"}, "SEQUENCE": {"SELECT", "ALTER"}, "MATERIALIZED VIEW": {"SELECT"},
	"PROCEDURE": {"EXECUTE"}, "FUNCTION": {"EXECUTE"}, "PACKAGE": {"EXECUTE", "DEBUG"}, "TYPE": {"EXECUTE", "UNDER"}, "DIRECTORY": {"READ", "WRITE"},
}

func readClause(p *parser, end string) (c clause, err *sqlError) {
	if !p.done() && p.tokens[0].kind == quotedToken || len(p.tokens) > 1 && p.tokens[1].is(end) && !slices.Contains(privileges, p.tokens[0].text) {
		c.role, err = p.name()
		return c, err
	}
	for len(c.privileges) == 0 || p.take(",") {
		privilege := columned{privilege: p.words("ON", end)}
		if privilege.privilege == "" && p.take("ON", "COMMIT", "REFRESH") {
			privilege.privilege = "ON COMMIT REFRESH"
		}
		if privilege.privilege == "" {
			return c, p.syntax()
		}
		if p.take("(") {
			if privilege.columns, err = p.columns(privilege.privilege); err != nil {
				return c, err
			}
		}
		if slices.ContainsFunc(c.privileges, func(has columned) bool { return has.privilege == privilege.privilege }) {
			return c, raise(1711, "duplicate privilege listed")
		}
		c.privileges = append(c.privileges, privilege)
	}
	if p.take("ON", "SCHEMA") {
		c.schema, err = p.name()
		return c, err
	}
	if !p.take("ON") {
		return c, nil
	}
	on, err := readOn(p)
	c.on = &on
	return c, err
}

// columns reads those of a privilege.
func (p *parser) columns(of string) ([]string, *sqlError) {
	if !slices.Contains([]string{"INSERT", "UPDATE", "REFERENCES"}, of) {
		return nil, raise(969, "missing ON keyword")
	}
	names, err := p.names()
	if err != nil {
		return nil, err
	}
	return names, p.expect(")")
}

func readOn(p *parser) (key, *sqlError) {
	if p.take("DIRECTORY") {
		name, err := p.name()
		return key{"SYS", name}, err
	}
	on, err := p.qualified("")
	return on, err
}

func grantStatement(p *parser, s *session) (action, *sqlError) {
	cl, err := readClause(p, "TO")
	if err == nil {
		err = p.expect("TO")
	}
	if err != nil {
		return nil, err
	}
	to, err := p.name()
	var o objectOption
	var delegate bool
	for !p.done() && err == nil {
		switch {
		case p.take("WITH", "ADMIN", "OPTION") && cl.on == nil, p.take("WITH", "GRANT", "OPTION") && cl.on != nil:
			o.grantable = true
		case !o.grantable && cl.on != nil && p.take("WITH", "HIERARCHY", "OPTION"): // which comes first
			o.hierarchy = true
		case p.take("WITH", "DELEGATE", "OPTION") && cl.role != "" && s.server.config.since("12.1.0.2"):
			delegate = true
		default:
			return nil, p.syntax()
		}
	}
	return func(c *catalog, s *session) error {
		if c.users[to] == nil && !c.roles[to] {
			return raise(1917, "user or role '%s' does not exist", to)
		}
		switch {
		case cl.role != "":
			return c.grantRole(s, cl.role, to, o.grantable, delegate)
		case cl.on == nil:
			return c.grantSystem(s, cl, to, o.grantable)
		}
		return c.grantObject(s, cl, to, o)
	}, err
}

func (c *catalog) mayGrantRole(s *session, role string) *sqlError {
	if !c.roles[role] {
		return raise(1919, "role '%s' does not exist", role)
	}
	if c.holds(s.user, s.roles, "GRANT ANY ROLE") {
		return nil
	}
	if held := c.granted[roleGrant{s.user, role}]; held != nil && held.admin { // directly
		return nil
	}
	return raise(1932, "ADMIN option not granted for role '%s'", role)
}

func (c *catalog) grantRole(s *session, role, to string, admin, delegate bool) error {
	if err := c.mayGrantRole(s, role); err != nil {
		return err
	}
	g := roleGrant{to, role}
	if c.granted[g] == nil {
		c.granted[g] = &roleHeld{}
	}
	c.granted[g].admin = c.granted[g].admin || admin
	c.granted[g].delegate = c.granted[g].delegate || delegate
	return nil
}

func (c *catalog) mayGrantSystem(s *session, schema, privilege string) *sqlError {
	if !slices.Contains(s.server.everything(), privilege) {
		return raise(990, "missing or invalid privilege")
	}
	if schema != "" {
		return c.mayGrantSchema(s, schema, privilege)
	}
	if c.holds(s.user, s.roles, "GRANT ANY PRIVILEGE") {
		return nil
	}
	for _, h := range holders(s.user, s.roles) {
		if c.system[systemGrant{h, privilege}] {
			return nil
		}
	}
	return denied()
}

// mayGrantSchema follows "grant_schema_privileges": GRANT ANY PRIVILEGE is not
// enough.
func (c *catalog) mayGrantSchema(s *session, schema, privilege string) *sqlError {
	if s.user == schema || c.holds(s.user, s.roles, schemaPrivilege) {
		return nil
	}
	for _, h := range holders(s.user, s.roles) {
		if c.schema[schemaGrant{h, privilege, schema}] {
			return nil
		}
	}
	return denied()
}

func (c *catalog) grantSystem(s *session, cl clause, to string, admin bool) error {
	for _, p := range cl.privileges {
		if err := c.mayGrantSystem(s, cl.schema, p.privilege); err != nil {
			return err
		}
	}
	for _, p := range cl.privileges {
		if cl.schema != "" {
			g := schemaGrant{to, p.privilege, cl.schema}
			c.schema[g] = c.schema[g] || admin
			continue
		}
		g := systemGrant{to, p.privilege}
		c.system[g] = c.system[g] || admin
	}
	return nil
}

// grantor is as whom a session grants or revokes a privilege on an object: the
// owner, itself with the grant option, or the owner by GRANT ANY OBJECT PRIVILEGE,
// which is not for SYS's.
func (c *catalog) grantor(s *session, on key, privilege string) (string, *sqlError) {
	if s.user == on.owner || s.user == "SYS" {
		return on.owner, nil
	}
	for g, o := range c.object {
		if g.on == on && g.privilege == privilege && g.grantee == s.user && o.grantable {
			return s.user, nil
		}
	}
	if c.standsIn(s, on) {
		return on.owner, nil
	}
	return "", c.refuse(s, on)
}

// standsIn reports whether a session grants and revokes as an object's owner. What
// is SYS's is not for it; a directory is in nobody's schema.
func (c *catalog) standsIn(s *session, on key) bool {
	if s.user == on.owner || s.user == "SYS" {
		return true
	}
	directory := c.objects[on] != nil && c.objects[on].kind == "DIRECTORY" && !s.server.config.RDS
	return c.holds(s.user, s.roles, "GRANT ANY OBJECT PRIVILEGE") && (on.owner != "SYS" || directory)
}

func (c *catalog) grantObject(s *session, cl clause, to string, o objectOption) error {
	on := *cl.on
	if on.owner == "" {
		on.owner = s.schema
	}
	target := c.objects[on]
	if target == nil {
		return invisible()
	}
	var all []objectGrant
	for _, p := range cl.privileges {
		by, err := c.grantor(s, on, p.privilege)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(on.name, "BIN$") && s.user != "SYS":
			return raise(38301, "can not perform DDL/DML over objects in Recycle Bin")
		case to == on.owner:
			return raise(1749, "you may not GRANT/REVOKE privileges to/from yourself")
		case target.kind == "VIEW" && !c.compiles(on):
			return erring(on)
		case target.nested:
			return raise(22812, "cannot reference nested table column's storage table")
		case target.external && !slices.Contains(objectPrivileges["EXTERNAL TABLE"], p.privilege):
			return raise(30657, "operation not supported on external organized table") // (?)
		case target.kind == "QUEUE" && s.user == "SYS": // as DBMS_AQADM does it
		case target.kind == "QUEUE":
			return raise(990, "missing or invalid privilege")
		case !slices.Contains(objectPrivileges[target.kind], p.privilege):
			return raise(2204, "%s is not allowed on a %s", p.privilege, target.kind)
		case !c.ownerMayPass(on, target, p.privilege):
			return raise(1720, "grant option does not exist for '%s.%s'", target.on[0].owner, target.on[0].name)
		}
		if len(p.columns) == 0 {
			all = append(all, objectGrant{to, p.privilege, "", on, by})
		}
		for _, column := range p.columns {
			all = append(all, objectGrant{to, p.privilege, column, on, by})
		}
	}
	target.stale = false
	for _, g := range all {
		if c.object[g] == nil {
			c.object[g] = &objectOption{}
		}
		c.object[g].grantable = c.object[g].grantable || o.grantable
		c.object[g].hierarchy = c.object[g].hierarchy || o.hierarchy
	}
	return nil
}

// ownerMayPass reports whether a view's owner may let others use what the view is
// made of.
func (c *catalog) ownerMayPass(on key, view *object, privilege string) bool {
	for _, base := range view.on {
		if base.owner == on.owner {
			continue
		}
		ok := false
		for g, o := range c.object {
			ok = ok || g.on == base && g.grantee == on.owner && g.privilege == privilege && o.grantable
		}
		if !ok {
			return false
		}
	}
	return true
}

func revokeStatement(p *parser, _ *session) (action, *sqlError) {
	cl, err := readClause(p, "FROM")
	if err == nil {
		err = p.expect("FROM")
	}
	if err != nil {
		return nil, err
	}
	from, err := p.name()
	return func(c *catalog, s *session) error {
		switch {
		case cl.role != "":
			return c.revokeRole(s, cl.role, from)
		case cl.on == nil:
			return c.revokeSystem(s, cl, from)
		}
		return c.revokeObject(s, cl, from)
	}, err
}

func (c *catalog) revokeRole(s *session, role, from string) error {
	if err := c.mayGrantRole(s, role); err != nil {
		return err
	}
	if c.granted[roleGrant{from, role}] == nil {
		return raise(1951, "ROLE '%s' not granted to '%s'", role, from)
	}
	delete(c.granted, roleGrant{from, role})
	if u := c.users[from]; u != nil && u.defaults != nil {
		u.defaults = maps.Clone(u.defaults) // who has asked has the old one
		delete(u.defaults, role)
	}
	return nil
}

func (c *catalog) revokeSystem(s *session, cl clause, from string) error {
	for _, p := range cl.privileges {
		if err := c.mayGrantSystem(s, cl.schema, p.privilege); err != nil {
			return err
		}
		if _, ok := c.schema[schemaGrant{from, p.privilege, cl.schema}]; ok {
			delete(c.schema, schemaGrant{from, p.privilege, cl.schema})
			continue
		}
		if _, ok := c.system[systemGrant{from, p.privilege}]; !ok || cl.schema != "" {
			return raise(1952, "system privileges not granted to '%s'", from)
		}
		delete(c.system, systemGrant{from, p.privilege})
	}
	return nil
}

func (c *catalog) revokeObject(s *session, cl clause, from string) error {
	on := *cl.on
	if on.owner == "" {
		on.owner = s.schema
	}
	if c.objects[on] == nil {
		return invisible()
	}
	for _, p := range cl.privileges {
		if len(p.columns) > 0 {
			return raise(1750, "UPDATE/REFERENCES may only be REVOKEd from the whole table, not by column")
		}
		found := c.revokeFrom(on, p.privilege, from, s.user)
		if c.standsIn(s, on) {
			found = c.revokeFrom(on, p.privilege, from, on.owner) || found
		}
		if !found && !c.sees(s, on) {
			return invisible()
		}
		if !found {
			return raise(1927, "cannot REVOKE privileges you did not grant")
		}
	}
	return nil
}

// revokeFrom takes a privilege, with all its columns, and what the grantee has
// made of it.
func (c *catalog) revokeFrom(on key, privilege, from, by string) (found bool) {
	for g := range c.object {
		if g.on == on && g.privilege == privilege && g.grantee == from && g.grantor == by {
			delete(c.object, g)
			found = true
		}
	}
	if found {
		for g := range c.object {
			if g.on == on && g.privilege == privilege && g.grantor == from {
				c.revokeFrom(on, privilege, g.grantee, from)
			}
		}
	}
	return found
}
