package main_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/local"
	"github.com/seed492efc12/rotor/local/functiontest"
	"github.com/seed492efc12/rotor/local/rig"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

// Passwords with characters that JSON and URLs write in another way, and that DocumentDB takes.
const (
	firstPassword = `F1rst&<'pass%word'> \ $1`
	wrongPassword = `Wr0ng&<'pass%word'> \ $1`
	adminPassword = `Adm1n&<'pass%word'> \ $1`
)

const function = "github.com/seed492efc12/rotor/functions/documentdb"

func TestMain(m *testing.M) { documentdbtest.Main(m) }

// build is the binary that the tests drive.
func build(t *testing.T) (bootstrap string) {
	t.Helper()
	return functiontest.Bootstrap(t, function)
}

// must is for calls that have to succeed: must(call())(t) is their result.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// fixtures make users in a part of a server that no other test has.
type fixtures struct {
	server *documentdbtest.Server
	tag    string // begins the names of all that it makes
	users  int
}

// newFixtures drops the database of its users in the end.
func newFixtures(t *testing.T, s *documentdbtest.Server) *fixtures {
	t.Helper()
	f := &fixtures{server: s, tag: "r" + rand.Text()[:10] + " "}
	t.Cleanup(func() { f.run(t, f.shop(), bson.D{{Key: "dropDatabase", Value: 1}}) })
	return f
}

// A world is what one test has for itself on a server: a Secrets Manager, an administrator's secret, and the function.
// It ends by searching all that the function wrote for what must not be there.
type world struct {
	*rig.Rig
	*fixtures
	bootstrap string
	masterARN string

	functions []*rig.Function
	passwords []string
}

// newWorld opens one. Failed rotations are not retried.
func newWorld(t *testing.T, bootstrap string, s *documentdbtest.Server, o local.Options) *world {
	t.Helper()
	w := &world{bootstrap: bootstrap, fixtures: newFixtures(t, s)}
	o.Retries = -1
	w.Rig = must(rig.Open(o))(t)
	t.Cleanup(func() { w.finish(t) })
	dba := w.user(t, "dba", adminPassword, "userAdminAnyDatabase", "admin")
	w.masterARN = w.secret(t, "administrator", w.document(dba, adminPassword))
	return w
}

// finish closes the rig, so that the functions' logs are complete.
func (w *world) finish(t *testing.T) {
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for _, f := range w.functions {
		w.wantNothingSensitive(t, f.Log())
	}
}

// patience is the function's time: what may pass by itself is tried again until it is over.
const patience = 5 * time.Second

// start starts the function with the server's CA and settings given as name and value in turn.
func (w *world) start(t *testing.T, settings ...string) *rig.Function {
	t.Helper()
	env := map[string]string{"CA_BUNDLE": string(w.server.CA)}
	for i := 0; i < len(settings); i += 2 {
		env[settings[i]] = settings[i+1]
	}
	f := must(w.Start(local.FunctionConfig{Bootstrap: w.bootstrap, Name: fmt.Sprint("function", len(w.functions)), Env: env, Timeout: patience}))(t)
	w.functions = append(w.functions, f)
	return f
}

// user makes a user with one role, who may change its own password if the test needs that, and drops it and its clone in
// the end.
func (f *fixtures) user(t *testing.T, base, password, role, database string) (name string) {
	t.Helper()
	f.users++
	name = fmt.Sprintf("%s%s %d of %s", f.tag, base, f.users, t.Name())
	itself, undo, err := f.server.ChangesItself(context.Background(), "of "+name)
	if err != nil {
		t.Fatal(err)
	}
	roles := bson.A{bson.D{{Key: "role", Value: role}, {Key: "db", Value: database}}, itself}
	if f.server.Engine == "documentdb" && hasAdministrator(t) {
		roles = roles[:1] // the other one makes an administrator there
	}
	f.run(t, "admin", bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: password}, {Key: "roles", Value: roles}})
	t.Cleanup(func() {
		drops := []bson.D{{{Key: "dropUser", Value: name}}, {{Key: "dropUser", Value: name + "_clone"}}}
		if undo != nil {
			drops = append(drops, undo)
		}
		for _, command := range drops {
			_, err := f.server.Run(context.Background(), "admin", command)
			if ce, _ := errors.AsType[mongo.CommandError](err); err != nil && ce.Code != 11 { // a clone that was never made
				t.Error(err)
			}
		}
	})
	return name
}

// hasAdministrator reports whether a test of the suite rotates by an administrator: its name has the strategy.
func hasAdministrator(t *testing.T) bool {
	return strings.Contains(t.Name(), "/single-user-by-administrator") || strings.Contains(t.Name(), "/alternating-users")
}

// shop is the application's database.
func (f *fixtures) shop() string { return strings.TrimSpace(f.tag) + "_shop" }

func (f *fixtures) run(t *testing.T, database string, command bson.D) {
	t.Helper()
	if _, err := f.server.Run(context.Background(), database, command); err != nil {
		t.Fatalf("%s: %v", command[0].Key, err)
	}
}

// A document is a secret's JSON before it is text.
type document map[string]any

// document is the secret of a user of the world's server.
func (f *fixtures) document(user, password string) document {
	d := document{"engine": f.server.Engine, "host": f.server.Host, "port": f.server.Port, "dbname": f.shop(), "authSource": "admin", "username": user, "password": password}
	if f.server.ReplicaSet != "" {
		d["replicaSet"] = f.server.ReplicaSet
	}
	return d
}

// with is a copy with other fields.
func (d document) with(fields document) document {
	d = maps.Clone(d)
	maps.Copy(d, fields)
	return d
}

// secret stores d and returns its ARN.
func (w *world) secret(t *testing.T, name string, d document) (arn string) {
	t.Helper()
	w.passwords = append(w.passwords, d["password"].(string))
	return must(w.CreateSecret(t.Context(), name, string(must(json.Marshal(d))(t))))(t)
}

// login is what a version of a secret says.
type login struct{ Username, Password string }

// read reads the current version of a secret.
func (w *world) read(t *testing.T, arn string) (l login) {
	t.Helper()
	if err := json.Unmarshal([]byte(must(w.Value(t.Context(), arn, "AWSCURRENT"))(t)), &l); err != nil {
		t.Fatal(err)
	}
	w.passwords = append(w.passwords, l.Password)
	return l
}

// accepts tells whether the server accepts a login, and lets it do its work. Any other answer than yes or no fails the
// test.
func (w *world) accepts(t *testing.T, l login) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client, err := w.server.Connect(ctx, l.Username, l.Password, "admin")
	if err == nil {
		defer func() { _ = client.Disconnect(ctx) }()
		if _, err := client.Database(w.shop()).Collection("orders").InsertOne(ctx, bson.D{{Key: "item", Value: "tea"}}); err != nil {
			t.Errorf("%s may not insert: %v", l.Username, err)
		}
		return true
	}
	var ce mongo.CommandError
	if !errors.As(err, &ce) || ce.Code != 18 {
		t.Fatal(err)
	}
	return false
}

// wantNothingSensitive searches text for every password and every RotationToken.
func (w *world) wantNothingSensitive(t *testing.T, text string) {
	t.Helper()
	for _, line := range functiontest.Find(text, append(w.RotationTokens(), w.passwords...)...) {
		t.Errorf("there is a password or a RotationToken in: %s", line)
	}
}
