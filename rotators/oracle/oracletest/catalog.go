package oracletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A catalog is everything that the server knows.
type catalog struct {
	users    map[string]*user
	profiles map[string]*profile
	roles    map[string]bool
	objects  map[key]*object
	system   map[systemGrant]bool // with the admin option
	granted  map[roleGrant]*roleHeld
	object   map[objectGrant]*objectOption
	schema   map[schemaGrant]bool // with the admin option
	clock    time.Time            // moves on with each question
}

// A user is a row of DBA_USERS.
type user struct {
	password, rollover  string // rollover is the old one that still works
	history             []string
	authentication      string
	profile             string
	tablespace, temp    string
	quotas              map[string]string
	defaults            map[string]bool // roles; nil is all
	locked, timed       bool
	expired, maintained bool
	common              bool
	failed              int
	proxies             []string
	created, lockDate   string
}

// A profile is what of the limits the server heeds. Zero is no limit.
type profile struct {
	failedLogins, reuseMax, sessions int
	rollover                         int // days
	verify                           bool
}

type key struct{ owner, name string }

type object struct {
	kind                                   string // as OBJECT_TYPE has it
	generated, secondary, nested, external bool
	on                                     []key // what a view is made of
	stale                                  bool  // that has changed since the view was used
}

type schemaGrant struct{ grantee, privilege, schema string }

type systemGrant struct{ grantee, privilege string }

type roleGrant struct{ grantee, role string }

type roleHeld struct{ admin, delegate bool }

type objectGrant struct {
	grantee, privilege, column string
	on                         key
	grantor                    string
}

type objectOption struct{ grantable, hierarchy bool }

// privileges are the system privileges of all releases.
var privileges = []string{"CREATE SESSION", "CREATE TABLE", "CREATE VIEW", "CREATE SEQUENCE", "CREATE PROCEDURE", "CREATE USER", "ALTER USER", "DROP USER", "CREATE ROLE",
	"CREATE PROFILE", "UNLIMITED TABLESPACE", "SELECT ANY TABLE", "SELECT ANY DICTIONARY", "GRANT ANY PRIVILEGE", "GRANT ANY ROLE", "GRANT ANY OBJECT PRIVILEGE", "CREATE JOB", schemaPrivilege}

// schemaPrivilege is of release 23.
const schemaPrivilege = "GRANT ANY SCHEMA PRIVILEGE"

// everything are the system privileges that the server knows.
func (c Config) everything() []string {
	if c.since("23") {
		return privileges
	}
	return privileges[:len(privileges)-1]
}

const adminName = "ADMIN"

func newCatalog(config Config, password string) *catalog {
	c := &catalog{users: map[string]*user{}, profiles: map[string]*profile{"DEFAULT": {}}, roles: map[string]bool{"DBA": true, "SELECT_CATALOG_ROLE": true, "RESOURCE": true, "DV_ACCTMGR": true},
		objects: map[key]*object{}, system: map[systemGrant]bool{}, granted: map[roleGrant]*roleHeld{}, object: map[objectGrant]*objectOption{}, schema: map[schemaGrant]bool{}, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, name := range []string{"SYS", "SYSTEM", "PUBLIC", adminName} {
		c.users[name] = &user{password: password, authentication: "PASSWORD", profile: "DEFAULT", tablespace: "USERS", temp: "TEMP", quotas: map[string]string{}, maintained: name != adminName, created: c.now()}
	}
	c.objects[key{"SYS", "V_$SESSION"}] = &object{kind: "VIEW"}
	c.objects[key{"SYS", "DBMS_CRYPTO"}] = &object{kind: "PACKAGE"}
	c.objects[key{"SYS", "EXPORTS"}] = &object{kind: "DIRECTORY"}
	for _, p := range config.everything() {
		c.system[systemGrant{"SYS", p}] = true
		if !config.RDS || !strings.HasPrefix(p, "GRANT ANY ") || p == "GRANT ANY OBJECT PRIVILEGE" {
			c.system[systemGrant{"DBA", p}] = true
		}
	}
	c.granted[roleGrant{adminName, "DBA"}] = &roleHeld{admin: true}
	c.granted[roleGrant{"DBA", "SELECT_CATALOG_ROLE"}] = &roleHeld{admin: true}
	if !config.RDS { // GRANT ANY OBJECT PRIVILEGE is not for what is SYS's
		c.object[objectGrant{adminName, "SELECT", "", key{"SYS", "V_$SESSION"}, "SYS"}] = &objectOption{grantable: true}
		c.object[objectGrant{adminName, "EXECUTE", "", key{"SYS", "DBMS_CRYPTO"}, "SYS"}] = &objectOption{grantable: true}
	}
	if config.RDS {
		c.users["RDSADMIN"] = &user{authentication: "PASSWORD", profile: "DEFAULT", maintained: true, created: c.now()}
		c.object[objectGrant{adminName, "SELECT", "", key{"SYS", "V_$SESSION"}, "SYS"}] = &objectOption{}
		c.object[objectGrant{adminName, "EXECUTE", "", key{"SYS", "DBMS_CRYPTO"}, "SYS"}] = &objectOption{}
		c.object[objectGrant{adminName, "READ", "", key{"SYS", "EXPORTS"}, "SYS"}] = &objectOption{grantable: true}
	}
	return c
}

// now is the time; each is a minute later.
func (c *catalog) now() string {
	c.clock = c.clock.Add(time.Minute)
	return c.clock.Format(time.DateTime)
}

// defaultRoles are those that a user has from the login on, with the roles in
// them.
func (c *catalog) defaultRoles(name string) map[string]bool {
	all := map[string]bool{}
	var add func(grantee string)
	add = func(grantee string) {
		for g := range c.granted {
			if g.grantee == grantee && !all[g.role] && (grantee != name || c.users[name].defaults == nil || c.users[name].defaults[g.role]) {
				all[g.role] = true
				add(g.role)
			}
		}
	}
	add(name)
	return all
}

// holders are who has a session's rights: its user, its roles, PUBLIC.
func holders(name string, roles map[string]bool) []string {
	return append(slices.Sorted(maps.Keys(roles)), name, "PUBLIC")
}

// holds reports whether a session has a system privilege.
func (c *catalog) holds(name string, roles map[string]bool, privilege string) bool {
	return slices.ContainsFunc(holders(name, roles), func(h string) bool {
		_, ok := c.system[systemGrant{h, privilege}]
		return ok
	})
}

// may reports whether a session may use an object by one of several privileges.
// A grant on a column is enough only if the column is named.
func (c *catalog) may(s *session, on key, column string, privileges ...string) bool {
	if s.user == on.owner || s.user == "SYS" {
		return true
	}
	for g := range c.object {
		if g.on == on && slices.Contains(privileges, g.privilege) && (g.column == "" || g.column == column) && slices.Contains(holders(s.user, s.roles), g.grantee) {
			return true
		}
	}
	if on.owner == "SYS" || !slices.Contains(privileges, "SELECT") {
		return false
	}
	if _, ok := c.schema[schemaGrant{s.user, "SELECT ANY TABLE", on.owner}]; ok {
		return true
	}
	return c.holds(s.user, s.roles, "SELECT ANY TABLE")
}

// sees reports whether an object is there to a session.
func (c *catalog) sees(s *session, on key) bool {
	if c.objects[on] == nil {
		return false
	}
	for g := range c.object {
		if g.on == on && slices.Contains(holders(s.user, s.roles), g.grantee) {
			return true
		}
	}
	return c.may(s, on, "", "SELECT")
}

// compiles reports whether what a view is made of is there, and its owner may read
// it: what comes by a role does not count.
func (c *catalog) compiles(k key) bool {
	for _, base := range c.objects[k].on {
		if c.objects[base] == nil || !c.compiles(base) || !c.may(&session{user: k.owner}, base, "", "SELECT", "READ") {
			return false
		}
	}
	return true
}

// refuse is what a session is told that may not do something with an object.
func (c *catalog) refuse(s *session, on key) *sqlError {
	if c.sees(s, on) {
		return denied()
	}
	return invisible()
}

// dropUser forgets a user with all that is about it.
func (c *catalog) dropUser(name string) {
	delete(c.users, name)
	maps.DeleteFunc(c.system, func(g systemGrant, _ bool) bool { return g.grantee == name })
	maps.DeleteFunc(c.granted, func(g roleGrant, _ *roleHeld) bool { return g.grantee == name })
	maps.DeleteFunc(c.objects, func(k key, _ *object) bool { return k.owner == name })
	maps.DeleteFunc(c.object, func(g objectGrant, _ *objectOption) bool { return g.grantee == name || g.on.owner == name })
}

// State is all that the server keeps, passwords too, as a text: the same as long as
// nothing was changed.
func (s *Server) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.catalog
	lines := []string{fmt.Sprintln(c.roles, c.system, c.schema)}
	for name, u := range c.users {
		lines = append(lines, fmt.Sprintf("%s %+v", name, *u))
	}
	for name, p := range c.profiles {
		lines = append(lines, fmt.Sprintf("%s %+v", name, *p))
	}
	for k, o := range c.objects {
		lines = append(lines, fmt.Sprintf("%v %+v", k, *o))
	}
	for g, held := range c.granted {
		lines = append(lines, fmt.Sprintf("%v %+v", g, *held))
	}
	for g, o := range c.object {
		lines = append(lines, fmt.Sprintf("%v %+v", g, *o))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Holdings are what a user has, one line each, sorted: for tests that look behind
// the views.
func (s *Server) Holdings(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.catalog
	u := c.users[name]
	if u == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("profile %s, tablespaces %s %s, locked %v", u.profile, u.tablespace, u.temp, u.locked)}
	for t, n := range u.quotas {
		lines = append(lines, "quota "+n+" on "+t)
	}
	for g, admin := range c.system {
		if g.grantee == name {
			lines = append(lines, fmt.Sprintf("%s, admin %v", g.privilege, admin))
		}
	}
	on := c.defaultRoles(name)
	for g, h := range c.granted {
		if g.grantee == name {
			lines = append(lines, fmt.Sprintf("role %s, admin %v, delegate %v, default %v", g.role, h.admin, h.delegate, on[g.role]))
		}
	}
	for g, admin := range c.schema {
		if g.grantee == name {
			lines = append(lines, fmt.Sprintf("%s on schema %s, admin %v", g.privilege, g.schema, admin))
		}
	}
	for g, o := range c.object {
		if g.grantee == name {
			lines = append(lines, fmt.Sprintf("%s(%s) on %s.%s, grantable %v, hierarchy %v", g.privilege, g.column, g.on.owner, g.on.name, o.grantable, o.hierarchy))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
