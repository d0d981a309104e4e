package postgrestest

import (
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"
)

// A catalog is everything that the wire-level server knows: roles, their memberships and settings, and databases.
// A committed catalog is never changed: a transaction changes its own copy.
type catalog struct {
	roles       map[string]*role
	memberships []membership
	settings    map[settingScope]map[string]string
	databases   map[string]*database
	nextOID     uint32
}

// A role is a row of pg_authid. It is a value: a changed role is a new one.
type role struct {
	oid         uint32
	name        string
	super       bool
	inherit     bool
	createRole  bool
	createDB    bool
	login       bool
	replication bool
	bypassRLS   bool
	limit       int
	validUntil  pgtype.Timestamptz
	verifier    string // empty: no password
}

// A membership is a row of pg_auth_members. A member may hold the same role from several grantors.
type membership struct {
	role, member, grantor string
	admin, inherit, set   bool
}

// A settingScope is what a row of pg_db_role_setting is about. Empty names mean all.
type settingScope struct{ role, database string }

// A database is a row of pg_database.
type database struct {
	oid   uint32
	name  string
	owner string
}

// firstOID is where PostgreSQL starts to number what users make (FirstNormalObjectId); the bootstrap superuser is 10.
const (
	firstOID     = 16384
	bootstrapOID = 10
)

// newCatalog holds one superuser and the database postgres.
func newCatalog(admin, password string, asMD5 bool) *catalog {
	c := &catalog{
		roles:     map[string]*role{},
		settings:  map[settingScope]map[string]string{},
		databases: map[string]*database{},
		nextOID:   firstOID,
	}
	c.roles[admin] = &role{
		oid: bootstrapOID, name: admin, limit: -1, verifier: verifier(password, admin, asMD5),
		super: true, inherit: true, createRole: true, createDB: true, login: true, replication: true, bypassRLS: true,
	}
	c.databases["postgres"] = &database{oid: 5, name: "postgres", owner: admin}
	return c
}

// clone copies what changes in place. Roles and databases are values that are replaced, never changed.
func (c *catalog) clone() *catalog {
	copied := *c
	copied.roles = maps.Clone(c.roles)
	copied.memberships = slices.Clone(c.memberships)
	copied.databases = maps.Clone(c.databases)
	copied.settings = map[settingScope]map[string]string{}
	for scope, values := range c.settings {
		copied.settings[scope] = maps.Clone(values)
	}
	return &copied
}

func (c *catalog) newOID() uint32 {
	c.nextOID++
	return c.nextOID
}

// bootstrap is the superuser that initdb makes, the grantor of all that superusers grant.
func (c *catalog) bootstrap() string {
	for _, r := range c.roles {
		if r.oid == bootstrapOID {
			return r.name
		}
	}
	panic("the bootstrap superuser is gone") // DROP ROLE refuses it
}

func (c *catalog) isSuper(name string) bool { return c.roles[name] != nil && c.roles[name].super }

// reaches says whether a chain of memberships that all pass the filter leads from a member to a role.
func (c *catalog) reaches(member, role string, filter func(membership) bool) bool {
	seen := map[string]bool{member: true}
	for queue := []string{member}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == role {
			return true
		}
		for _, m := range c.memberships {
			if m.member == queue[0] && !seen[m.role] && filter(m) {
				seen[m.role] = true
				queue = append(queue, m.role)
			}
		}
	}
	return false
}

func anyMembership(membership) bool { return true }

// isMember says whether a role is, directly or not, a member of another, or that one itself.
func (c *catalog) isMember(member, role string) bool { return c.reaches(member, role, anyMembership) }

// maySet is the rule of SET ROLE: superusers, and members with the SET option.
func (c *catalog) maySet(member, role string) bool {
	return c.isSuper(member) || c.reaches(member, role, func(m membership) bool { return m.set })
}

// isAdmin says whether a role may administer another, by an ADMIN option of its own or of a role it is a member of.
func (c *catalog) isAdmin(member, role string) bool {
	if c.isSuper(member) {
		return true
	}
	return slices.ContainsFunc(c.memberships, func(m membership) bool {
		return m.role == role && m.admin && c.isMember(member, m.member)
	})
}

// dropMemberships forgets who is a member of a role, and what that role is a member of.
func (c *catalog) dropMemberships(name string) {
	c.memberships = slices.DeleteFunc(c.memberships, func(m membership) bool {
		return m.role == name || m.member == name
	})
}

// dropRole forgets a role with all that is about it. Whether it may be dropped is the caller's question.
func (c *catalog) dropRole(name string) {
	delete(c.roles, name)
	c.dropMemberships(name)
	maps.DeleteFunc(c.settings, func(scope settingScope, _ map[string]string) bool { return scope.role == name })
}

// effectiveSettings are the settings that a new session starts with, by the precedence of ALTER ROLE's manual page:
// role and database, role, database, all.
func (c *catalog) effectiveSettings(role, database string) map[string]string {
	effective := map[string]string{}
	for _, scope := range []settingScope{{}, {database: database}, {role: role}, {role: role, database: database}} {
		maps.Copy(effective, c.settings[scope])
	}
	return effective
}
