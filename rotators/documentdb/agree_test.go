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

// answer is what the party says, as far as anybody acts on it: an error's code (DocumentDB sends no name of it); of success,
// the fields that Rotor reads.
func (p *party) answer(t *testing.T, e exchange) string {
	t.Helper()
	var out bson.D
	err := p.session(t, e.as).Database(e.database).RunCommand(t.Context(), e.command).Decode(&out)
	if ce, ok := errors.AsType[mongo.CommandError](err); ok {
		return fmt.Sprint("error ", ce.Code)
	}
	if err != nil {
		t.Fatalf("%s: %v: %v", p.server.Name(), e.command, err)
	}
	var said []string
	for _, field := range []string{"ismaster", "isWritablePrimary", "maxWireVersion", "users", "authInfo", "n", "cursor"} {
		for _, f := range out {
			if f.Key == field {
				said = append(said, field+"="+plain(f.Value))
			}
		}
	}
	return "ok " + strings.Join(said, " ")
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

// A difference is what DocumentDB's manual says, or somebody tells of a cluster, and a real MongoDB 5.0 does not do.
type difference struct {
	page, says string // page of "Amazon DocumentDB (with MongoDB compatibility) developer guide", or where it is told
	// so reports whether that is why the answers to an exchange differ.
	so func(e exchange, mongo, imitation string) bool
}

func documented() []difference {
	return []difference{
		{"Database access using Role-Based Access Control", "there is no action changeOwnPassword, and so no role has it",
			func(e exchange, mongo, imitation string) bool {
				made, again := mongo == "ok " && imitation == "error 2", mongo == "error 51002" && imitation == "ok "
				return e.command[0].Value == "changesItself" && (made || again)
			}},
		{"issue 575 of community.mongodb on GitHub", "a field that a command does not have is no valid argument, code 2",
			func(e exchange, mongo, imitation string) bool {
				return slices.Contains(e.command, bson.E{Key: "nonsense", Value: 1}) && mongo == "error 40415" && imitation == "error 2"
			}},
		{"Amazon DocumentDB quotas and limits", "a password has 8 to 100 characters; not, with which error another one is refused",
			func(e exchange, mongo, imitation string) bool {
				return slices.Contains(e.command, bson.E{Key: "pwd", Value: ""}) && strings.HasPrefix(mongo, "error") && imitation == "error 2"
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
