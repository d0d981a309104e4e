package sqlservertest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
)

// A catalog is all that the server keeps. The server's lock guards it.
type catalog struct {
	last        int // identifier given
	principals  []*login
	permissions []*permission
	databases   []*database
	credentials []credential
	links       []link
	possessions []possession
}

// A credential is one of the server's, or of a provider of keys (EKM).
type credential struct {
	name     string
	provider bool
}

// firstCredential is the identifier of the first credential.
const firstCredential = 65536

// credentialID is the identifier of a credential, which is made if there is none.
func (c *catalog) credentialID(name string) int {
	at := slices.IndexFunc(c.credentials, func(o credential) bool { return o.name == name })
	if at < 0 {
		at = len(c.credentials)
		c.credentials = append(c.credentials, credential{name: name})
	}
	return firstCredential + at
}

// A link is a linked server on which a login has a login of its own.
type link struct{ name, login string }

// A possession is what msdb says that a login has: a job, a proxy or a mail
// profile.
type possession struct{ kind, name, login string }

// A login is a principal of the server: a login or a server role.
type login struct {
	id         int
	name       string
	kind       string // S, U or R
	sid        string
	owner      int // of a role
	members    map[int]bool
	fixed      bool
	password   string
	used       []string // passwords before this one
	failures   int
	disabled   bool
	locked     bool
	mustSet    bool // MUST_CHANGE
	expired    bool
	policy     bool
	expiry     bool
	database   string
	language   string
	credential string
	keys       []string // credentials of providers
}

// A database has users, and securables of every class.
type database struct {
	id          int
	name        string
	offline     bool
	readOnly    bool
	contained   bool
	owner       string // a SID
	users       []*user
	entities    []*entity
	triggers    []*trigger
	permissions []*permission
}

// A trigger is one of the whole database, for DDL. Nothing fires it here.
type trigger struct {
	id     int
	name   string
	events []string
}

// A user is a principal of a database: a user or a role.
type user struct {
	id        int
	name      string
	kind      string // S, R or A
	sid       string // of a user's login
	password  string // of a contained user
	contained bool
	loginless bool // WITHOUT LOGIN
	encrypted bool // ALLOW_ENCRYPTED_VALUE_MODIFICATIONS
	schema    string
	language  string
	owner     int
	members   map[int]bool
}

// An entity is a securable of a database.
type entity struct {
	id, class int
	schema    int // of what is in one
	name      string
	owner     int // 0 is the schema's owner, or dbo
	kind      string
	columns   []string
}

// A permission is one row: granted (G), granted with the option (W) or denied
// (D).
type permission struct {
	class, major, minor int
	name                string
	state               byte
	grantee, grantor    int
}

// The principals that every database has.
const (
	public = 0
	dbo    = 1
	guest  = 2
)

func newCatalog(admin, password string) *catalog {
	c := &catalog{last: 300}
	sa := &login{id: 1, name: "sa", kind: "S", sid: "0x01", disabled: true, database: "master", language: "us_english"}
	c.principals = append(c.principals, sa, &login{id: 2, name: "public", kind: "R", fixed: true, members: map[int]bool{}})
	for i, name := range []string{"sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin"} {
		c.principals = append(c.principals, &login{id: i + 3, name: name, kind: "R", fixed: true, owner: 1, members: map[int]bool{}})
	}
	for _, name := range []string{"master", "model", "msdb"} {
		c.addDatabase(name, "0x01")
	}
	boss := c.addLogin(admin, password)
	c.login("sysadmin").members[boss.id] = true
	c.permissions = append(c.permissions, &permission{class: classServer, name: "VIEW ANY DATABASE", state: 'G', grantee: c.login("public").id, grantor: 1})
	return c
}

// firstFixed is the identifier of the first fixed role of each database.
// Source: sys.database_principals of a new database.
const firstFixed = 16384

// isFixed reports whether an identifier is that of a fixed role.
func isFixed(id int) bool { return id >= firstFixed && id < firstFixed+len(fixedRoles) }

// next is an identifier that nothing has: a busy server comes to those of the
// fixed roles, and passes over them.
func (c *catalog) next() int {
	c.last++
	if c.last == firstFixed {
		c.last += len(fixedRoles)
	}
	return c.last
}

func (c *catalog) addLogin(name, password string) *login {
	l := &login{id: c.next(), name: name, kind: "S", sid: newSID(), password: password, database: "master", language: "us_english", policy: true}
	c.principals = append(c.principals, l)
	c.permissions = append(c.permissions, &permission{class: classServer, name: "CONNECT SQL", state: 'G', grantee: l.id, grantor: 1})
	return l
}

func newSID() string {
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("0x%X", b)
}

func (c *catalog) addDatabase(name, owner string) *database {
	d := &database{id: c.next(), name: name, owner: owner}
	for id, name := range []string{"public", "dbo", "guest"} {
		d.users = append(d.users, &user{id: id, name: name, kind: "S", schema: "dbo"})
	}
	d.users[public].kind, d.users[public].members = "R", map[int]bool{}
	d.users[dbo].sid = owner
	for i, name := range fixedRoles {
		d.users = append(d.users, &user{id: firstFixed + i, name: name, kind: "R", owner: dbo, members: map[int]bool{}})
	}
	d.entities = append(d.entities, &entity{id: 1, class: classSchema, name: "dbo", owner: dbo})
	c.databases = append(c.databases, d)
	return d
}

var fixedRoles = []string{"db_owner", "db_accessadmin", "db_securityadmin", "db_ddladmin", "db_datareader", "db_datawriter", "db_denydatareader", "db_denydatawriter"}

// login finds a login or a server role; nil is none. Names are case-insensitive,
// as the usual collations are.
func (c *catalog) login(name string) *login {
	for _, l := range c.principals {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

func (c *catalog) loginByID(id int) *login {
	for _, l := range c.principals {
		if l.id == id {
			return l
		}
	}
	return &login{}
}

func (c *catalog) database(name string) *database {
	for _, d := range c.databases {
		if strings.EqualFold(d.name, name) {
			return d
		}
	}
	return nil
}

// user finds a user or a role; nil is none.
func (d *database) user(name string) *user {
	for _, u := range d.users {
		if strings.EqualFold(u.name, name) {
			return u
		}
	}
	return nil
}

func (d *database) userByID(id int) *user {
	for _, u := range d.users {
		if u.id == id {
			return u
		}
	}
	return &user{}
}

func (d *database) bySID(sid string) *user {
	for _, u := range d.users {
		if u.sid == sid && u.kind == "S" && !u.contained && !u.loginless {
			return u
		}
	}
	return nil
}

func (d *database) schema(name string) *entity { return d.entity(classSchema, 0, name) }

func (d *database) entity(class, schema int, name string) *entity {
	for _, e := range d.entities {
		if e.class == class && e.schema == schema && strings.EqualFold(e.name, name) {
			return e
		}
	}
	return nil
}

func (d *database) entityByID(class, id int) *entity {
	for _, e := range d.entities {
		if e.class == class && e.id == id {
			return e
		}
	}
	return nil
}

// drop removes a principal with its memberships and permissions.
func (d *database) drop(u *user) {
	d.users = slices.DeleteFunc(d.users, func(o *user) bool { return o == u })
	for _, o := range d.users {
		delete(o.members, u.id)
	}
	d.permissions = slices.DeleteFunc(d.permissions, func(p *permission) bool {
		return p.grantee == u.id || p.class == classPrincipal && p.major == u.id
	})
}

func (c *catalog) drop(l *login) {
	c.principals = slices.DeleteFunc(c.principals, func(o *login) bool { return o == l })
	for _, o := range c.principals {
		delete(o.members, l.id)
	}
	c.permissions = slices.DeleteFunc(c.permissions, func(p *permission) bool {
		return p.grantee == l.id || p.class == classLogin && p.major == l.id
	})
}
