package documentdb_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// A right on all databases is none on those that are the server's own.
func TestATrialFindsRightsOnTheServersOwnDatabases(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		w.role(t, "admin", "onAll", bson.D{{Key: "db", Value: ""}, {Key: "collection", Value: ""}}, "viewUser", "createUser", "changePassword", "grantRole")
		w.bare(t, w.name("clerk"), "clerk's password", bson.A{w.name("onAll")})
		for _, own := range []string{"config", "local"} {
			name := w.name("app of " + own)
			w.bare(t, name, "first password", bson.A{grant("read", own)})
			r := w.rotor(t, database.AlternatingUsers, w.secret(t, name, "first password"))
			r.store.Add("admin", w.secret(t, w.name("clerk"), "clerk's password"))
			r.wantNo(t, "grantRole on the database \""+own)
		}
	})
}

// A session that may do nothing at all is told so by MongoDB.
func TestATrialOfAUserWithoutRoles(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		w.bare(t, w.name("app"), "first password", bson.A{})
		w.rotor(t, database.SingleUser, w.secret(t, w.name("app"), "first password")).wantNo(t, "changePassword")
	})
}

// The administrator bears the user's name in another database: it may change its own password, and not the user's.
func TestATrialKnowsTheAdministratorFromAUserOfItsName(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		name := w.name("app")
		w.role(t, "admin", "own", bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}, "changeOwnPassword", "viewUser")
		w.bare(t, name, "first password", bson.A{grant("read", w.shop())})
		w.run(t, w.shop(), bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: "clerk's password"}, {Key: "roles", Value: bson.A{grant(w.name("own"), "admin")}}})
		w.dropping(t, w.shop(), name)
		r := w.rotor(t, database.SingleUserByAdministrator, w.secret(t, name, "first password"))
		r.store.Add("admin", w.secret(t, name, "clerk's password").With("authSource", w.shop()))
		r.wantNo(t, "As a user who may grant it, in mongosh: db.getSiblingDB(\""+w.shop()+"\").grantRolesToUser(\""+name+"\", [{\"role\": \"userAdmin\", \"db\": \"admin\"}])")
	})
}

// Nobody knows a password of an original that CLONE_ADOPT names: whether it is let in is for the trial to say.
func TestATrialFindsAnOriginalThatIsNotLetIn(t *testing.T) {
	eachAlone(t, func(t *testing.T, w *world) {
		here, elsewhere := bson.D{{Key: "clientSource", Value: bson.A{"127.0.0.0/8", "::1"}}}, bson.D{{Key: "clientSource", Value: bson.A{"10.0.0.1", "fd00::/8"}}}
		w.run(t, "admin", bson.D{{Key: "createRole", Value: w.name("far")}, {Key: "privileges", Value: bson.A{}}, {Key: "roles", Value: bson.A{}}, {Key: "authenticationRestrictions", Value: bson.A{elsewhere}}})
		t.Cleanup(func() { w.drop(t, "admin", "dropRole", w.name("far")) })
		w.role(t, "admin", "near", bson.D{{Key: "db", Value: w.stock()}, {Key: "collection", Value: ""}}, "find")
		w.run(t, "admin", bson.D{{Key: "updateRole", Value: w.name("near")}, {Key: "roles", Value: bson.A{w.name("far")}}})
		for name, c := range map[string]struct {
			restrictions bson.A
			roles        bson.A
			no           bool
		}{
			"no restriction":         {bson.A{}, bson.A{}, false},
			"from here":              {bson.A{here}, bson.A{}, false},
			"from here or elsewhere": {bson.A{elsewhere, here}, bson.A{}, false},
			"from elsewhere":         {bson.A{elsewhere}, bson.A{}, true},
			"a role's":               {bson.A{here}, bson.A{w.name("far")}, true},
			"a role's role's":        {bson.A{}, bson.A{w.name("near")}, true},
		} {
			user := w.name(name)
			w.bare(t, user+"_clone", "first password", bson.A{})
			w.bare(t, user, "nobody knows", c.roles)
			w.run(t, "admin", bson.D{{Key: "updateUser", Value: user}, {Key: "authenticationRestrictions", Value: c.restrictions}})
			r := w.rotor(t, database.AlternatingUsers, w.secret(t, user+"_clone", "first password"), func(c *database.Config) { c.Adopt = []string{user} })
			trial := r.trial(t)
			r.store.End("user")
			rotated := r.rotate(t)
			if (trial != nil) != c.no || (rotated != nil) != c.no {
				t.Errorf("%s: the trial: %v\nthe rotation: %v", name, trial, rotated)
			}
			if c.no {
				databasetest.Wants(t, trial, rotation.LoginRefused, "127.0.0.1", "authenticationRestrictions")
			}
		}
	})
}

// The administrator may be the user itself, whose own password is not the clone's.
func TestATrialKnowsTheCloneFromAnAdministratorWhoIsTheUser(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		w.role(t, "admin", "own", bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}, "viewUser", "createUser", "grantRole", "changeOwnPassword")
		doc := w.secret(t, w.name("app"), "first password")
		w.bare(t, w.name("app"), "first password", bson.A{w.name("own")})
		r := w.rotor(t, database.AlternatingUsers, doc)
		r.store.Add("admin", doc)
		r.wantNo(t, "lacks the action changePassword on the database \"admin\". As a user who may grant it, in mongosh: db.getSiblingDB")
	})
}

// wantNo is a trial that fails for a privilege that is missing, and then a rotation that fails as well.
func (r *rotor) wantNo(t *testing.T, says string) {
	t.Helper()
	if err := r.trial(t); class(err) != rotation.MissingPrivilege || !strings.Contains(err.Error(), says) {
		t.Errorf("the trial: got %v, want %q", err, says)
	}
	r.store.End("user")
	if err := r.rotate(t); class(err) != rotation.MissingPrivilege {
		t.Errorf("the rotation: got %v", err)
	}
}

// A trial asks for what the rotation that comes will do: at the original's turn nobody needs the rights to change the clone.
func TestATrialAsksForTheNextTurnAlone(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		home := bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}
		w.role(t, "admin", "makes", home, "viewUser", "createUser", "changePassword")
		w.role(t, w.shop(), "grants", bson.D{{Key: "db", Value: w.shop()}, {Key: "collection", Value: ""}}, "grantRole")
		w.bare(t, w.name("clerk"), "clerk's password", bson.A{w.name("makes"), grant(w.name("grants"), w.shop())})
		name := w.name("app")
		w.bare(t, name, "first password", bson.A{grant("readWrite", w.shop())})
		r := w.rotor(t, database.AlternatingUsers, w.secret(t, name, "first password"))
		r.store.Add("admin", w.secret(t, w.name("clerk"), "clerk's password"))
		r.must(t) // the clone is in use
		w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: name}, {Key: "roles", Value: bson.A{grant("read", w.stock())}}})
		var log strings.Builder
		r.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
		if err := r.trial(t); err != nil {
			t.Errorf("the original's turn: %v", err)
		}
		if !strings.Contains(log.String(), "rotation after the next one") || !strings.Contains(log.String(), "grantRole on the database") {
			t.Errorf("the clone's turn is not foreseen: %s", log.String())
		}
		r.store.End("user")
		r.must(t)
		r.wantNo(t, "grantRole on the database \""+w.stock())
	})
}

// CLONE_DRIFT=grant takes the right to grant, and none to revoke.
func TestATrialAsksForWhatDriftTakes(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		for action, yes := range map[string]bool{"grantRole": true, "revokeRole": false} {
			w.role(t, "admin", "makes and "+action, bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}, "viewUser", "createUser", "changePassword")
			w.role(t, w.shop(), action, bson.D{{Key: "db", Value: w.shop()}, {Key: "collection", Value: ""}}, action)
			w.bare(t, w.name("clerk who may "+action), "clerk's password", bson.A{w.name("makes and " + action), grant(w.name(action), w.shop())})
			name := w.name("app for " + action)
			w.bare(t, name, "first password", bson.A{})
			r := w.rotor(t, database.AlternatingUsers, w.secret(t, name, "first password"), func(c *database.Config) { c.GrantDrift = true })
			r.store.Add("admin", w.secret(t, w.name("clerk who may "+action), "clerk's password"))
			r.must(t)
			w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: name + "_clone"}, {Key: "roles", Value: bson.A{grant("read", w.shop())}}})
			if !yes {
				r.wantNo(t, "grantRole on the database \""+w.shop())
				continue
			}
			if err := r.trial(t); err != nil {
				t.Error(err)
			}
			r.store.End("user")
			r.must(t)
		}
	})
}

// A server without access control tells a session what it may do, and lets it do everything: the trial says yes, as the
// rotation does.
func TestATrialOnAServerWithoutAccessControl(t *testing.T) {
	for _, version := range []string{"4.4", "5.0", "6.0"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, documentdbtest.StartVersion(t, version, documentdbtest.Config{Options: servertest.Options{Settings: map[string]string{"security.authorization": "disabled"}}}))
			for way, s := range databasetest.Ways() {
				w.users++
				name := w.name(fmt.Sprint("app", w.users))
				for _, user := range []string{name, name + " clerk"} {
					w.bare(t, user, "first password", bson.A{grant("read", w.shop())})
				}
				r := w.rotor(t, s, w.secret(t, name, "first password"))
				r.store.Add("admin", w.secret(t, name+" clerk", "first password"))
				var log strings.Builder
				r.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
				if err := r.trial(t); err != nil {
					t.Errorf("%s: %v", way, err)
				}
				if !strings.Contains(log.String(), "access control") {
					t.Errorf("%s: the log does not tell of it: %s", way, log.String())
				}
				r.store.End("user")
				if err := r.rotate(t); err != nil {
					t.Errorf("%s: the rotation: %v", way, err)
				}
			}
		})
	}
}
