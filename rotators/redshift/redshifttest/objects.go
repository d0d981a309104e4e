package redshifttest

import "slices"

func readKind(p *parser) (string, bool) {
	for _, kind := range []string{"database", "schema", "table", "view", "function", "procedure", "language"} {
		if p.take(kind) {
			return kind, true
		}
	}
	return "", false
}

// createObject reads CREATE and as much of the rest as names what is made.
func createObject(p *parser) (action, error) {
	kind, ok := readKind(p)
	if !ok {
		return nil, p.syntax()
	}
	view := kind == "view"
	if view {
		kind = "table" // to GRANT, and to OWNER TO
	}
	o, err := p.object(kind)
	p.rest()
	return func(c *catalog, s *session) error {
		if err := c.mayCreate(o, s.user); err != nil {
			return err
		}
		if _, ok := c.objects[o]; ok {
			return raise("42P07", "%s %q already exists", kind, o.name)
		}
		c.objects[o], c.views[o] = s.user, view
		for d, option := range c.defaults {
			if d.owner == s.user && d.objects == kind+"s" && (d.schema == "" || d.schema == o.schema) {
				c.grants[acl{grantee: d.grantee, privilege: d.privilege, object: o}] = option
			}
		}
		return nil
	}, err
}

// mayCreate is the right to make something: a superuser's, the schema owner's, or the privilege CREATE on the schema.
func (c *catalog) mayCreate(o object, name string) error {
	in := object{kind: "schema", name: o.schema}
	if o.schema != "" {
		if _, ok := c.objects[in]; !ok {
			return missing("schema", o.schema)
		}
	}
	_, granted := c.grants[acl{grantee: grantee{"user", name}, privilege: "CREATE", object: in}]
	if c.users[name].super || o.schema != "" && c.objects[in] == name || granted {
		return nil
	}
	return denied("permission denied for schema %s", o.schema)
}

func alterOwner(p *parser) (action, error) {
	kind, ok := readKind(p)
	if !ok {
		return nil, unknown(p.source)
	}
	o, err := p.object(kind)
	if err != nil {
		return nil, err
	}
	if err := p.expect("owner", "to"); err != nil {
		return nil, err
	}
	to, err := p.user()
	return superuser(func(c *catalog, _ *session) error {
		from, ok := c.objects[o]
		if !ok {
			return missing(kind, o.name)
		}
		if _, ok := c.users[to]; !ok {
			return missing("user", to)
		}
		c.objects[o] = to
		for a, option := range c.grants { // what the old owner had, the new one has
			if a.object == o && a.grantee == (grantee{"user", from}) && from != to {
				delete(c.grants, a)
				a.grantee.name = to
				c.grants[a] = option
			}
		}
		return nil
	}), err
}

func dropObject(p *parser) (action, error) {
	kind, ok := readKind(p)
	if !ok {
		return nil, unknown(p.source)
	}
	o, err := p.object(kind)
	p.take("cascade")
	return superuser(func(c *catalog, _ *session) error {
		if _, ok := c.objects[o]; !ok {
			return missing(kind, o.name)
		}
		c.dropObject(o)
		return nil
	}), err
}

// every are the privileges that ALL stands for.
func every(kind, scope string) []string {
	switch {
	case scope == "TABLES", scope == "" && kind == "table":
		return []string{"SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "RULE", "TRIGGER", "DROP", "ALTER", "TRUNCATE"}
	case scope == "SCHEMAS", scope == "" && kind == "schema":
		return []string{"CREATE", "USAGE", "ALTER", "DROP"}
	case scope == "FUNCTIONS", scope == "PROCEDURES", scope == "" && (kind == "function" || kind == "procedure"):
		return []string{"EXECUTE"}
	case scope == "" && kind == "database":
		return []string{"CREATE", "TEMP", "USAGE", "ALTER"}
	}
	return []string{"USAGE"}
}

func applies(privilege string, o object, scope string) bool {
	return slices.Contains(every(o.kind, scope), privilege) && privilege != "RULE" && privilege != "TRIGGER"
}
