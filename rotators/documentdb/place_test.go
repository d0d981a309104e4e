package documentdb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// A user is defined in one database, works in another, and its administrator is defined in a third.
func TestAUserOfAnotherAuthenticationDatabase(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		source, name := w.name("accounts"), w.name("app")
		w.role(t, source, "changesItselfThere", bson.D{{Key: "db", Value: source}, {Key: "collection", Value: ""}}, "changeOwnPassword")
		for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			w.user(t, source, name, "first password")
			w.run(t, source, bson.D{{Key: "grantRolesToUser", Value: name}, {Key: "roles", Value: bson.A{grant(w.name("changesItselfThere"), source)}}})
			r := w.rotor(t, s, w.secret(t, name, "first password").With("authSource", source))
			for range 3 {
				if err := w.probe(t.Context(), r.must(t)); err != nil {
					t.Error(err)
				}
			}
			w.run(t, source, bson.D{{Key: "dropUser", Value: name}})
		}
	})
}

// A name may be taken in several databases: the user's own secret says which of them is meant.
func TestANameInTwoDatabasesIsTheSecretsOwn(t *testing.T) {
	w := own(t, documentdbtest.Config{})
	name := w.name("app")
	w.user(t, "admin", name, "another's password")
	w.user(t, "accounts", name, "first password")
	doc := w.secret(t, name, "first password").With("authSource", "accounts")
	for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
		r := w.rotor(t, s, doc)
		for range 2 {
			doc = r.must(t)
			if err := w.probe(t.Context(), doc); err != nil {
				t.Error(err)
			}
		}
	}
	// The user itself knows where it is.
	w.role(t, "accounts", "changes", bson.D{{Key: "db", Value: "accounts"}, {Key: "collection", Value: ""}}, "changeOwnPassword")
	w.run(t, "accounts", bson.D{{Key: "grantRolesToUser", Value: name}, {Key: "roles", Value: bson.A{grant(w.name("changes"), "accounts")}}})
	doc = w.rotor(t, database.SingleUser, doc).must(t)
	if err := w.probe(t.Context(), doc); err != nil {
		t.Error(err)
	}
	if _, err := w.connect(t, name, "another's password"); err != nil {
		t.Errorf("the other user: %v", err)
	}
}

// An administrator of another database, which has a user of the same name, must not give that one the password.
func TestAUserOfAnotherDatabaseIsNotTouched(t *testing.T) {
	w := own(t, documentdbtest.Config{})
	name := w.name("app")
	w.user(t, "crm", name, "the other's password")
	w.user(t, "accounts", name, "first password")
	w.run(t, "crm", bson.D{{Key: "createUser", Value: "keeper"}, {Key: "pwd", Value: "keeper's password"}, {Key: "roles", Value: bson.A{grant("userAdmin", "crm")}}})
	for _, s := range []database.Strategy{database.SingleUserByAdministrator, database.AlternatingUsers} {
		r := w.rotor(t, s, w.secret(t, name, "first password").With("authSource", "accounts"))
		r.store.Add("admin", w.secret(t, "keeper", "keeper's password").With("authSource", "crm"))
		if err := r.rotate(t); class(err) != rotation.MissingPrivilege {
			t.Errorf("got %v", err)
		}
	}
	for source, password := range map[string]string{"crm": "the other's password", "accounts": "first password"} {
		if err := w.probe(t.Context(), w.secret(t, name, password).With("authSource", source)); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestAnAdministratorOfOneDatabaseIsEnough(t *testing.T) {
	w := own(t, documentdbtest.Config{})
	w.run(t, "accounts", bson.D{{Key: "createUser", Value: "keeper"}, {Key: "pwd", Value: "keeper's password"},
		{Key: "roles", Value: bson.A{grant("userAdmin", "accounts"), grant("userAdmin", w.shop())}}})
	w.run(t, "accounts", bson.D{{Key: "createUser", Value: "app"}, {Key: "pwd", Value: "first password"}, {Key: "roles", Value: bson.A{grant("readWrite", w.shop())}}})
	r := w.rotor(t, database.AlternatingUsers, w.secret(t, "app", "first password").With("authSource", "accounts"))
	r.store.Add("admin", w.secret(t, "keeper", "keeper's password").With("authSource", "accounts"))
	for range 2 {
		r.must(t)
	}
	w.run(t, "accounts", bson.D{{Key: "grantRolesToUser", Value: "app_clone"}, {Key: "roles", Value: bson.A{grant("read", w.shop())}}})
	r.must(t) // the clone, whose own role goes
	if got := w.roles(t, "accounts", "app_clone"); len(got) != 1 {
		t.Errorf("the clone has %v", got)
	}
}

// The primary goes after each step, between setSecret and testSecret too.
func TestAFailoverBetweenTheSteps(t *testing.T) {
	for name, w := range map[string]*world{
		"replica set":      own(t, documentdbtest.Config{ReplicaSet: true}),
		"cluster endpoint": ownDocumentDB(t, documentdbtest.Config{ReplicaSet: true}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
				user := w.fixture(t, "").User.Text("username")
				r := w.rotor(t, s, w.secret(t, user, hardPassword))
				for range 2 {
					r.begin()
					for _, step := range rotation.Steps() {
						if err := r.step(t, step); err != nil {
							t.Fatalf("%s: %v", step, err)
						}
						w.server.StepDown(t)
					}
					r.store.End("user")
					if err := w.probe(t.Context(), r.store.Value("user", rotation.Current)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// The primary goes while a step is at work: the step runs again, with another login.
func TestAFailoverWithinAStep(t *testing.T) {
	plain := documentdbtest.Config{Options: servertest.NoTLS(), ReplicaSet: true}
	for name, w := range map[string]*world{"replica set": own(t, plain), "cluster endpoint": ownDocumentDB(t, plain)} {
		t.Run(name, func(t *testing.T) {
			p := &tap{before: func() { w.server.StepDown(t) }}
			user := w.user(t, "admin", w.name("app"), "first password")
			r := w.rotor(t, database.AlternatingUsers, w.secret(t, user, "first password"), p.on)
			for _, p.word = range []string{"usersInfo", "createUser", "updateUser", "updateUser", "usersInfo"} {
				p.done = false
				if err := w.probe(t.Context(), r.must(t)); err != nil {
					t.Errorf("%s: %v", p.word, err)
				}
				if !p.done && p.word != "createUser" {
					t.Errorf("there was no %s", p.word)
				}
			}
		})
	}
}

func TestASecondaryIsNotWrittenTo(t *testing.T) {
	w := own(t, documentdbtest.Config{ReplicaSet: true})
	user := w.user(t, "admin", w.name("app"), "first password")
	port := fmt.Sprint(w.server.Secondary())
	doc := w.secret(t, user, "first password").With("port", port)
	// Without replicaSet the connection is to the one host that the secret names.
	direct := doc.With("replicaSet", "")
	w.await(t, "the secondary has the user", func() bool { return w.dial(t, direct) == nil })
	for _, s := range []database.Strategy{database.SingleUser, database.AlternatingUsers} {
		mark := w.server.Mark()
		r := w.rotor(t, s, direct)
		r.store.Add("admin", w.adminSecret(t).With("port", port).With("replicaSet", ""))
		if err := r.rotate(t); class(err) != rotation.ReadOnly || !strings.Contains(err.Error(), "cluster endpoint") {
			t.Errorf("got %v", err)
		}
		if strings.Contains(w.server.LogSince(mark), "updateUser") {
			t.Error("the secondary was written to")
		}
	}
	// With it, any member leads to the primary.
	r := w.rotor(t, database.SingleUser, doc)
	if err := w.probe(t.Context(), r.must(t)); err != nil {
		t.Error(err)
	}
}

// The secrets that AWS makes have the engine mongo, a number as port, and neither authSource nor, sometimes, dbname.
// Source: AWS Secrets Manager user guide, "JSON structure of AWS Secrets Manager secrets".
func TestSecretsAsAWSMakesThem(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, w *world) {
		for i, dbname := range []string{"", fmt.Sprintf(`"dbname":%q,`, w.shop())} {
			home := "admin"
			if dbname != "" {
				home = w.shop()
			}
			user := w.user(t, home, w.name(fmt.Sprint("app", i)), "first password")
			doc, err := secret.Parse(fmt.Appendf(nil, `{"engine":"mongo","host":%q,"port":%d,"username":%q,"password":"first password",%s"ssl":%s,"masterarn":"admin"}`,
				w.server.Host, w.server.Port, user, dbname, w.server.SSL()))
			if err != nil {
				t.Fatal(err)
			}
			r := w.rotor(t, database.AlternatingUsers, doc)
			r.store.Add("admin", w.adminSecret(t).With("authSource", "").With("replicaSet", "").With("dbname", ""))
			for range 2 {
				if err := w.probe(t.Context(), r.must(t).With("authSource", home)); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func TestSecretsThatNameNoPlace(t *testing.T) {
	w := own(t, documentdbtest.Config{})
	good := w.secret(t, "app", "first password")
	for field, value := range map[string]string{"host": "a,b", "authSource": "a.b", "srv": "yes"} {
		if err := w.rotor(t, database.SingleUser, good.With(field, value)).rotate(t); class(err) != rotation.BadSecret {
			t.Errorf("%s %q: got %v", field, value, err)
		}
	}
	if err := w.rotor(t, database.SingleUser, good.With("srv", "true")).rotate(t); class(err) != rotation.BadSecret || !strings.Contains(err.Error(), "domain") {
		t.Errorf("srv with an address: got %v", err)
	}
	if err := w.rotor(t, database.SingleUser, good.With("host", "mongodb://x")).rotate(t); class(err) != rotation.BadSecret {
		t.Errorf("a URI as host: got %v", err)
	}
}

func TestAReplicaSetOfAnotherNameIsNotUsed(t *testing.T) {
	w := own(t, documentdbtest.Config{ReplicaSet: true})
	doc := w.secret(t, w.user(t, "admin", w.name("app"), "first password"), "first password").With("replicaSet", "another")
	mark := w.server.Mark()
	r := w.rotor(t, database.SingleUser, doc, func(c *database.Config) { c.ConnectTimeout = 300 * time.Millisecond })
	_, err := r.rotator.Connect(t.Context(), doc)
	wantFault(t, err, rotation.Unavailable, "another")
	if accepted, refused := w.server.LoginsSince(mark); accepted+refused != 0 {
		t.Error("the password was used")
	}
}

// wantFault checks the class of an error of a connection, and a part of its text or of its remedy.
func wantFault(t *testing.T, err error, want rotation.Class, says string) {
	t.Helper()
	var f *rotation.Fault
	if !errors.As(err, &f) || f.Class != want || !strings.Contains(err.Error()+f.Remedy, says) {
		t.Errorf("got %v, want %s that says %q", err, want, says)
	}
}
