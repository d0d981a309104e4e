package documentdbtest

import (
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A resource is what a privilege is for. Without a database it is every database, without a collection every collection.
type resource struct {
	db, collection string
	cluster        bool
}

// A privilege allows actions on a resource.
type privilege struct {
	on      resource
	actions []string
}

// A definition is what a role gives: privileges of its own, and other roles.
type definition struct {
	privileges []privilege
	roles      []identity
}

// The actions of the built-in roles, as far as a rotation meets them.
// Source: MongoDB manual, "Built-In Roles in Self-Managed Deployments". DocumentDB has no role userAdmin ("Database access
// using Role-Based Access Control").
const (
	reading    = "changeStream collStats dbHash dbStats find killCursors listCollections listIndexes planCacheRead"
	writing    = reading + " convertToCapped createCollection createIndex dropCollection dropIndex insert remove renameCollectionSameDB update"
	dbAdmin    = "bypassDocumentValidation collMod collStats compact createCollection createIndex dbStats dropCollection dropDatabase dropIndex enableProfiler listCollections listIndexes validate"
	userAdmin  = "changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole setAuthenticationRestriction viewRole viewUser"
	onCluster  = "authSchemaUpgrade invalidateUserCache listDatabases viewUser"
	clusterAll = onCluster + " addShard replSetGetStatus serverStatus shutdown"
)

// builtIn are the privileges of a built-in role. Those of the "AnyDatabase" roles exist in the database admin alone.
func builtIn(r identity) ([]privilege, bool) {
	here, all, cluster := resource{db: r.database}, resource{}, resource{cluster: true}
	one := func(on resource, actions string) privilege { return privilege{on, strings.Fields(actions)} }
	switch r.name {
	case "read":
		return []privilege{one(here, reading)}, true
	case "readWrite":
		return []privilege{one(here, writing)}, true
	case "dbAdmin":
		return []privilege{one(here, dbAdmin)}, true
	}
	if r.database != "admin" {
		return nil, false
	}
	switch r.name {
	case "readAnyDatabase":
		return []privilege{one(all, reading)}, true
	case "readWriteAnyDatabase":
		return []privilege{one(all, writing)}, true
	case "userAdminAnyDatabase":
		return []privilege{one(all, userAdmin), one(cluster, onCluster)}, true
	case "root":
		return []privilege{one(all, writing), one(all, dbAdmin), one(all, userAdmin), one(cluster, clusterAll)}, true
	}
	return nil, false
}

func (c *cluster) roleExists(r identity) bool {
	_, ok := builtIn(r)
	_, made := c.roles[r]
	return ok || made
}

// inherited are roles with all that they include.
func (c *cluster) inherited(roles []identity) (all []identity) {
	for todo := slices.Clone(roles); len(todo) > 0; todo = todo[1:] {
		if !slices.Contains(all, todo[0]) {
			all = append(all, todo[0])
			todo = append(todo, c.roles[todo[0]].roles...)
		}
	}
	return all
}

// privileges are what the session's user may do now.
func (s *session) privileges() (all []privilege) {
	a := s.users[s.user]
	if a == nil {
		return nil
	}
	for _, r := range s.inherited(a.roles) {
		p, _ := builtIn(r)
		all = append(append(all, p...), s.roles[r].privileges...)
	}
	return all
}

// may tells whether the session's user may take an action.
func (s *session) may(action string, on resource) bool {
	return slices.ContainsFunc(s.privileges(), func(p privilege) bool {
		covers := p.on.cluster == on.cluster && (p.on.db == "" || p.on.db == on.db) && (p.on.collection == "" || p.on.collection == on.collection)
		return covers && slices.Contains(p.actions, action)
	})
}

// require refuses a command whose session may not take an action on a database.
func (s *session) require(action, database string) error {
	return s.requireOn(action, resource{db: database})
}

func (s *session) requireOn(action string, on resource) error {
	if s.may(action, on) {
		return nil
	}
	return s.notAuthorized()
}

// notAuthorized says what DocumentDB says, as people have shown it (issue 11800 of Automattic/mongoose, issue 486 of
// rwynn/monstache, both on GitHub).
func (s *session) notAuthorized() error { return unauthorized("Authorization failure") }

func (s *session) createRole() (bson.D, error) {
	if err := s.fields(nil, "roles", "privileges"); err != nil {
		return nil, err
	}
	if err := s.require("createRole", s.current.database); err != nil {
		return nil, err
	}
	roles, err := s.roleList()
	if err != nil {
		return nil, err
	}
	r := definition{roles: roles}
	list, _ := get[bson.A](s.current.command, "privileges")
	for _, v := range list {
		d, _ := v.(bson.D)
		on, _ := get[bson.D](d, "resource")
		var p privilege
		p.on.db, _ = get[string](on, "db")
		p.on.collection, _ = get[string](on, "collection")
		p.actions = texts(d, "actions")
		for _, own := range []string{"changeOwnPassword", "changeOwnCustomData"} {
			if slices.Contains(p.actions, own) { // not among the actions of "Database access using Role-Based Access Control"
				return nil, badValue("Unrecognized action privilege string: %s", own)
			}
		}
		r.privileges = append(r.privileges, p)
	}
	name := identity{s.argument(), s.current.database}
	if s.roleExists(name) {
		return nil, fail(51002, "Location51002", "Role \"%s@%s\" already exists", name.name, name.database)
	}
	s.roles[name] = r
	return succeed(), nil
}

func (s *session) dropRole() (bson.D, error) {
	if err := s.require("dropRole", s.current.database); err != nil {
		return nil, err
	}
	name := identity{s.argument(), s.current.database}
	if _, ok := s.roles[name]; !ok {
		return nil, notFound(name)
	}
	delete(s.roles, name)
	return succeed(), nil
}

func notFound(r identity) error {
	return fail(31, "RoleNotFound", "Could not find role: %s@%s", r.name, r.database)
}

// dropDatabase needs no collection's name.
func (s *session) dropDatabase() (bson.D, error) {
	if err := s.require("dropDatabase", s.current.database); err != nil {
		return nil, err
	}
	for name := range s.collections {
		if strings.HasPrefix(name, s.current.database+".") {
			delete(s.collections, name)
		}
	}
	return succeed(), nil
}

// insert and find are there to use rights, not to keep data well.
func (s *session) insert() (bson.D, error) {
	name := s.argument()
	if err := s.requireOn("insert", resource{db: s.current.database, collection: name}); err != nil {
		return nil, err
	}
	documents, _ := get[bson.A](s.current.command, "documents")
	for _, v := range documents {
		if d, ok := v.(bson.D); ok {
			key := s.current.database + "." + name
			s.collections[key] = append(s.collections[key], d)
		}
	}
	return succeed(bson.E{Key: "n", Value: int32(len(documents))}), nil
}

func (s *session) find() (bson.D, error) {
	name := s.argument()
	if err := s.requireOn("find", resource{db: s.current.database, collection: name}); err != nil {
		return nil, err
	}
	batch := bson.A{}
	for _, d := range s.collections[s.current.database+"."+name] {
		batch = append(batch, d)
	}
	return succeed(bson.E{Key: "cursor", Value: bson.D{
		{Key: "id", Value: int64(0)}, {Key: "ns", Value: s.current.database + "." + name}, {Key: "firstBatch", Value: batch}}}), nil
}
