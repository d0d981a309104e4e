package documentdb_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// An exchange is a command and who sends it: "" is a client that never logged in.
type exchange struct {
	as, database string
	command      bson.D
}

// conversation has every command that Rotor sends, in the forms in which it sends them, and each in ways that a server refuses.
func conversation() (all []exchange) {
	as, database := "", "admin"
	say := func(command bson.D) { all = append(all, exchange{as, database, command}) }
	user := func(command, name string, more ...any) bson.D {
		return with(bson.D{{Key: command, Value: name}}, more...)
	}
	none, reads, shop := bson.A{}, bson.A{grant("read", "stock")}, bson.A{grant("readWrite", "shop"), grant("changesItself", "admin")}

	as = "admin"
	say(user("createRole", "changesItself", "roles", none, "privileges", bson.A{privilege("admin", "", "changeOwnPassword")}))
	say(user("createRole", "changesItself", "roles", none, "privileges", none))
	say(user("createRole", "little", "roles", none, "privileges", bson.A{privilege("admin", "", "viewUser", "createUser", "changePassword"), privilege("shop", "", "grantRole")}))
	say(user("createUser", "app", "pwd", "app's password", "roles", shop))
	say(user("createUser", "plain", "pwd", "plain's password", "roles", reads))
	say(user("createUser", "keeper", "pwd", "keeper's password", "roles", bson.A{grant("userAdminAnyDatabase", "admin")}))
	say(user("createUser", "clerk", "pwd", "clerk's password", "roles", bson.A{grant("little", "admin")}))
	for _, name := range []string{`quote"d`, `apo'strophe`, "com,ma=equals", "sp ace", "a@b:c/d", "ünïcødé 漢字", "$dollar", "do.t"} {
		say(user("createUser", name, "pwd", hardPassword, "roles", reads))
		say(bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: name}, {Key: "db", Value: "admin"}}}})
	}
	for _, mechanisms := range []bson.A{{"SCRAM-SHA-1"}, {"SCRAM-SHA-256"}, {"SCRAM-SHA-256", "SCRAM-SHA-1"}, {"PLAIN-TEXT"}, {}} {
		say(user("createUser", fmt.Sprint("with ", mechanisms), "pwd", "first password", "roles", none, "mechanisms", mechanisms))
		say(bson.D{{Key: "usersInfo", Value: fmt.Sprint("with ", mechanisms)}})
		say(user("updateUser", fmt.Sprint("with ", mechanisms), "pwd", "second password"))
		say(bson.D{{Key: "usersInfo", Value: fmt.Sprint("with ", mechanisms)}})
	}
	say(bson.D{{Key: "isMaster", Value: 1}})
	say(bson.D{{Key: "ping", Value: 1}})
	say(bson.D{{Key: "endSessions", Value: bson.A{}}})
	say(bson.D{{Key: "connectionStatus", Value: 1}})
	say(bson.D{{Key: "noSuchCommand", Value: 1}})
	say(bson.D{{Key: "usersInfo", Value: "nobody"}})
	say(bson.D{{Key: "usersInfo", Value: "app"}, {Key: "nonsense", Value: 1}})
	say(user("createUser", "app", "pwd", "another password", "roles", none))
	say(user("createUser", "new", "pwd", "first password"))
	say(user("createUser", "new", "roles", none))
	say(user("createUser", "new", "pwd", "", "roles", none))
	say(user("createUser", "", "pwd", "first password", "roles", none))
	say(user("createUser", "new", "pwd", "first password", "roles", bson.A{grant("noSuchRole", "admin")}))
	say(user("createUser", "new", "pwd", "first password", "roles", bson.A{"noSuchRole"}))
	say(user("createUser", "new", "pwd", "first password", "roles", none, "nonsense", 1))
	say(user("createUser", "twice", "pwd", "first password", "roles", bson.A{grant("read", "shop"), grant("read", "shop")}))
	say(bson.D{{Key: "usersInfo", Value: "twice"}})
	say(user("updateUser", "nobody", "pwd", "first password"))
	say(user("updateUser", "app"))
	say(user("updateUser", "app", "pwd", ""))
	say(user("updateUser", "app", "pwd", "second password", "nonsense", 1))
	say(user("updateUser", "plain", "roles", bson.A{grant("noSuchRole", "admin")}))
	for _, command := range []string{"grantRolesToUser", "revokeRolesFromUser"} {
		say(user(command, "nobody", "roles", reads))
		say(user(command, "app", "roles", none))
		say(user(command, "app"))
		say(user(command, "app", "roles", bson.A{grant("noSuchRole", "admin")}))
		say(user(command, "app", "roles", reads, "nonsense", 1))
		say(user(command, "app", "roles", reads))
		say(bson.D{{Key: "usersInfo", Value: "app"}})
		say(user(command, "app", "roles", reads))
		say(bson.D{{Key: "usersInfo", Value: "app"}})
	}
	say(user("dropUser", "nobody"))
	say(user("dropRole", "nobody"))

	for _, as = range []string{"app", "plain", "keeper", "clerk", ""} {
		say(bson.D{{Key: "connectionStatus", Value: 1}})
		say(bson.D{{Key: "isMaster", Value: 1}})
		say(bson.D{{Key: "noSuchCommand", Value: 1}})
		say(bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: as}, {Key: "db", Value: "admin"}}}})
		say(bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: "plain"}, {Key: "db", Value: "admin"}}}})
		say(bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: "nobody"}, {Key: "db", Value: "admin"}}}})
		say(user("createUser", "of "+as, "pwd", "first password", "roles", none))
		say(user("createUser", "in shop of "+as, "pwd", "first password", "roles", bson.A{grant("readWrite", "shop")}))
		say(user("createUser", "in stock of "+as, "pwd", "first password", "roles", reads))
		say(user("createUser", "of "+as, "pwd", "first password", "roles", bson.A{grant("noSuchRole", "admin")}))
		say(user("createUser", "of "+as, "pwd", "first password", "roles", none, "nonsense", 1))
		say(user("updateUser", "twice", "pwd", "second password"))
		say(user("updateUser", "nobody", "pwd", "second password"))
		say(user("grantRolesToUser", "twice", "roles", bson.A{grant("readWrite", "shop")}))
		say(user("grantRolesToUser", "nobody", "roles", bson.A{grant("readWrite", "shop")}))
		say(user("revokeRolesFromUser", "twice", "roles", bson.A{grant("readWrite", "shop")}))
		say(user("dropUser", "of "+as))
		say(user("dropUser", "nobody"))
		say(user("createRole", "of "+as, "roles", none, "privileges", none))
		say(user("dropRole", "of "+as))
		database = "shop"
		say(bson.D{{Key: "insert", Value: "orders"}, {Key: "documents", Value: bson.A{bson.D{{Key: "_id", Value: "of " + as}}}}})
		say(bson.D{{Key: "find", Value: "orders"}})
		database = "stock"
		say(bson.D{{Key: "insert", Value: "shelves"}, {Key: "documents", Value: bson.A{bson.D{{Key: "_id", Value: "of " + as}}}}})
		say(bson.D{{Key: "find", Value: "shelves"}})
		database = "admin"
	}
	for _, start := range []bson.D{
		{{Key: "saslStart", Value: 1}, {Key: "mechanism", Value: "NO-SUCH"}, {Key: "payload", Value: []byte("n,,n=app,r=abcdefgh")}},
		{{Key: "saslStart", Value: 1}, {Key: "mechanism", Value: "SCRAM-SHA-1"}, {Key: "payload", Value: []byte("n,,n=nobody,r=abcdefgh")}},
		{{Key: "saslStart", Value: 1}, {Key: "mechanism", Value: "SCRAM-SHA-1"}, {Key: "payload", Value: []byte("nonsense")}},
		{{Key: "saslContinue", Value: 1}, {Key: "conversationId", Value: 7}, {Key: "payload", Value: []byte("nonsense")}},
	} {
		say(start)
	}
	// Last, what a user may do to itself: the sessions go on.
	for _, as = range []string{"app", "plain", "clerk"} {
		say(user("updateUser", as, "pwd", as+"'s new password"))
		say(user("updateUser", as, "pwd", as+"'s new password", "mechanisms", bson.A{"SCRAM-SHA-1"}))
	}
	return all
}

// withASecondary is what is said when the server is not the primary any more.
func withASecondary() (all []exchange) {
	for _, command := range []bson.D{
		{{Key: "isMaster", Value: 1}},
		{{Key: "connectionStatus", Value: 1}},
		{{Key: "usersInfo", Value: "app"}},
		{{Key: "createUser", Value: "late"}, {Key: "pwd", Value: "first password"}, {Key: "roles", Value: bson.A{}}},
		{{Key: "updateUser", Value: "app"}, {Key: "pwd", Value: "first password"}},
		{{Key: "grantRolesToUser", Value: "app"}, {Key: "roles", Value: bson.A{grant("read", "stock")}}},
		{{Key: "revokeRolesFromUser", Value: "app"}, {Key: "roles", Value: bson.A{grant("read", "stock")}}},
		{{Key: "insert", Value: "orders"}, {Key: "documents", Value: bson.A{bson.D{}}}},
	} {
		all = append(all, exchange{"admin", "admin", command})
	}
	return all
}

// logins are a user, a password and an authentication database.
func logins() [][3]string {
	return [][3]string{
		{"app", "app's new password", "admin"}, {"app", "app's password", "admin"}, {"app", "app's new password", "shop"},
		{"clerk", "clerk's new password", "admin"}, {"nobody", "first password", "admin"}, {"quote\"d", hardPassword, "admin"},
		{"com,ma=equals", hardPassword, "admin"}, {"ünïcødé 漢字", hardPassword, "admin"}, {"ünïcødé 漢字", "wrong", "admin"},
	}
}

func (p *party) login(t *testing.T, l [3]string) string {
	t.Helper()
	c, err := p.server.Connect(t.Context(), l[0], l[1], l[2])
	if err == nil {
		_ = c.Disconnect(t.Context())
		return "ok"
	}
	ce, ok := errors.AsType[mongo.CommandError](err)
	if !ok {
		t.Fatal(err)
	}
	return fmt.Sprint("error ", ce.Code)
}

func with(command bson.D, more ...any) bson.D {
	for i := 0; i < len(more); i += 2 {
		command = append(command, bson.E{Key: more[i].(string), Value: more[i+1]})
	}
	return command
}

func privilege(database, collection string, actions ...string) bson.D {
	return bson.D{{Key: "resource", Value: bson.D{{Key: "db", Value: database}, {Key: "collection", Value: collection}}}, {Key: "actions", Value: actions}}
}

// A party is a server that takes part in the conversation, with a session for each speaker.
type party struct {
	server   *documentdbtest.Server
	sessions map[string]*mongo.Client
}

func (p *party) session(t *testing.T, as string) *mongo.Client {
	t.Helper()
	if c := p.sessions[as]; c != nil {
		return c
	}
	var c *mongo.Client
	var err error
	switch as {
	case "":
		c, err = p.server.Stranger(p.server.Port)
	case "admin":
		c, err = p.server.Direct(t.Context(), p.server.AdminUser, p.server.AdminPassword, p.server.AuthSource)
	default:
		c, err = p.server.Direct(t.Context(), as, as+"'s password", "admin")
	}
	if err != nil {
		t.Fatalf("%s: logging in as %q: %v", p.server.Name(), as, err)
	}
	t.Cleanup(func() { _ = c.Disconnect(context.Background()) })
	p.sessions[as] = c
	return c
}

// answer is what the party says, as far as anybody acts on it: an error's code; of success, the fields that Rotor reads.
func (p *party) answer(t *testing.T, e exchange) string {
	t.Helper()
	var out bson.D
	err := p.session(t, e.as).Database(e.database).RunCommand(t.Context(), e.command).Decode(&out)
	if ce, ok := errors.AsType[mongo.CommandError](err); ok {
		return fmt.Sprintf("error %d %s", ce.Code, ce.Name)
	}
	if err != nil {
		t.Fatalf("%s: %v: %v", p.server.Name(), e.command, err)
	}
	var said []string
	for _, field := range []string{"ismaster", "maxWireVersion", "users", "authInfo", "n", "cursor"} {
		for _, f := range out {
			if f.Key == field {
				said = append(said, field+"="+plain(f.Value))
			}
		}
	}
	return "ok " + strings.Join(said, " ")
}

// plain prints a value without what no two servers have in common, and lists of roles and mechanisms in order.
func plain(v any) string {
	switch v := v.(type) {
	case bson.D:
		fields := []string{}
		for _, e := range v {
			if e.Key != "userId" {
				fields = append(fields, e.Key+":"+plain(e.Value))
			}
		}
		slices.Sort(fields)
		return "{" + strings.Join(fields, " ") + "}"
	case bson.A:
		var all []string
		for _, one := range v {
			all = append(all, plain(one))
		}
		slices.SortFunc(all, cmp.Compare[string])
		return "[" + strings.Join(all, " ") + "]"
	}
	return fmt.Sprint(v)
}

// A difference is what DocumentDB's manual says, and a real MongoDB 5.0 does not do.
type difference struct {
	page, says string // of "Amazon DocumentDB (with MongoDB compatibility) developer guide"
	// so reports whether that is why the answers to an exchange differ.
	so func(e exchange, mongo, imitation string) bool
}

func documented() []difference {
	return []difference{
		{"Authentication using SCRAM-SHA-256", "SCRAM-SHA-256 came with 5.0.1; before, all users had SCRAM-SHA-1, which is what the imitation gives them unless told",
			func(e exchange, mongo, imitation string) bool {
				return e.command[0].Key == "usersInfo" && strings.ReplaceAll(mongo, "[SCRAM-SHA-1 SCRAM-SHA-256]", "[SCRAM-SHA-1]") == imitation
			}},
		{"Amazon DocumentDB quotas and limits", "a password has 8 to 100 characters; not, with which error another one is refused",
			func(e exchange, mongo, imitation string) bool {
				return slices.Contains(e.command, bson.E{Key: "pwd", Value: ""}) && strings.HasPrefix(mongo, "error") && imitation == "error 2 BadValue"
			}},
	}
}

// What the imitation of DocumentDB 5.0 says, a real MongoDB 5.0 says too, which it claims to be; but for what the manual
// documents. Each such difference is there: one that is not would excuse others.
func TestTheImitationAgreesWithMongoDB(t *testing.T) {
	c := documentdbtest.Config{ReplicaSet: true}
	one := &party{documentdbtest.StartVersion(t, "5.0", c), map[string]*mongo.Client{}}
	other := &party{documentdbtest.StartDocumentDB(t, c), map[string]*mongo.Client{}}
	seen := map[string]int{}
	compare(t, one, other, conversation(), seen)
	for _, l := range logins() {
		if a, b := one.login(t, l), other.login(t, l); a != b {
			t.Errorf("%q\n\t%s: %s\n\t%s: %s", l, one.server.Name(), a, other.server.Name(), b)
		}
	}
	for _, p := range []*party{one, other} {
		p.session(t, "admin") // one that is there before and stays
		p.server.StepDown(t)
	}
	compare(t, one, other, withASecondary(), seen)
	for _, d := range documented() {
		if seen[d.page] == 0 {
			t.Errorf("there is no such difference: %s: %s", d.page, d.says)
		}
		t.Logf("%d answers differ by %q: %s", seen[d.page], d.page, d.says)
	}
}

// compare has a conversation with two servers, and counts what differs for a documented reason.
func compare(t *testing.T, one, other *party, all []exchange, seen map[string]int) {
	t.Helper()
	for _, e := range all {
		a, b := one.answer(t, e), other.answer(t, e)
		if a == b {
			continue
		}
		differences := documented()
		at := slices.IndexFunc(differences, func(d difference) bool { return d.so(e, a, b) })
		if at < 0 {
			t.Errorf("%q on %s: %v\n\t%s: %s\n\t%s: %s", e.as, e.database, e.command, one.server.Name(), a, other.server.Name(), b)
			continue
		}
		seen[differences[at].page]++
	}
}

// The conversation has each command that Rotor sends to DocumentDB, with the fields that it sends.
func TestTheConversationHasWhatRotorSends(t *testing.T) {
	w := ownDocumentDB(t, documentdbtest.Config{})
	mark := w.server.Mark()
	for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
		user := w.user(t, "admin", w.name(fmt.Sprint("app", s)), "first password", bson.E{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-1", "SCRAM-SHA-256"}})
		r := w.rotor(t, s, w.secret(t, user, "first password"))
		r.must(t)
		if s == database.AlternatingUsers { // what the clone has beside the original goes, and what it lacks comes
			w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: user}, {Key: "roles", Value: bson.A{grant("read", w.stock())}}})
		}
		r.must(t)
		if s == database.AlternatingUsers {
			w.run(t, "admin", bson.D{{Key: "revokeRolesFromUser", Value: user}, {Key: "roles", Value: bson.A{grant("read", w.stock())}}})
		}
		r.must(t)
	}
	known := map[string]bool{}
	for _, e := range conversation() {
		known[shape(e.command)] = true
	}
	for _, e := range w.server.Entries(mark) {
		var command bson.D
		if err := bson.UnmarshalExtJSON([]byte(e.Text), false, &command); err != nil {
			t.Fatal(err)
		}
		if s := shape(command); !known[s] {
			t.Errorf("the conversation has no %s", s)
			known[s] = true
		}
	}
}

// shape is a command's name and its fields, but for those that the client library adds, to the conversation's sessions too.
func shape(command bson.D) string {
	library := []string{"lsid", "$db", "$readPreference", "maxTimeMS", "options", "backpressure", "client", "compression", "helloOk", "saslSupportedMechs", "speculativeAuthenticate"}
	var fields []string
	for _, e := range command[1:] {
		if !slices.Contains(library, e.Key) {
			fields = append(fields, e.Key)
		}
	}
	slices.Sort(fields)
	return command[0].Key + " " + strings.Join(fields, " ")
}
