package documentdb_test

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// An exchange is a command and who sends it: "" is a client that never logged in.
type exchange struct {
	as, database string
	command      bson.D
}

// conversation has every command that Rotor sends, in the forms in which it sends them, and each in ways that a server
// refuses.
func conversation() []exchange {
	c := &talk{as: "admin", database: "admin"}
	c.introduces()
	c.names()
	c.mechanisms()
	c.asks()
	c.creates()
	c.updates()
	c.moves()
	for _, c.as = range []string{"app", "plain", "keeper", "clerk", ""} {
		c.triesAll()
	}
	c.knocks()
	// Last, what users may do to themselves: the sessions go on.
	for _, c.as = range []string{"app", "plain", "clerk"} {
		c.user("updateUser", c.as, "pwd", c.as+"'s new password")
		c.user("updateUser", c.as, "pwd", c.as+"'s new password", "mechanisms", bson.A{"SCRAM-SHA-1"})
	}
	return c.all
}

// A talk is a conversation under way: who speaks, and about which database.
type talk struct {
	as, database string
	all          []exchange
}

// say adds a command: its name and value, and then those of its other fields.
func (c *talk) say(fields ...any) {
	var command bson.D
	for i := 0; i < len(fields); i += 2 {
		command = append(command, bson.E{Key: fields[i].(string), Value: fields[i+1]})
	}
	c.all = append(c.all, exchange{c.as, c.database, command})
}

// user is say for a command about a user or a role.
func (c *talk) user(command, name string, more ...any) {
	c.say(append([]any{command, name}, more...)...)
}

func (c *talk) look(name string) {
	c.say("usersInfo", bson.D{{Key: "user", Value: name}, {Key: "db", Value: "admin"}})
}

// What roles a user may be given.
var (
	nothing = bson.A{}
	reads   = bson.A{grant("read", "stock")}
	writes  = bson.A{grant("readWrite", "shop")}
	unknown = bson.A{grant("noSuchRole", "admin")}
)

const first = "first password"

// introduces makes those who speak later: app and plain may do nothing to users, keeper administers all users, and clerk a
// little.
func (c *talk) introduces() {
	own := privilege("admin", "", "changeOwnPassword")
	c.user("createRole", "changesItself", "roles", nothing, "privileges", bson.A{own})
	c.user("createRole", "changesItself", "roles", nothing, "privileges", nothing)
	c.user("createRole", "little", "roles", nothing, "privileges", bson.A{privilege("admin", "", "viewUser", "createUser", "changePassword"), privilege("shop", "", "grantRole")})
	c.user("createUser", "app", "pwd", "app's password", "roles", writes)
	c.user("createUser", "plain", "pwd", "plain's password", "roles", reads)
	c.user("createUser", "keeper", "pwd", "keeper's password", "roles", bson.A{grant("userAdminAnyDatabase", "admin")})
	c.user("createUser", "clerk", "pwd", "clerk's password", "roles", bson.A{grant("little", "admin")})
}

func (c *talk) names() {
	for _, name := range []string{`quote"d`, `apo'strophe`, "com,ma=equals", "sp ace", "a@b:c/d", "ünïcødé 漢字", "$dollar", "do.t"} {
		c.user("createUser", name, "pwd", hardPassword, "roles", reads)
		c.look(name)
	}
}

func (c *talk) mechanisms() {
	for _, mechanisms := range []bson.A{{"SCRAM-SHA-1"}, {"SCRAM-SHA-256"}, {"SCRAM-SHA-256", "SCRAM-SHA-1"}, {"PLAIN-TEXT"}, {}} {
		name := fmt.Sprint("with ", mechanisms)
		c.user("createUser", name, "pwd", first, "roles", nothing, "mechanisms", mechanisms)
		c.look(name)
		c.user("updateUser", name, "pwd", "second password")
		c.look(name)
	}
}

// asks changes nothing.
func (c *talk) asks() {
	c.say("isMaster", 1)
	c.say("hello", 1) // the client library's, where a session lasts
	c.say("ping", 1)
	c.say("endSessions", bson.A{})
	c.say("connectionStatus", 1)
	c.say("noSuchCommand", 1)
	c.say("usersInfo", "app")
	c.say("usersInfo", "nobody")
	c.say("usersInfo", "app", "nonsense", 1)
}

func (c *talk) creates() {
	c.user("createUser", "app", "pwd", "another password", "roles", nothing)
	c.user("createUser", "new", "pwd", first)
	c.user("createUser", "new", "roles", nothing)
	c.user("createUser", "new", "pwd", "", "roles", nothing)
	c.user("createUser", "", "pwd", first, "roles", nothing)
	c.user("createUser", "new", "pwd", first, "roles", unknown)
	c.user("createUser", "new", "pwd", first, "roles", bson.A{"noSuchRole"})
	c.user("createUser", "new", "pwd", first, "roles", nothing, "nonsense", 1)
	c.user("createUser", "twice", "pwd", first, "roles", bson.A{grant("read", "shop"), grant("read", "shop")})
	c.look("twice")
}

func (c *talk) updates() {
	c.user("updateUser", "nobody", "pwd", first)
	c.user("updateUser", "app")
	c.user("updateUser", "app", "pwd", "")
	c.user("updateUser", "app", "pwd", first, "nonsense", 1)
	c.user("updateUser", "plain", "roles", unknown)
	c.user("dropUser", "nobody")
	c.user("dropRole", "nobody")
}

func (c *talk) moves() {
	for _, command := range []string{"grantRolesToUser", "revokeRolesFromUser"} {
		c.user(command, "nobody", "roles", reads)
		c.user(command, "app", "roles", nothing)
		c.user(command, "app")
		c.user(command, "app", "roles", unknown)
		c.user(command, "app", "roles", reads, "nonsense", 1)
		for range 2 {
			c.user(command, "app", "roles", reads)
			c.look("app")
		}
	}
}

// triesAll does everything, of which the speaker may do some.
func (c *talk) triesAll() {
	of := "of " + c.as
	c.asks()
	c.look(c.as)
	c.look("plain")
	c.look("nobody")
	c.user("createUser", of, "pwd", first, "roles", nothing)
	c.user("createUser", "in shop "+of, "pwd", first, "roles", writes)
	c.user("createUser", "in stock "+of, "pwd", first, "roles", reads)
	c.user("createUser", of, "pwd", first, "roles", unknown)
	c.user("createUser", of, "pwd", first, "roles", nothing, "nonsense", 1)
	for _, name := range []string{"twice", "nobody"} {
		c.user("updateUser", name, "pwd", "second password")
		c.user("grantRolesToUser", name, "roles", writes)
		c.user("revokeRolesFromUser", name, "roles", writes)
	}
	c.user("dropUser", of)
	c.user("dropUser", "nobody")
	c.user("createRole", of, "roles", nothing, "privileges", nothing)
	c.user("dropRole", of)
	for _, c.database = range []string{"shop", "stock"} {
		c.say("insert", "things", "documents", bson.A{bson.D{{Key: "_id", Value: of}}})
		c.say("find", "things")
	}
	c.database = "admin"
}

// knocks begins logins as no client library does.
func (c *talk) knocks() {
	c.say("saslStart", 1, "mechanism", "NO-SUCH", "payload", []byte("n,,n=app,r=abcdefgh"))
	c.say("saslStart", 1, "mechanism", "SCRAM-SHA-1", "payload", []byte("n,,n=nobody,r=abcdefgh"))
	c.say("saslStart", 1, "mechanism", "SCRAM-SHA-1", "payload", []byte("nonsense"))
	c.say("saslContinue", 1, "conversationId", 7, "payload", []byte("nonsense"))
}

// withASecondary is what is said when the server is not the primary any more.
func withASecondary() []exchange {
	c := &talk{as: "admin", database: "admin"}
	c.say("isMaster", 1)
	c.say("connectionStatus", 1)
	c.look("app")
	c.user("createUser", "late", "pwd", first, "roles", nothing)
	c.user("updateUser", "app", "pwd", first)
	c.user("grantRolesToUser", "app", "roles", reads)
	c.user("revokeRolesFromUser", "app", "roles", reads)
	c.say("insert", "things", "documents", bson.A{bson.D{}})
	return c.all
}

// logins are a user, a password and an authentication database.
func logins() [][3]string {
	return [][3]string{
		{"app", "app's new password", "admin"}, {"app", "app's password", "admin"}, {"app", "app's password", "shop"},
		{"clerk", "clerk's new password", "admin"}, {"nobody", "first password", "admin"}, {"quote\"d", hardPassword, "admin"},
		{"com,ma=equals", hardPassword, "admin"}, {"ünïcødé 漢字", hardPassword, "admin"}, {"ünïcødé 漢字", "wrong", "admin"},
	}
}

func privilege(database, collection string, actions ...string) bson.D {
	return bson.D{{Key: "resource", Value: bson.D{{Key: "db", Value: database}, {Key: "collection", Value: collection}}}, {Key: "actions", Value: actions}}
}
