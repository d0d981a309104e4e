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
	"github.com/seed492efc12/rotor/rotators/documentdb"
)

// On DocumentDB no user may change its own password and no other: the trial says so, and what it advises helps.
func TestAUserOfDocumentDBThatMayNotChangeItself(t *testing.T) {
	eachDocumentDB(t, func(t *testing.T, w *world) {
		w.bare(t, w.name("app"), "first password", bson.A{grant("readWrite", w.shop())})
		doc := w.secret(t, w.name("app"), "first password")
		err := w.no(t, w.rotor(t, database.SingleUser, doc), "ROTATION_STRATEGY=single-user-by-administrator, or alternating-users")
		for _, none := range []string{"changeOwnPassword", "userAdmin ", "authSource"} {
			if strings.Contains(err.Error(), none) {
				t.Errorf("there is no %s: %v", none, err)
			}
		}
		for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			doc = w.rotor(t, s, doc).must(t)
			databasetest.Remedied(t, documentdb.Driver, w.server.Title, w.server.Real, rotation.MissingPrivilege)
		}
	})
}

// An administrator of DocumentDB who is none is told the one role that helps, and the trial knows it by its roles.
func TestAnAdministratorOfDocumentDBWhoIsNone(t *testing.T) {
	eachDocumentDB(t, func(t *testing.T, w *world) {
		w.bare(t, w.name("clerk"), "clerk's password", bson.A{grant("readWriteAnyDatabase", "admin")})
		for i, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
			name := w.name(fmt.Sprint("app", i))
			w.bare(t, name, "first password", bson.A{grant("readWrite", w.shop())})
			r := w.rotor(t, s, w.secret(t, name, "first password"))
			r.store.Add("admin", w.secret(t, w.name("clerk"), "clerk's password"))
			err := w.no(t, r, fmt.Sprintf(`grantRolesToUser(%q, ["userAdminAnyDatabase"])`, w.name("clerk")))
			if strings.Contains(err.Error(), "userAdmin ") {
				t.Errorf("there is no such role: %v", err)
			}
			roles := bson.A{grant("userAdminAnyDatabase", "admin")}
			w.run(t, "admin", bson.D{{Key: "grantRolesToUser", Value: w.name("clerk")}, {Key: "roles", Value: roles}})
			r.must(t)
			databasetest.Remedied(t, documentdb.Driver, w.server.Title, w.server.Real, rotation.MissingPrivilege)
			w.run(t, "admin", bson.D{{Key: "revokeRolesFromUser", Value: w.name("clerk")}, {Key: "roles", Value: roles}})
		}
	})
}

// no wants that a trial and the rotation after it fail for a privilege that is missing, and say so.
func (w *world) no(t *testing.T, r *rotor, says string) error {
	t.Helper()
	databasetest.Wants(t, r.trial(t), rotation.MissingPrivilege, says)
	r.store.End("user")
	err := r.rotate(t)
	databasetest.Wants(t, err, rotation.MissingPrivilege, says)
	return err
}

// What a role that somebody has made gives is not told to a session: the trial says what it cannot know.
func TestARoleOfSomebodysOwnIsNotJudged(t *testing.T) {
	eachDocumentDB(t, func(t *testing.T, w *world) {
		home := bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}
		w.role(t, "admin", "passwords", home, "changePassword", "viewUser")
		w.bare(t, w.name("app"), "first password", bson.A{grant("readWrite", w.shop()), grant(w.name("passwords"), "admin")})
		r := w.rotor(t, database.SingleUser, w.secret(t, w.name("app"), "first password"))
		var log strings.Builder
		r.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
		if err := r.trial(t); err != nil || !strings.Contains(log.String(), "does not tell what") {
			t.Errorf("got %v, and the log %s", err, log.String())
		}
		r.store.End("user")
		r.must(t)
	})
}

// DocumentDB has all users in admin, whatever a secret says, and restricts nobody by where he comes from.
func TestTheAuthenticationDatabaseOfDocumentDBIsAdmin(t *testing.T) {
	eachDocumentDB(t, func(t *testing.T, w *world) {
		doc := w.secret(t, w.user(t, "admin", w.name("app"), "first password"), "first password").With("authSource", "shop")
		for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			doc = w.rotor(t, s, doc).must(t)
		}
		err := w.rotor(t, database.SingleUser, doc.With("password", "another password")).rotate(t)
		databasetest.Wants(t, err, rotation.LoginRefused, "IAM")
		for _, none := range []string{"authSource", "authenticationRestrictions"} {
			if strings.Contains(err.Error(), none) {
				t.Errorf("there is no %s: %v", none, err)
			}
		}
	})
}
