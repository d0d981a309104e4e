package documentdb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// A planning is a rotation to be planned: how often the user was rotated before, and what somebody did to it and to its
// clone since.
type planning struct {
	name         string
	strategy     database.Strategy
	before       int
	begun        bool // createSecret has run
	user, clone  []saying
	gains, loses string // a role and its database
}

// plannings are of each strategy, with a clone that does not exist, with one that differs, and with an original that gets
// what its clone has.
var plannings = []planning{
	{name: "single user", strategy: database.SingleUser},
	{name: "by administrator", strategy: database.SingleUserByAdministrator},
	{name: "new clone", strategy: database.AlternatingUsers, gains: "read on database $STOCK"},
	{name: "new clone, under way", strategy: database.AlternatingUsers, begun: true, gains: "read on database $STOCK"},
	{name: "equal clone", strategy: database.AlternatingUsers, before: 2},
	{name: "clone that differs", strategy: database.AlternatingUsers, before: 2, gains: "readWrite on database $SHOP", loses: "read on database own",
		clone: []saying{
			{"$HOME", `{"revokeRolesFromUser": "$USER", "roles": [{"role": "readWrite", "db": "$SHOP"}]}`},
			{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "read", "db": "own"}]}`},
			{"$HOME", `{"updateUser": "$USER", "pwd": "somebody's", "mechanisms": ["SCRAM-SHA-1"]}`},
		}},
	{name: "other settings", strategy: database.AlternatingUsers, before: 2,
		user: []saying{
			{"$HOME", `{"updateUser": "$USER", "customData": {"card": "4711 0815"}}`},
			{"$HOME", `{"updateUser": "$USER", "mechanisms": ["SCRAM-SHA-256"]}`},
			{"$HOME", `{"updateUser": "$USER", "authenticationRestrictions": [{"clientSource": ["127.0.0.0/8", "::1"]}]}`},
		}},
	{name: "drift", strategy: database.AlternatingUsers, before: 1, gains: "read on database own",
		user:  []saying{{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "read", "db": "of the original"}]}`}},
		clone: []saying{{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "read", "db": "own"}]}`}}},
}

// prepare makes what p says.
func (w *world) prepare(t *testing.T, p planning) *rotor {
	t.Helper()
	w.users++
	user := w.user(t, "admin", w.name(fmt.Sprint("planned", w.users)), "first password")
	r := w.rotor(t, p.strategy, w.secret(t, user, "first password"), func(c *database.Config) { c.GrantDrift, c.Adopt = true, []string{user, user + "_clone"} })
	for range p.before {
		r.must(t)
	}
	happens := &play{world: w, home: "admin"}
	happens.say(t, user, p.user...)
	happens.say(t, user+"_clone", p.clone...)
	if p.begun {
		r.begin()
		if err := r.step(t, rotation.CreateSecret); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// eachPlanning runs a test on each planning at each server.
func eachPlanning(t *testing.T, test func(t *testing.T, w *world, p planning)) {
	eachOurs(t, func(t *testing.T, w *world) {
		for _, p := range plannings {
			t.Run(p.name, func(t *testing.T) { test(t, w, p) })
		}
	})
}

func TestAPlanChangesNothing(t *testing.T) {
	eachPlanning(t, func(t *testing.T, w *world, p planning) {
		r := w.prepare(t, p)
		user := strings.TrimSuffix(r.store.Value("user", rotation.Current).Text("username"), "_clone")
		before, mark := w.dump(t, user), w.server.Mark()
		plan, err := databasetest.Plan(t.Context(), r.engine)
		if err != nil {
			t.Fatal(err)
		}
		if changes := w.changes(t, mark); len(changes) > 0 {
			t.Errorf("it was sent\n%s", strings.Join(changes, "\n"))
		}
		if after := w.dump(t, user); after != before {
			t.Errorf("before\n%s\nafter\n%s", before, after)
		}
		of := strings.NewReplacer("$SHOP", w.shop(), "$STOCK", w.stock())
		wantsRight(t, "gains", plan.Gains, of.Replace(p.gains))
		wantsRight(t, "loses", plan.Loses, of.Replace(p.loses))
		if all := len(w.rights()); p.strategy == database.AlternatingUsers && p.before == 0 && len(plan.Gains) != all {
			t.Errorf("a clone that does not exist gains %q, and is to have all %d", plan.Gains, all)
		}
	})
}

// wantsRight wants a right among those of a plan: none where there is none to want.
func wantsRight(t *testing.T, what string, rights []string, want string) {
	t.Helper()
	if want == "" && len(rights) > 0 || want != "" && !slices.Contains(rights, "role "+want) {
		t.Errorf("the user %s %q, and not %q", what, rights, want)
	}
}

// What the server has logged of a rotation, and changes something, is what its plan says.
func TestThePlanIsWhatArrives(t *testing.T) {
	eachPlanning(t, func(t *testing.T, w *world, p planning) {
		r := w.prepare(t, p)
		plan, err := databasetest.Plan(t.Context(), r.engine)
		if err != nil {
			t.Fatal(err)
		}
		old, mark := r.store.Value("user", rotation.Current).Text("password"), w.server.Mark()
		next := r.must(t)
		if err := databasetest.AsPlanned(plan, r.sent); err != nil {
			t.Error(err)
		}
		if err := databasetest.AsPlanned(plan, rotation.Plan{Statements: w.changes(t, mark)}); err != nil {
			t.Errorf("by the server's log: %v", err)
		}
		for _, hidden := range []string{old, next.Text("password"), w.server.AdminPassword, "4711"} {
			if strings.Contains(strings.Join(r.sent.Statements, "\n"), hidden) {
				t.Errorf("the statements have %q:\n%s", hidden, r.sent.Statements)
			}
		}
	})
}

// queries are the commands of Rotor's and of the client library's that change nothing on a server.
var queries = []string{"hello", "isMaster", "ismaster", "saslStart", "saslContinue", "ping", "endSessions", "connectionStatus", "usersInfo", "hostInfo", "whatsmyuri"}

// changes are the commands but queries that a server has got from Rotor since a mark, without what the client library adds.
func (w *world) changes(t *testing.T, mark servertest.Mark) (all []string) {
	t.Helper()
	for _, e := range w.server.Entries(mark) {
		command := parsed(t, e.Text)
		theirs := slices.ContainsFunc(command, func(f bson.E) bool { return f.Key == "lsid" })
		if slices.Contains(queries, e.Command) || !theirs && slices.Contains([]string{"insert", "update", "q"}, e.Command) {
			continue // the latter are the server's own, to its system collections: each command of the library's has a session
		}
		command = slices.DeleteFunc(command, func(f bson.E) bool { return f.Key == "lsid" || strings.HasPrefix(f.Key, "$") && f.Key != "$db" })
		for i, field := range command {
			if hidden, ok := map[string]string{"pwd": "<new password>", "customData": "<the original's>"}[field.Key]; ok {
				command[i].Value = hidden
			}
		}
		all = append(all, command.String())
	}
	return all
}

// dump is all that a server knows of users and roles, credentials among it. An imitation tells less, of a user and its
// clone.
func (w *world) dump(t *testing.T, user string) string {
	t.Helper()
	var all []string
	if w.server.Engine != "mongo" {
		for _, name := range []string{user, user + "_clone"} {
			who := bson.D{{Key: "user", Value: name}, {Key: "db", Value: "admin"}}
			all = append(all, fmt.Sprint(w.run(t, "admin", bson.D{{Key: "usersInfo", Value: who}})["users"]))
		}
		return strings.Join(all, "\n")
	}
	for _, from := range []string{"system.users", "system.roles"} {
		out := w.run(t, "admin", bson.D{{Key: "find", Value: from}, {Key: "sort", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "batchSize", Value: 10000}})
		all = append(all, fmt.Sprint(out["cursor"].(bson.D)[0].Value))
	}
	return strings.Join(all, "\n")
}
