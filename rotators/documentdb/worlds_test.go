package documentdb_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
)

// A trial that says yes is a promise, one that says no is right, and what the plan says is what is sent: in worlds made at random, of users with roles,
// restrictions, custom data and mechanisms in several databases, and of administrators who may do more or less.
func TestARotationDoesWhatItsTrialSays(t *testing.T) {
	eachAlone(t, func(t *testing.T, w *world) { databasetest.Worlds(t, w.oneWorld) })
}

// oneWorld rotates three times, each after a trial, with changes by somebody else in between. It returns what the first
// trial said.
func (w *world) oneWorld(t *testing.T, strategy database.Strategy, dice *rand.Rand) (first error) {
	p := w.play(t, dice)
	r := w.rotor(t, strategy, p.secret(t), func(c *database.Config) {
		c.GrantDrift = dice.IntN(3) == 0
		if dice.IntN(3) == 0 {
			c.Adopt = []string{p.user, p.user + "_clone"}
		}
	})
	r.store.Add("admin", p.administrator(t))
	if dice.IntN(2) == 0 { // of a pair, AWSPREVIOUS is known
		r.store.Write("user", "before", p.secret(t).With("username", p.user))
		r.store.Stage("user", rotation.Previous, "before")
	}
	for n := range 3 {
		trial := r.trial(t)
		r.store.End("user")
		if n == 0 {
			first = trial
		}
		rotate := r.rotate
		if trial == nil {
			rotate = r.planned
		}
		err := rotate(t)
		if (trial == nil) != (err == nil) {
			t.Fatalf("the trial of rotation %d says: %v\nthe rotation: %v\nafter\n%s", n, trial, err, strings.Join(p.story, "\n"))
		}
		if err != nil {
			return first
		}
		p.say(t, p.user, databasetest.Some(dice, 8, changes)...)
		if strategy == database.AlternatingUsers {
			p.say(t, p.user+"_clone", databasetest.Some(dice, 10, changes)...)
		}
		p.say(t, p.user, databasetest.Some(dice, 15, accidents)...)
	}
	return first
}

// A play is one world: a user of a database, and what happened to it.
type play struct {
	*world
	dice       *rand.Rand
	tag        string // begins the names of its roles
	user, home string
	inUse      string // the user or its clone
	other      string // a database that may have a user of the same name
	story      []string
}

// A saying is a command as extended JSON, and the database that it is said to. $USER is the user or its clone, $HOME their
// database, $OTHER another one, $SHOP and $STOCK the application's, and $TAG begins the names of roles.
type saying struct{ on, text string }

// theRoles are the roles of a world.
var theRoles = []saying{
	{"$SHOP", `{"createRole": "$TAG inner", "privileges": [{"resource": {"db": "$SHOP", "collection": "prices"}, "actions": ["find", "update"]}], "roles": []}`},
	{"admin", `{"createRole": "$TAG \"outer\"", "privileges": [{"resource": {"db": "$STOCK", "collection": ""}, "actions": ["find"]}], "roles": [{"role": "$TAG inner", "db": "$SHOP"}, {"role": "clusterMonitor", "db": "admin"}]}`},
	{"$STOCK", `{"createRole": "$TAG here", "privileges": [], "roles": ["read"], "authenticationRestrictions": [{"clientSource": ["127.0.0.0/8", "::1"]}]}`},
	{"$STOCK", `{"createRole": "$TAG shut", "privileges": [], "roles": ["read"], "authenticationRestrictions": [{"clientSource": ["10.0.0.1"]}]}`},
	{"admin", `{"createRole": "$TAG itself", "privileges": [{"resource": {"db": "$HOME", "collection": ""}, "actions": ["changeOwnPassword"]}], "roles": []}`},
}

// changes are what somebody may do to a user.
var changes = []saying{
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "dbAdmin", "db": "$SHOP"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "userAdmin", "db": "$HOME"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "readAnyDatabase", "db": "admin"}, {"role": "read", "db": "config"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "read", "db": "local"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "read", "db": "nobody's"}, {"role": "readWrite", "db": "$STOCK"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "$TAG inner", "db": "$SHOP"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "$TAG \"outer\"", "db": "admin"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "$TAG here", "db": "$STOCK"}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "$TAG itself", "db": "admin"}]}`},
	{"$HOME", `{"revokeRolesFromUser": "$USER", "roles": [{"role": "$TAG itself", "db": "admin"}, {"role": "userAdmin", "db": "$HOME"}]}`},
	{"$HOME", `{"revokeRolesFromUser": "$USER", "roles": [{"role": "readWrite", "db": "$SHOP"}]}`},
	{"$HOME", `{"revokeRolesFromUser": "$USER", "roles": [{"role": "read", "db": "$STOCK"}, {"role": "dbAdmin", "db": "$SHOP"}]}`},
	{"$HOME", `{"updateUser": "$USER", "customData": {"team": "shop", "n": {"$numberLong": "1099511627776"}, "list": [1, {"x": null}]}}`},
	{"$HOME", `{"updateUser": "$USER", "customData": {"a.b": 1, "": 2, "_id": {"$oid": "0123456789abcdef01234567"}}}`},
	{"$HOME", `{"updateUser": "$USER", "customData": {"deep": {"$where": "x"}}}`},
	{"$HOME", `{"updateUser": "$USER", "customData": {}}`},
	{"$HOME", `{"updateUser": "$USER", "authenticationRestrictions": [{"clientSource": ["127.0.0.1", "::1"]}]}`},
	{"$HOME", `{"updateUser": "$USER", "authenticationRestrictions": [{"clientSource": ["127.0.0.0/8", "::1"]}, {"serverAddress": ["127.0.0.0/8", "::1"]}]}`},
	{"$HOME", `{"updateUser": "$USER", "authenticationRestrictions": [{"clientSource": ["10.0.0.1"]}, {"clientSource": ["127.0.0.0/8", "::1"]}]}`},
	{"$HOME", `{"updateUser": "$USER", "authenticationRestrictions": []}`},
	{"$HOME", `{"updateUser": "$USER", "mechanisms": ["SCRAM-SHA-1"]}`},
	{"$HOME", `{"updateUser": "$USER", "mechanisms": ["SCRAM-SHA-256"]}`},
	{"$OTHER", `{"createUser": "$USER", "pwd": "of another", "roles": []}`},
}

// accidents happen less often.
var accidents = []saying{
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "root", "db": "admin"}]}`},
	{"$SHOP", `{"updateRole": "$TAG inner", "privileges": [{"resource": {"db": "$SHOP", "collection": "prices"}, "actions": ["insert"]}], "roles": ["dbAdmin"]}`},
	{"$HOME", `{"grantRolesToUser": "$USER", "roles": [{"role": "$TAG shut", "db": "$STOCK"}]}`},
	{"$HOME", `{"updateUser": "$USER", "authenticationRestrictions": [{"clientSource": ["10.0.0.1"]}]}`},
	{"$HOME", `{"grantRolesToUser": "$USER_clone", "roles": [{"role": "$TAG shut", "db": "$STOCK"}]}`},
	{"$HOME", `{"updateUser": "$USER_clone", "authenticationRestrictions": [{"clientSource": ["10.0.0.1"]}]}`},
	{"$HOME", `{"updateUser": "$USER", "roles": []}`},
	{"$HOME", `{"updateUser": "$USER", "pwd": "somebody's"}`},
	{"$HOME", `{"dropUser": "$USER"}`},
	{"$HOME", `{"createUser": "$USER_clone", "pwd": "somebody's", "roles": [{"role": "read", "db": "$SHOP"}], "mechanisms": ["SCRAM-SHA-1"], "customData": {"whose": "somebody's"}}`},
	{"$HOME", `{"updateUser": "$USER_clone", "pwd": "somebody's"}`},
	{"$HOME", `{"dropUser": "$USER_clone"}`},
	{"$SHOP", `{"dropRole": "$TAG inner"}`},
	{"admin", `{"dropRole": "$TAG \"outer\""}`},
	{"admin", `{"dropRole": "$TAG itself"}`},
	{"$STOCK", `{"updateRole": "$TAG here", "authenticationRestrictions": [{"clientSource": ["10.0.0.1"]}]}`},
	{"admin", `{"grantRolesToRole": "$TAG itself", "roles": [{"role": "$TAG here", "db": "$STOCK"}]}`},
}

// play makes a user, and what there is around it.
func (w *world) play(t *testing.T, dice *rand.Rand) *play {
	t.Helper()
	w.users++
	p := &play{world: w, dice: dice, tag: w.name(fmt.Sprint(w.users)), home: "admin", other: w.shop()}
	p.user = "app " + p.tag
	if dice.IntN(3) == 0 {
		p.user = hardNames[dice.IntN(len(hardNames))] + p.tag
	}
	switch dice.IntN(4) {
	case 0:
		p.home, p.other = w.shop(), "admin"
	case 1:
		p.home = w.name("büro's")
	}
	for _, d := range []string{p.home, p.other} {
		w.dropping(t, d, p.user)
	}
	t.Cleanup(func() {
		for _, r := range []struct{ on, name string }{{w.shop(), " inner"}, {"admin", ` "outer"`}, {w.stock(), " here"}, {w.stock(), " shut"}, {"admin", " itself"}} {
			w.drop(t, r.on, "dropRole", p.tag+r.name)
		}
	})
	p.say(t, p.user, theRoles...)
	mechanisms := []string{`["SCRAM-SHA-1", "SCRAM-SHA-256"]`, `["SCRAM-SHA-1"]`, `["SCRAM-SHA-256"]`}[dice.IntN(3)]
	itself := []string{`, {"role": "$TAG itself", "db": "admin"}`, ``}[dice.IntN(2)]
	making := saying{"$HOME", `{"createUser": "$USER", "pwd": "first password", "mechanisms": ` + mechanisms + `, "roles": [{"role": "readWrite", "db": "$SHOP"}, {"role": "read", "db": "$STOCK"}` + itself + `]}`}
	p.say(t, p.user, making)
	p.inUse = p.user
	if dice.IntN(6) == 0 { // a pair that is older than this secret's rotation
		p.inUse = p.user + "_clone"
		p.say(t, p.inUse, making)
		p.say(t, p.inUse, databasetest.Some(dice, 12, changes)...)
	}
	p.say(t, p.user, databasetest.Some(dice, 6, changes)...)
	p.say(t, p.user, databasetest.Some(dice, 25, accidents)...)
	return p
}

// say runs commands as the server's administrator. What this version does not know is not part of the world.
func (p *play) say(t *testing.T, user string, all ...saying) {
	t.Helper()
	of := strings.NewReplacer("$USER", escaped(user), "$HOME", p.home, "$OTHER", p.other, "$SHOP", p.shop(), "$STOCK", p.stock(), "$TAG", p.tag)
	for _, s := range all {
		on, text := of.Replace(s.on), of.Replace(s.text)
		if _, err := p.server.Run(t.Context(), on, parsed(t, text)); err == nil {
			p.story = append(p.story, on+": "+text)
		}
	}
}

// escaped is a text as it stands in JSON.
func escaped(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // it is a string
	}
	return string(quoted[1 : len(quoted)-1])
}

// secret is the user's, which says in several ways where the user is defined.
func (p *play) secret(t *testing.T) secret.Document {
	t.Helper()
	doc := p.world.secret(t, p.inUse, "first password").With("authSource", p.home)
	switch {
	case p.dice.IntN(2) == 0:
	case p.home == p.shop():
		doc = doc.With("authSource", "")
	case p.home == "admin":
		doc = doc.With("authSource", "").With("dbname", "")
	}
	return doc
}

// powers are roles of an administrator.
var powers = []string{
	`{"role": "userAdminAnyDatabase", "db": "admin"}`,
	`{"role": "root", "db": "admin"}`,
	`{"role": "userAdmin", "db": "$HOME"}`,
	`{"role": "userAdmin", "db": "$HOME"}, {"role": "userAdmin", "db": "$SHOP"}`,
	`{"role": "userAdmin", "db": "$HOME"}, {"role": "userAdmin", "db": "$SHOP"}, {"role": "userAdmin", "db": "$STOCK"}, {"role": "userAdmin", "db": "admin"}`,
	`{"role": "dbOwner", "db": "$HOME"}, {"role": "dbOwner", "db": "admin"}`,
	`{"role": "readWriteAnyDatabase", "db": "admin"}`,
	``,
}

// actions are those on users that a custom role may have.
var actions = []string{"createUser", "grantRole", "revokeRole", "viewUser", "viewRole", "changePassword", "setAuthenticationRestriction", "changeCustomData", "changeOwnPassword", "changeOwnCustomData", "dropUser"}

// administrator makes an administrator, who may be the user itself or bear its name in another database, and returns its
// secret.
func (p *play) administrator(t *testing.T) secret.Document {
	t.Helper()
	if p.dice.IntN(6) == 0 {
		return p.adminSecret(t)
	}
	name, home := p.tag+" boss", []string{"admin", p.home, p.stock()}[p.dice.IntN(3)]
	if home == p.stock() && p.dice.IntN(2) == 0 {
		name = p.user
	}
	roles := powers[p.dice.IntN(len(powers))]
	if p.dice.IntN(2) == 0 {
		roles = `{"role": "$TAG power", "db": "admin"}`
		t.Cleanup(func() { p.drop(t, "admin", "dropRole", p.tag+" power") })
		p.say(t, p.user, saying{"admin", `{"createRole": "$TAG power", "roles": [], "privileges": [` + p.privileges(p.home, "$SHOP", "$STOCK", "admin", "") + `]}`})
	}
	if p.dice.IntN(10) == 0 { // the user itself
		p.say(t, p.inUse, saying{"$HOME", `{"grantRolesToUser": "$USER", "roles": [` + roles + `]}`})
		return p.secret(t)
	}
	p.dropping(t, home, name)
	p.say(t, name, saying{home, `{"createUser": "$USER", "pwd": "boss's password", "roles": [` + roles + `]}`})
	return p.world.secret(t, name, "boss's password").With("authSource", home)
}

// privileges are most of the actions, on each of some databases.
func (p *play) privileges(databases ...string) string {
	var all []string
	for _, d := range databases {
		if p.dice.IntN(3) == 0 {
			continue
		}
		var some []string
		for _, a := range actions {
			if p.dice.IntN(5) > 0 {
				some = append(some, `"`+a+`"`)
			}
		}
		all = append(all, `{"resource": {"db": "`+d+`", "collection": ""}, "actions": [`+strings.Join(some, ", ")+`]}`)
	}
	return strings.Join(all, ", ")
}
