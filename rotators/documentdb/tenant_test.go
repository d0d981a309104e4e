package documentdb_test

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// An attack is commands that the owner of the database shop runs, each on a database, against an administrator who rotates
// app, a user of admin. Some are refused: the rest of an attack goes on.
type attack map[string][]string

// In commands, as extended JSON, $APP is app's name, $ME the tenant's, $SHOP the database.
var attacks = map[string]attack{
	"app in its own database":        {"$SHOP": {`{"createUser": "$APP", "pwd": "tenant", "roles": ["dbOwner"]}`}},
	"the clone in its own database":  {"$SHOP": {`{"createUser": "$APP_clone", "pwd": "tenant", "roles": ["dbOwner"]}`}},
	"the clone beside app":           {"admin": {`{"createUser": "$APP_clone", "pwd": "tenant", "roles": []}`}},
	"a user of the administrators":   {"$SHOP": {`{"createUser": "root user", "pwd": "tenant", "roles": []}`}},
	"another password":               {"admin": {`{"updateUser": "$APP", "pwd": "tenant"}`}},
	"other custom data":              {"admin": {`{"updateUser": "$APP", "customData": {"x": "y"}}`}},
	"app dropped":                    {"admin": {`{"dropUser": "$APP"}`}},
	"root for itself":                {"$SHOP": {`{"grantRolesToUser": "$ME", "roles": [{"role": "root", "db": "admin"}]}`}},
	"root for app":                   {"admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "root", "db": "admin"}]}`}},
	"root within a role":             {"$SHOP": {`{"createRole": "wide$APP", "privileges": [], "roles": [{"role": "root", "db": "admin"}]}`}},
	"rights elsewhere within a role": {"$SHOP": {`{"createRole": "far$APP", "privileges": [{"resource": {"db": "admin", "collection": ""}, "actions": ["find"]}], "roles": []}`}},
	"rights on everything in a role": {"$SHOP": {`{"createRole": "any$APP", "privileges": [{"resource": {"anyResource": true}, "actions": ["anyAction"]}], "roles": []}`}},
	"a role that is called root":     {"$SHOP": {`{"createRole": "root", "privileges": [], "roles": []}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "root", "db": "$SHOP"}]}`}},
	"a role that looks like a list":  {"$SHOP": {`{"createRole": "x\"}, {\"role\": \"root\", \"db\": \"admin", "privileges": [], "roles": []}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "x\"}, {\"role\": \"root\", \"db\": \"admin", "db": "$SHOP"}]}`}},
	"a role with a dollar":           {"$SHOP": {`{"createRole": "$where", "privileges": [], "roles": []}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "$where", "db": "$SHOP"}]}`}},
	"a role with a dot":              {"$SHOP": {`{"createRole": "admin.root", "privileges": [], "roles": []}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "admin.root", "db": "$SHOP"}]}`}},
	"a role with lines of a log":     {"$SHOP": {`{"createRole": "x\n{\"level\":\"ERROR\"}", "privileges": [], "roles": []}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "x\n{\"level\":\"ERROR\"}", "db": "$SHOP"}]}`}},
	"a very long role":               {"$SHOP": {`{"createRole": "` + strings.Repeat("long", 200) + `", "privileges": [], "roles": []}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "` + strings.Repeat("long", 200) + `", "db": "$SHOP"}]}`}},
	"a role that is dropped":         {"$SHOP": {`{"createRole": "away$APP", "privileges": [], "roles": []}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "away$APP", "db": "$SHOP"}]}`}, "$SHOP ": {`{"dropRole": "away$APP"}`}},
	"its own role for app":           {"admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "dbOwner", "db": "$SHOP"}]}`}},
	"less for app":                   {"admin": {`{"revokeRolesFromUser": "$APP", "roles": [{"role": "readWrite", "db": "$SHOP"}]}`}},
	"a role that no host may use":    {"$SHOP": {`{"createRole": "shut$APP", "privileges": [], "roles": [], "authenticationRestrictions": [{"clientSource": ["10.0.0.1"]}]}`}, "admin": {`{"grantRolesToUser": "$APP", "roles": [{"role": "shut$APP", "db": "$SHOP"}]}`}},
	"documents of the catalog":       {"admin": {`{"insert": "system.users", "documents": [{"_id": "admin.$APP_clone", "user": "$APP_clone", "db": "admin"}]}`, `{"update": "system.users", "updates": [{"q": {"user": "$ME"}, "u": {"$set": {"roles": [{"role": "root", "db": "admin"}]}}}]}`}},
	"a catalog of its own":           {"$SHOP": {`{"insert": "system.users", "documents": [{"_id": "x"}]}`, `{"create": "system.roles"}`}},
	"a record of what is said":       {"$SHOP": {`{"profile": 2}`}, "admin": {`{"profile": 2}`}},
	"another version of the catalog": {"admin": {`{"setFeatureCompatibilityVersion": "4.4"}`, `{"setParameter": 1, "scramIterationCount": 5000}`}},
	"an end to others' commands":     {"admin": {`{"killOp": 1, "op": 1}`, `{"killAllSessions": []}`}},
	"a look at others' commands":     {"admin": {`{"currentOp": 1, "$all": true}`}},
	"the log":                        {"admin": {`{"getLog": "global"}`, `{"setParameter": 1, "logLevel": 5}`}},
	"another primary":                {"admin": {`{"replSetStepDown": 10, "force": true}`, `{"shutdown": 1}`}},
	"a failure of our commands":      {"admin": {`{"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": {"failCommands": ["updateUser"], "errorCode": 11600}}`}},
}

// hindered are attacks after which the rotation may fail: then it changes nothing.
var hindered = map[string]bool{"a role that no host may use": true}

// A tenant owns a database in which app has roles. Whatever it prepares, rotations by an administrator give it nothing.
func TestTheTenantGainsNothing(t *testing.T) {
	if len(attacks) < 30 {
		t.Errorf("there are %d attacks", len(attacks))
	}
	w := own(t, documentdbtest.Config{})
	tenant := w.name("tenant")
	w.run(t, w.shop(), bson.D{{Key: "createUser", Value: tenant}, {Key: "pwd", Value: "tenant"}, {Key: "roles", Value: bson.A{grant("dbOwner", w.shop())}}})
	t.Cleanup(func() { w.run(t, w.shop(), bson.D{{Key: "dropAllUsersFromDatabase", Value: 1}}) })
	client, err := w.server.Connect(t.Context(), tenant, "tenant", w.shop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(t.Context()) })
	worked := 0
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			before := w.holdings(t, tenant)
			for way, s := range databasetest.Ways() {
				w.users++
				app := w.user(t, "admin", w.name(fmt.Sprint("app", w.users)), "first password")
				of := strings.NewReplacer("$APP", app, "$ME", tenant, "$SHOP", w.shop())
				for _, on := range []string{"$SHOP", "admin", "$SHOP "} {
					for _, text := range a[on] {
						command := parsed(t, of.Replace(text))
						if err := client.Database(strings.TrimSpace(of.Replace(on))).RunCommand(t.Context(), command).Err(); err == nil {
							worked++
						} else {
							t.Logf("%s: %v", command[0].Key, err)
						}
					}
				}
				r := w.rotor(t, s, w.secret(t, app, "first password"))
				for range 2 {
					err := r.rotate(t)
					if err != nil && !hindered[name] {
						t.Errorf("%s: %v", way, err)
					}
					if err != nil && !hindered[name] && !w.logsIn(t, r.store.Value("user", rotation.Current)) && !w.logsIn(t, r.store.Value("user", rotation.Pending)) {
						t.Errorf("%s: nobody can log in, after %v", way, err)
					}
				}
				for _, user := range []string{app, app + "_clone"} {
					if w.logsIn(t, w.secret(t, user, "tenant")) {
						t.Errorf("%s: the tenant's password opens %s", way, user)
					}
				}
			}
			if after := w.holdings(t, tenant); after != before {
				t.Errorf("the tenant holds\n%s, and held\n%s", after, before)
			}
		})
	}
	if worked < 20 {
		t.Errorf("of all commands of attacks %d worked: this proves little", worked)
	}
}

// parsed is a command that is written as extended JSON.
func parsed(t *testing.T, text string) (command bson.D) {
	t.Helper()
	if err := bson.UnmarshalExtJSON([]byte(text), false, &command); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return command
}

// holdings are the roles and privileges of shop's user, and who is root.
func (w *world) holdings(t *testing.T, name string) string {
	t.Helper()
	info := w.run(t, w.shop(), bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: name}, {Key: "db", Value: w.shop()}}}, {Key: "showPrivileges", Value: true}})["users"].(bson.A)
	users := w.run(t, "admin", bson.D{{Key: "usersInfo", Value: bson.D{{Key: "forAllDBs", Value: true}}}, {Key: "filter", Value: bson.D{{Key: "roles", Value: grant("root", "admin")}}}})["users"].(bson.A)
	return fmt.Sprintf("%v; root are %d", info, len(users))
}

// logsIn reports whether a value of the secret is a login.
func (w *world) logsIn(t *testing.T, doc secret.Document) bool {
	t.Helper()
	return w.dial(t, doc) == nil
}
