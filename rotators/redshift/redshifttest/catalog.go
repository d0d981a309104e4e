package redshifttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A catalog is everything that the wire-level server knows. A committed catalog is never changed: a transaction
// changes its own copy.
type catalog struct {
	users       map[string]user
	groups      map[string][]string // the members
	roles       map[string]bool
	roleGrants  map[roleGrant]bool // with the admin option
	powers      map[power]bool
	objects     map[object]fact
	grants      map[acl]bool // with the grant option
	defaults    map[defaultACL]bool
	assumed     map[assumed]bool
	attachments map[attachment]bool
}

// A user is a row of pg_user and svv_user_info. It is a value: a changed user is a new one.
type user struct {
	hash            string
	super, createDB bool
	unrestricted    bool
	limit           int // -1 is none
	timeout         int
	validUntil      string
	settings        map[string]string
}

// A roleGrant gives a role to a user or to another role.
type roleGrant struct {
	grantee
	role string
}

// A power is a system privilege of a role.
type power struct{ role, privilege string }

// An object is a database, schema, table (or view), function, procedure, language, model or datashare.
type object struct{ kind, schema, name, arguments string }

// A fact is what is known of an object.
type fact struct {
	owner    string
	view     bool
	storage  bool   // of a materialized view
	external bool   // a schema of another catalog
	language string // of a routine
}

// A grantee is a user, group, role, or public.
type grantee struct{ kind, name string }

// An acl is one privilege on an object, or (with a scope such as TABLES) on all of a kind in it.
type acl struct {
	grantee
	privilege, column, scope string
	object
}

// A defaultACL is one privilege on objects to come.
type defaultACL struct {
	owner, schema, objects, privilege string
	grantee
}

func newCatalog(admin, password string) *catalog {
	c := (&catalog{}).clone()
	c.users[admin] = user{hash: "md5" + md5Hex(password+admin), super: true, createDB: true, unrestricted: true, limit: -1}
	for _, o := range []object{
		{kind: "database", name: "dev"}, {kind: "schema", name: "public"},
		{kind: "language", name: "plpythonu"}, {kind: "language", name: "plpgsql"}, {kind: "language", name: "sql"}, {kind: "language", name: modelLanguage},
	} {
		c.objects[o] = fact{owner: admin}
	}
	return c
}

// clone copies what changes in place. Users and members are replaced, never changed.
func (c *catalog) clone() *catalog {
	return &catalog{
		users: copied(c.users), groups: copied(c.groups), roles: copied(c.roles), roleGrants: copied(c.roleGrants), powers: copied(c.powers),
		objects: copied(c.objects), grants: copied(c.grants), defaults: copied(c.defaults), assumed: copied(c.assumed), attachments: copied(c.attachments),
	}
}

func copied[K comparable, V any](m map[K]V) map[K]V {
	all := make(map[K]V, len(m))
	maps.Copy(all, m)
	return all
}

// dropUser forgets a user with all that is about it.
func (c *catalog) dropUser(name string) {
	delete(c.users, name)
	for g, members := range c.groups {
		c.groups[g] = slices.DeleteFunc(slices.Clone(members), func(m string) bool { return m == name })
	}
	is := grantee{"user", name}
	maps.DeleteFunc(c.roleGrants, func(r roleGrant, _ bool) bool { return r.grantee == is })
	maps.DeleteFunc(c.grants, func(a acl, _ bool) bool { return a.grantee == is })
	maps.DeleteFunc(c.assumed, func(a assumed, _ bool) bool { return a.grantee == is })
	maps.DeleteFunc(c.attachments, func(a attachment, _ bool) bool { return a.grantee == is })
	maps.DeleteFunc(c.defaults, func(d defaultACL, _ bool) bool { return d.grantee == is || d.owner == name })
	for o, f := range c.objects {
		if f.owner == name {
			c.dropObject(o)
		}
	}
}

// dropObject forgets an object with all that is about it and in it.
func (c *catalog) dropObject(o object) {
	storage := object{kind: "table", schema: o.schema, name: "mv_tbl__" + o.name + "__0"}
	gone := func(other object) bool {
		return other == o || o.kind == "schema" && other.schema == o.name || other == storage && c.objects[other].storage
	}
	maps.DeleteFunc(c.objects, func(other object, _ fact) bool { return gone(other) })
	maps.DeleteFunc(c.grants, func(a acl, _ bool) bool { return gone(a.object) })
	maps.DeleteFunc(c.attachments, func(a attachment, _ bool) bool { return gone(a.object) })
	maps.DeleteFunc(c.defaults, func(d defaultACL, _ bool) bool { return o.kind == "schema" && d.schema == o.name })
}

// dropAll forgets everything whose name contains a text.
func (c *catalog) dropAll(containing string) {
	for o := range c.objects {
		if strings.Contains(o.name, containing) {
			c.dropObject(o)
		}
	}
	for name := range c.users {
		if strings.Contains(name, containing) {
			c.dropUser(name)
		}
	}
	maps.DeleteFunc(c.groups, func(name string, _ []string) bool { return strings.Contains(name, containing) })
	maps.DeleteFunc(c.roles, func(name string, _ bool) bool { return strings.Contains(name, containing) })
	maps.DeleteFunc(c.roleGrants, func(r roleGrant, _ bool) bool { return strings.Contains(r.role+r.name, containing) })
	maps.DeleteFunc(c.powers, func(p power, _ bool) bool { return strings.Contains(p.role, containing) })
}

// holdings are what a user has, one line each. The user is "me" in them.
func (c *catalog) holdings(name string) []string {
	u, ok := c.users[name]
	if !ok {
		return nil
	}
	lines := []string{fmt.Sprintf("super %v, createdb %v, unrestricted %v, limit %d, timeout %d, until %q",
		u.super, u.createDB, u.unrestricted, u.limit, u.timeout, u.validUntil)}
	for k, v := range u.settings {
		lines = append(lines, fmt.Sprintf("setting %s = %s", k, v))
	}
	for g, members := range c.groups {
		if slices.Contains(members, name) {
			lines = append(lines, "group "+g)
		}
	}
	is := grantee{"user", name}
	for r, admin := range c.roleGrants {
		if r.grantee == is {
			lines = append(lines, fmt.Sprintf("role %s, admin %v", r.role, admin))
		}
	}
	me := func(n string) string {
		if n == name {
			return "me"
		}
		return n
	}
	for a, option := range c.grants {
		if a.grantee == is {
			lines = append(lines, fmt.Sprintf("%s(%s) on %s %v, option %v", a.privilege, a.column, a.scope, a.object, option))
		}
	}
	for d, option := range c.defaults {
		if d.grantee == is || d.owner == name {
			lines = append(lines, fmt.Sprintf("default %s on %s in %q of %s to %s %s, option %v",
				d.privilege, d.objects, d.schema, me(d.owner), d.kind, me(d.name), option))
		}
	}
	for a := range c.assumed {
		if a.grantee == is {
			lines = append(lines, fmt.Sprintf("assumes %s for %s", a.arn, a.command))
		}
	}
	for a := range c.attachments {
		if a.grantee == is {
			a.grantor, a.grantee = "", grantee{}
			lines = append(lines, fmt.Sprintf("attached %v", a))
		}
	}
	for o, f := range c.objects {
		if f.owner == name {
			lines = append(lines, fmt.Sprintf("owns %v", o))
		}
	}
	slices.Sort(lines)
	return lines
}
