package redshifttest

import (
	"slices"
	"strings"
)

// modelLanguage is that of the functions that belong to models.
const modelLanguage = "mlfunc"

func readKind(p *parser) (string, bool) {
	for _, kind := range []string{"database", "schema", "table", "view", "function", "procedure", "language", "model", "datashare"} {
		if p.take(kind) {
			return kind, true
		}
	}
	return "", false
}

// createObject reads CREATE and as much of the rest as names what is made.
func createObject(p *parser) (action, error) {
	is := fact{external: p.take("external")}
	materialized := p.take("materialized")
	kind, ok := readKind(p)
	if !ok || is.external && kind != "schema" || materialized && kind != "view" {
		return nil, p.syntax()
	}
	if is.view = kind == "view"; is.view {
		kind = "table" // to GRANT, and to OWNER TO
	}
	o, err := p.object(kind)
	if err != nil {
		return nil, err
	}
	also, err := p.comesWith(o, materialized)
	return func(c *catalog, s *session) error {
		is.owner = s.user
		if err := c.create(o, is, s); err != nil {
			return err
		}
		for other, what := range also {
			what.owner = s.user
			c.objects[other] = what
		}
		return nil
	}, err
}

// comesWith is what is made beside an object: the storage of a materialized view, the function of a model.
func (p *parser) comesWith(o object, materialized bool) (map[object]fact, error) {
	also := map[object]fact{}
	if materialized {
		also[object{kind: "table", schema: o.schema, name: "mv_tbl__" + o.name + "__0"}] = fact{storage: true}
	}
	for o.kind == "model" && !p.done() {
		if !p.take("function") {
			p.at++
			continue
		}
		f, err := p.object("table") // which has no arguments here
		if err != nil {
			return nil, err
		}
		f.kind, f.arguments = "function", "integer"
		also[f] = fact{language: modelLanguage}
	}
	p.rest()
	return also, nil
}

func (c *catalog) create(o object, is fact, s *session) error {
	if err := c.mayCreate(o, s.user); err != nil {
		return err
	}
	if _, ok := c.objects[o]; ok {
		return raise("42P07", "%s %q already exists", o.kind, o.name)
	}
	switch o.kind {
	case "procedure":
		is.language = "plpgsql"
	case "function":
		is.language = "sql"
	}
	c.objects[o] = is
	for d, option := range c.defaults {
		if d.owner == s.user && d.objects == o.kind+"s" && (d.schema == "" || d.schema == o.schema) {
			c.grants[acl{grantee: d.grantee, privilege: d.privilege, object: o}] = option
		}
	}
	return nil
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
	if c.users[name].super || o.schema != "" && c.objects[in].owner == name || granted {
		return nil
	}
	return denied("permission denied for schema %s", o.schema)
}

// known finds an object that statements may name. What a materialized view keeps its rows in is not one: that Redshift
// refuses it is a guess, and with which code (?).
func (c *catalog) known(o object) error {
	switch is, ok := c.objects[o]; {
	case !ok:
		return missing(o.kind, o.name)
	case is.storage:
		return raise("42809", "%q is internal to a materialized view", o.name)
	}
	return nil
}

func alterOwner(p *parser) (action, error) {
	kind, ok := readKind(p)
	if !ok || kind == "model" || kind == "datashare" {
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
		if err := c.known(o); err != nil {
			return err
		}
		if _, ok := c.users[to]; !ok {
			return missing("user", to)
		}
		from := c.objects[o].owner
		c.own(o, to)
		if storage := (object{kind: "table", schema: o.schema, name: "mv_tbl__" + o.name + "__0"}); c.objects[storage].storage {
			c.own(storage, to)
		}
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

func (c *catalog) own(o object, owner string) {
	is := c.objects[o]
	is.owner = owner
	c.objects[o] = is
}

func dropObject(p *parser) (action, error) {
	kind, ok := readKind(p)
	if !ok {
		return nil, unknown(p.source)
	}
	if kind == "view" {
		kind = "table"
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
func (c *catalog) every(o object, scope string) []string {
	switch {
	case scope == "TABLES", scope == "" && o.kind == "table":
		return []string{"SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "RULE", "TRIGGER", "DROP", "ALTER", "TRUNCATE"}
	case c.objects[o].external:
		return []string{"USAGE"}
	case scope == "SCHEMAS", scope == "" && o.kind == "schema":
		return []string{"CREATE", "USAGE", "ALTER", "DROP"}
	case scope == "FUNCTIONS", scope == "PROCEDURES", scope == "" && slices.Contains([]string{"function", "procedure", "model"}, o.kind):
		return []string{"EXECUTE"}
	case scope == "COPY JOBS":
		return []string{"CREATE", "ALTER", "DROP"}
	case o.kind == "datashare":
		return []string{"ALTER", "SHARE"}
	case scope == "" && o.kind == "database":
		return []string{"CREATE", "TEMP", "USAGE", "ALTER"}
	}
	return []string{"USAGE"}
}

// applies says whether a privilege can be granted. RULE and TRIGGER cannot by name.
func (c *catalog) applies(l listedPrivilege, o object, scope string) bool {
	switch {
	case l.column != "" && (o.kind != "table" || l.name != "SELECT" && (l.name != "UPDATE" || c.objects[o].view)):
		return false
	case c.objects[o].language == modelLanguage, o.kind == "language" && o.name == modelLanguage && l.name != createModel:
		return false // the model's are
	case l.name == createModel:
		return o == object{kind: "language", name: modelLanguage}
	}
	return slices.Contains(c.every(o, scope), l.name) && !strings.Contains("RULE TRIGGER", l.name)
}
