package documentdb_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

func TestRolesThatChangedSinceTheCloneWasMade(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "first password")
		r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"))
		r.must(t) // the clone is in use
		// The original gets a role and loses one; the clone gets one that is its own.
		w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: user}, {Key: "roles", Value: bson.A{grant("dbAdmin", w.shop())}}})
		r.must(t) // the original is in use
		w.run(t, "admin", bson.D{{Key: "revokeRolesFromUser", Value: user}, {Key: "roles", Value: bson.A{grant("dbAdmin", w.shop())}}})
		w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: user}, {Key: "roles", Value: bson.A{grant("read", "extra")}}})
		w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: user + "_clone"}, {Key: "roles", Value: bson.A{grant("readWrite", "own")}}})
		doc := r.must(t) // the clone again
		if doc.Text("username") != user+"_clone" {
			t.Fatalf("%s is in use", doc.Text("username"))
		}
		if got, want := w.roles(t, "admin", user+"_clone"), w.roles(t, "admin", user); !slices.Equal(got, want) {
			t.Errorf("the clone has\n%q, the original\n%q", got, want)
		}
		if err := w.probe(t.Context(), doc); err != nil {
			t.Error(err)
		}
	})
}

func TestDrift(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		user := w.user(t, "admin", w.name("app"), "first password")
		r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"))
		r.must(t)
		w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: user + "_clone"}, {Key: "roles", Value: bson.A{grant("read", "own")}}})
		if err := r.rotate(t); class(err) != rotation.FewerRights || !strings.Contains(err.Error(), "role read on database own") {
			t.Errorf("got %v", err)
		}
		if got := r.store.Value("user", rotation.Current).Text("username"); got != user+"_clone" {
			t.Errorf("the label moved to %s", got)
		}
		granting := w.rotor(t, database.AlternatingUsers, r.store.Value("user", rotation.Current), func(c *database.Config) { c.GrantDrift, c.Adopt = true, []string{user} })
		granting.must(t)
		if !slices.Contains(w.roles(t, "admin", user), "read on own") {
			t.Error("the original did not get the role")
		}
	})
}

func TestAClonesOtherSettingsAreTheOriginals(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		here := bson.A{bson.D{{Key: "clientSource", Value: bson.A{"127.0.0.0/8", "::1"}}}}
		user := w.user(t, "admin", w.name("app"), "first password",
			bson.E{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}},
			bson.E{Key: "customData", Value: bson.D{{Key: "team", Value: "shop"}, {Key: "n", Value: int64(1) << 40}}},
			bson.E{Key: "authenticationRestrictions", Value: here})
		r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"))
		r.must(t)
		w.wantSame(t, user)
		r.must(t)
		w.wantSame(t, user) // the original keeps its mechanisms, which updateUser alone would add to
		w.run(t, "admin", bson.D{{Key: "updateUser", Value: user}, {Key: "customData", Value: bson.D{{Key: "team", Value: "other"}}},
			{Key: "authenticationRestrictions", Value: bson.A{}}})
		r.must(t)
		w.wantSame(t, user)
		r.must(t)
		w.run(t, "admin", bson.D{{Key: "updateUser", Value: user}, {Key: "customData", Value: bson.D{}}})
		r.must(t)
		w.wantSame(t, user)
	})
}

// wantSame compares all that usersInfo tells of a user and of its clone.
func (w *world) wantSame(t *testing.T, user string) {
	t.Helper()
	a, b := w.info(t, "admin", user), w.info(t, "admin", user+"_clone")
	if a, b := w.roles(t, "admin", user), w.roles(t, "admin", user+"_clone"); !slices.Equal(a, b) {
		t.Errorf("roles of the original are %v, of the clone %v", a, b)
	}
	for _, field := range []string{"mechanisms", "customData", "authenticationRestrictions"} {
		if !reflect.DeepEqual(a[field], b[field]) {
			t.Errorf("%s of the original is %v, of the clone %v", field, a[field], b[field])
		}
	}
	if fmt.Sprint(a["mechanisms"]) != "[SCRAM-SHA-256]" {
		t.Errorf("mechanisms are %v", a["mechanisms"])
	}
}

// DocumentDB 5.0.1 and later keep SCRAM-SHA-256 passwords, if they are asked to.
func TestMechanismsOnDocumentDB(t *testing.T) {
	w := ownDocumentDB(t, documentdbtest.Config{})
	both := bson.E{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-1", "SCRAM-SHA-256"}}
	user := w.user(t, "admin", w.name("app"), "first password", both)
	r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"))
	for range 3 {
		r.must(t)
	}
	for _, n := range []string{user, user + "_clone"} {
		if got := fmt.Sprint(w.info(t, "admin", n)["mechanisms"]); got != "[SCRAM-SHA-1 SCRAM-SHA-256]" {
			t.Errorf("%s has the mechanisms %s", n, got)
		}
	}
}

func TestAnOriginalThatIsGoneIsNamed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clone := w.user(t, "admin", w.name("lonely_clone"), "first password")
		err := w.rotor(t, database.AlternatingUsers, w.secret(t, clone, "first password")).rotate(t)
		if class(err) != rotation.NoUser || !strings.Contains(err.Error(), w.name("lonely")) || strings.Contains(err.Error(), "authSource") != (w.server.Engine == "mongo") {
			t.Errorf("got %v", err)
		}
	})
}

func TestMissingPrivileges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		name := w.name("app")
		w.bare(t, name, "first password", bson.A{grant("readWrite", w.shop())})
		err := w.rotor(t, database.SingleUser, w.secret(t, name, "first password")).rotate(t)
		if class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), "single-user-by-administrator") {
			t.Errorf("a user without changeOwnPassword: got %v", err)
		}
		clerk := w.name("clerk")
		w.bare(t, clerk, "clerk's password", bson.A{grant("readWrite", w.shop())})
		for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			r := w.rotor(t, s, w.secret(t, name, "first password"))
			r.store.Add("admin", w.secret(t, clerk, "clerk's password"))
			if err := r.rotate(t); class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), "userAdmin") {
				t.Errorf("an administrator who is none: got %v", err)
			}
		}
	})
}

// An administrator who may view and do everything but one thing meets a refusal, which repeats the command.
func TestARefusalPrintsNoCustomData(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		w.role(t, "admin", "looking", bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}, "viewUser")
		user := w.user(t, "admin", w.name("app"), "first password", bson.E{Key: "customData", Value: bson.D{{Key: "card", Value: "4711 0815"}}})
		w.bare(t, w.name("clerk"), "clerk's password", bson.A{w.name("looking")})
		r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"))
		r.store.Add("admin", w.secret(t, w.name("clerk"), "clerk's password"))
		err := r.rotate(t)
		if class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), "to execute command createUser, Unauthorized") {
			t.Errorf("got %v", err)
		}
		for _, leak := range []string{"4711", "lsid", "signature", "xxx", "readWrite"} {
			if strings.Contains(err.Error(), leak) {
				t.Errorf("the message has %q: %v", leak, err)
			}
		}
	})
}

// trial runs testSecret on a version without a value.
func (r *rotor) trial(t *testing.T) error {
	t.Helper()
	r.begin()
	return r.step(t, rotation.TestSecret)
}

func TestATrialFindsMissingPrivileges(t *testing.T) {
	eachMongoDB(t, testATrialFindsMissingPrivileges)
}

func testATrialFindsMissingPrivileges(t *testing.T, w *world) {
	w.role(t, "admin", "little", bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}, "viewUser", "createUser", "changePassword")
	w.role(t, w.shop(), "granting", bson.D{{Key: "db", Value: w.shop()}, {Key: "collection", Value: ""}}, "grantRole")
	for _, c := range []struct {
		name     string
		strategy database.Strategy
		roles    bson.A // of the administrator
		lacks    string // "" if the trial succeeds
	}{
		{"itself", database.SingleUser, nil, "changePassword"},
		{"no administrator", database.SingleUserByAdministrator, bson.A{grant("readWriteAnyDatabase", "admin")}, "usersInfo"},
		{"of the user", database.SingleUserByAdministrator, bson.A{grant("userAdmin", "admin")}, ""},
		{"of the user alone", database.AlternatingUsers, bson.A{grant("userAdmin", "admin")}, "grantRole on the database \"" + w.shop()},
		{"of the roles too", database.AlternatingUsers, bson.A{grant("userAdmin", "admin"), grant("userAdmin", w.shop())}, ""},
		{"as little as it takes", database.AlternatingUsers, bson.A{grant(w.name("little"), "admin"), grant(w.name("granting"), w.shop())}, ""},
		{"of all", database.AlternatingUsers, bson.A{grant("userAdminAnyDatabase", "admin")}, ""},
	} {
		name := w.name(c.name)
		w.bare(t, name, "first password", bson.A{grant("readWrite", w.shop())})
		r := w.rotor(t, c.strategy, w.secret(t, name, "first password"))
		if c.roles != nil {
			w.bare(t, name+"'s", "admin's password", c.roles)
			r.store.Add("admin", w.secret(t, name+"'s", "admin's password"))
		}
		err := r.trial(t)
		switch {
		case c.lacks == "" && err != nil, c.lacks != "" && (class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), c.lacks)):
			t.Errorf("%s: got %v", c.name, err)
		}
		r.store.End("user")
		if err := r.rotate(t); (err == nil) != (c.lacks == "") {
			t.Errorf("%s: the rotation itself ended with %v", c.name, err)
		}
	}
}
