package documentdb_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/documentdb"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// What a person does who reads the message at night.

// ofShell is a statement of MongoDB's shell, as messages print them: of a database, a function and its arguments in JSON.
var ofShell = regexp.MustCompile(`db\.getSiblingDB\(("[^"]*")\)\.(\w+)\((.*?)\);`)

// shell runs the statements that a message prints.
func (w *world) shell(t *testing.T, message error) {
	t.Helper()
	all := ofShell.FindAllStringSubmatch(message.Error(), -1)
	if len(all) == 0 {
		t.Fatalf("there is no statement in %v", message)
	}
	for _, s := range all {
		where, err := strconv.Unquote(s[1])
		if err != nil {
			t.Fatal(err)
		}
		var arguments []any
		if err := json.Unmarshal([]byte("["+s[3]+"]"), &arguments); err != nil {
			t.Fatalf("%s: %v", s[0], err)
		}
		command := bson.D{{Key: s[2], Value: arguments[0]}}
		switch s[2] {
		case "createRole":
			role := arguments[0].(map[string]any)
			command = bson.D{{Key: s[2], Value: role["role"]}, {Key: "privileges", Value: role["privileges"]}, {Key: "roles", Value: role["roles"]}}
			t.Cleanup(func() { w.drop(t, where, "dropRole", fmt.Sprint(role["role"])) })
		case "grantRolesToUser":
			command = append(command, bson.E{Key: "roles", Value: arguments[1]})
		default:
			t.Fatalf("%s is no statement for a remedy", s[0])
		}
		w.run(t, where, command)
	}
}

// helped says that a remedy of the class was executed, if the test goes well.
func (w *world) helped(t *testing.T, c rotation.Class) {
	t.Helper()
	if !t.Failed() {
		databasetest.Remedied(t, documentdb.Driver, w.server.Title, w.server.Real, c)
	}
}

// Who may not do what a rotation takes is given it by what the messages of trials print, and by that of the rotation.
func TestWhatUsersLackIsGrantedByTheRemedy(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		for i, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			for _, tried := range []bool{true, false} {
				name, clerk := w.name(fmt.Sprint("app", i, tried)), w.name(fmt.Sprint("clerk", i, tried))
				w.bare(t, name, "first password", bson.A{grant("readWrite", w.shop())})
				w.bare(t, clerk, "clerk's password", bson.A{grant("readWrite", w.shop())})
				r := w.rotor(t, s, w.secret(t, name, "first password"))
				r.store.Add("admin", w.secret(t, clerk, "clerk's password"))
				attempt := func() error {
					if !tried {
						return r.rotate(t)
					}
					defer r.store.End("user")
					return r.trial(t)
				}
				lacked := 0
				for err := attempt(); err != nil && lacked < 4; err = attempt() {
					databasetest.Wants(t, err, rotation.MissingPrivilege)
					w.shell(t, err)
					lacked++
				}
				if r.must(t); lacked == 0 {
					t.Errorf("nothing was missing, trial: %v", tried)
				}
				w.helped(t, rotation.MissingPrivilege)
				w.drop(t, "admin", "dropRole", "changeOwnPassword")
			}
		}
	})
}

// A replica set that has lost too many members has no primary, until one is back.
func TestAReplicaSetWithoutAPrimaryRotatesWhenItHasOne(t *testing.T) {
	w := own(t, documentdbtest.Config{ReplicaSet: true})
	r := w.rotor(t, database.SingleUser, w.fixture(t, "").User, func(c *database.Config) { c.ConnectTimeout = time.Second })
	back := w.server.LosePrimary(t)
	err := r.rotate(t)
	databasetest.Wants(t, err, rotation.Unavailable, "no primary was found", "Check that the replica set has a primary")
	back()
	r.must(t)
	w.helped(t, rotation.Unavailable)
}

// A server of another protocol is replaced by one that has it.
func TestAServerThatIsTooOldRotatesWhenItIsUpgraded(t *testing.T) {
	old := documentdbtest.StartDocumentDB(t, documentdbtest.Config{Wire: [2]int32{0, 5}})
	w := ownDocumentDB(t, documentdbtest.Config{})
	f := w.fixture(t, "")
	w.roots.AppendCertsFromPEM(old.CA)
	r := w.rotor(t, database.SingleUser, f.User.With("port", fmt.Sprint(old.Port)))
	databasetest.Wants(t, r.trial(t), rotation.Unsupported, "Upgrade the server")
	r.store.End("user")
	databasetest.Wants(t, r.rotate(t), rotation.Unsupported, "Upgrade the server")
	r.store.Add("user", f.User)
	r.must(t)
	w.helped(t, rotation.Unsupported)
}
