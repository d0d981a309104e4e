package documentdb_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/password"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/rotation/rotationtest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/documentdb"
	"github.com/seed492efc12/rotor/rotators/documentdb/documentdbtest"
)

func TestMain(m *testing.M) { documentdbtest.Main(m) }

// A world is a server with an application's databases and roles.
type world struct {
	server *documentdbtest.Server
	roots  *x509.CertPool
	tag    string // begins the names of all that it makes
	itself bson.D // the role by which a user of admin may change its own password
	users  int
}

func newWorld(t *testing.T, s *documentdbtest.Server) *world {
	t.Helper()
	w := &world{server: s, roots: roots(s), tag: "r" + strings.ToLower(rand.Text()[:10])}
	t.Cleanup(func() {
		for _, database := range []string{w.shop(), w.stock()} {
			w.run(t, database, bson.D{{Key: "dropDatabase", Value: 1}})
		}
	})
	role, undo, err := s.ChangesItself(t.Context(), w.name("changesItself"))
	if err != nil {
		t.Fatal(err)
	}
	if w.itself = role; undo != nil {
		t.Cleanup(func() { w.run(t, "admin", undo) })
	}
	w.role(t, w.shop(), "pricing", bson.D{{Key: "db", Value: w.shop()}, {Key: "collection", Value: "prices"}}, "find")
	return w
}

// roots trust a server.
func roots(s *documentdbtest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	if len(s.CA) == 0 {
		pool, _ = x509.SystemCertPool()
	}
	pool.AppendCertsFromPEM(s.CA)
	return pool
}

// shop and stock are the application's databases.
func (w *world) shop() string  { return w.name("shop") }
func (w *world) stock() string { return w.name("stock") }

// name is a name that no other test has, nor anybody else on that server.
func (w *world) name(base string) string { return w.tag + "_" + base }

// run runs a command as the server's administrator.
func (w *world) run(t *testing.T, database string, command bson.D) bson.M {
	t.Helper()
	out, err := w.server.Run(context.Background(), database, command)
	if err != nil {
		t.Fatalf("%s: %v", command[0].Key, err)
	}
	return out
}

// role makes a role of that name and the world's tag, with actions on one resource.
func (w *world) role(t *testing.T, database, base string, on bson.D, actions ...string) {
	t.Helper()
	w.run(t, database, bson.D{{Key: "createRole", Value: w.name(base)}, {Key: "roles", Value: bson.A{}},
		{Key: "privileges", Value: bson.A{bson.D{{Key: "resource", Value: on}, {Key: "actions", Value: actions}}}}})
	t.Cleanup(func() { w.run(t, database, bson.D{{Key: "dropRole", Value: w.name(base)}}) })
}

// grant is a role as commands take it.
func grant(role, database string) bson.D {
	return bson.D{{Key: "role", Value: role}, {Key: "db", Value: database}}
}

// rights are the application's roles: it may change its own password, too.
func (w *world) rights() bson.A {
	return bson.A{grant("readWrite", w.shop()), grant("read", w.stock()), grant(w.name("pricing"), w.shop()), w.itself}
}

// user makes a user of that name in a database, with the application's rights and more fields of createUser.
func (w *world) user(t *testing.T, database, name, password string, more ...bson.E) string {
	t.Helper()
	command := append(bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: password}, {Key: "roles", Value: w.rights()}}, more...)
	w.run(t, database, command)
	w.dropping(t, database, name)
	return name
}

// bare makes a user with some roles alone.
func (w *world) bare(t *testing.T, name, password string, roles bson.A) {
	t.Helper()
	w.run(t, "admin", bson.D{{Key: "createUser", Value: name}, {Key: "pwd", Value: password}, {Key: "roles", Value: roles}})
	w.dropping(t, "admin", name)
}

// dropping drops a user and its clone when the test ends.
func (w *world) dropping(t *testing.T, database, name string) {
	t.Cleanup(func() {
		for _, n := range []string{name, name + "_clone"} {
			w.drop(t, database, "dropUser", n)
		}
	})
}

// drop drops a user or a role, which may be gone.
func (w *world) drop(t *testing.T, database, command, name string) {
	t.Helper()
	_, err := w.server.Run(context.Background(), database, bson.D{{Key: command, Value: name}})
	if ce, _ := errors.AsType[mongo.CommandError](err); err != nil && ce.Code != 11 && ce.Code != 31 {
		t.Errorf("%s %q: %v", command, name, err)
	}
}

// secret is that of a user of this server.
func (w *world) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(`{"masterarn":"admin"}`))
	if err != nil {
		t.Fatal(err)
	}
	d = d.With("engine", w.server.Engine).With("host", w.server.Host).With("port", fmt.Sprint(w.server.Port)).
		With("dbname", w.shop()).With("authSource", "admin").With("username", user).With("password", password)
	return d.With("replicaSet", w.server.ReplicaSet).With("ssl", w.server.SSL())
}

func (w *world) adminSecret(t *testing.T) secret.Document {
	t.Helper()
	return w.secret(t, w.server.AdminUser, w.server.AdminPassword).With("authSource", w.server.AuthSource)
}

// fixture makes a user in the database admin.
func (w *world) fixture(t *testing.T, name string) databasetest.Fixture {
	t.Helper()
	if name == "" {
		w.users++
		name = w.name(fmt.Sprint("app", w.users))
	}
	w.user(t, "admin", name, hardPassword)
	f := databasetest.Fixture{User: w.secret(t, name, hardPassword), Admin: w.adminSecret(t), Probe: w.probe}
	if w.server.TLS != servertest.TLSOff {
		f.Roots = w.roots
	}
	return f
}

// hardPassword has every printable character that DocumentDB takes.
const hardPassword = " !#$%&'()*+,-.0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// probe uses each right of the application.
func (w *world) probe(ctx context.Context, doc secret.Document) error {
	source := doc.Text("authSource")
	if source == "" {
		source = "admin"
	}
	client, err := w.server.Connect(ctx, doc.Text("username"), doc.Text("password"), source)
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	if _, err := client.Database(w.shop()).Collection("orders").InsertOne(ctx, bson.D{{Key: "item", Value: "tea"}}); err != nil {
		return fmt.Errorf("inserting: %w", err)
	}
	for _, from := range []struct{ database, collection string }{{w.shop(), "orders"}, {w.shop(), "prices"}, {w.stock(), "shelves"}} {
		if err := client.Database(from.database).Collection(from.collection).FindOne(ctx, bson.D{}).Err(); err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return fmt.Errorf("reading %s.%s: %w", from.database, from.collection, err)
		}
	}
	if _, err := client.Database(w.stock()).Collection("shelves").InsertOne(ctx, bson.D{}); err == nil {
		return errors.New("inserting into a database that it may only read")
	}
	return nil
}

// A rotor is a user's secret under rotation by one strategy.
type rotor struct {
	store   rotationtest.Store
	engine  *rotation.Engine
	rotator *database.Rotator
	version int
	sent    rotation.Plan // what the last setSecret sent
}

func (w *world) rotor(t *testing.T, s database.Strategy, doc secret.Document, change ...func(*database.Config)) *rotor {
	t.Helper()
	g, err := password.New(password.Default(), documentdb.Driver.Password)
	if err != nil {
		t.Fatal(err)
	}
	c := database.Config{Driver: documentdb.Driver, Strategy: s, Password: g.Generate, ConnectTimeout: 5 * time.Second,
		Roots: func() (*x509.CertPool, error) { return w.roots, nil }}
	for _, f := range change {
		f(&c)
	}
	r := &rotor{}
	if r.rotator, err = database.New(c); err != nil {
		t.Fatal(err)
	}
	r.store.Add("user", doc)
	r.store.Add("admin", w.adminSecret(t))
	r.engine = &rotation.Engine{Store: &r.store, Rotator: r.rotator, Clock: &rotationtest.Clock{}, Log: slog.New(slog.DiscardHandler), Public: documentdb.Driver.Fields}
	r.engine.Observe = func(o rotation.Outcome) {
		if o.Event.Step == rotation.SetSecret {
			r.sent = o.Plan
		}
	}
	return r
}

// rotate runs a whole rotation, or what is left of the one under way.
func (r *rotor) rotate(t *testing.T) error {
	t.Helper()
	if r.store.Value("user", rotation.Pending).IsZero() {
		r.version++
	}
	return rotationtest.Rotate(t.Context(), r.engine, &r.store, "user", fmt.Sprint("v", r.version))
}

// planned is rotate, held to the plan that is asked for before it.
func (r *rotor) planned(t *testing.T) error {
	t.Helper()
	plan, err := databasetest.Plan(t.Context(), r.engine)
	if err != nil {
		return err
	}
	if err := r.rotate(t); err != nil {
		return err
	}
	return databasetest.AsPlanned(plan, r.sent)
}

func (r *rotor) must(t *testing.T) secret.Document {
	t.Helper()
	if err := r.rotate(t); err != nil {
		t.Fatal(err)
	}
	return r.store.Value("user", rotation.Current)
}

// step runs one step of the version under way.
func (r *rotor) step(t *testing.T, s rotation.Step) error {
	t.Helper()
	return r.engine.Handle(t.Context(), rotation.Event{Step: s, SecretID: "user", Token: fmt.Sprint("v", r.version)})
}

func (r *rotor) begin() {
	r.version++
	r.store.Begin("user", fmt.Sprint("v", r.version))
}

func class(err error) rotation.Class {
	var e *rotation.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// each runs a test on every server.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	documentdbtest.Each(t, func(t *testing.T, s *documentdbtest.Server) { test(t, newWorld(t, s)) })
}

// eachMongoDB is each without the imitation of DocumentDB.
func eachMongoDB(t *testing.T, test func(t *testing.T, w *world)) {
	documentdbtest.EachMongoDB(t, func(t *testing.T, s *documentdbtest.Server) {
		if s.Engine != "mongo" {
			t.Skip("not covered: DocumentDB has no such thing")
		}
		test(t, newWorld(t, s))
	})
}

// eachDocumentDB is each without MongoDB.
func eachDocumentDB(t *testing.T, test func(t *testing.T, w *world)) {
	documentdbtest.EachDocumentDB(t, func(t *testing.T, s *documentdbtest.Server) { test(t, newWorld(t, s)) })
}

// eachAlone is eachMongoDB without replica sets, for tests that rotate very often: what a server says of users is the same there.
func eachAlone(t *testing.T, test func(t *testing.T, w *world)) {
	documentdbtest.EachMongoDB(t, func(t *testing.T, s *documentdbtest.Server) {
		if s.Engine != "mongo" || s.ReplicaSet != "" {
			t.Skip("not covered: one server of each version is enough")
		}
		test(t, newWorld(t, s))
	})
}

// eachOurs is each, for tests that read the server's log.
func eachOurs(t *testing.T, test func(t *testing.T, w *world)) {
	documentdbtest.Each(t, func(t *testing.T, s *documentdbtest.Server) {
		if !s.HasLog() {
			t.Skip("not covered: the log of " + s.Name() + " is out of reach")
		}
		test(t, newWorld(t, s))
	})
}

// own starts a MongoDB that no other test shares, and ownDocumentDB such an imitation.
func own(t *testing.T, c documentdbtest.Config) *world {
	t.Helper()
	return newWorld(t, documentdbtest.Start(t, c))
}

func ownDocumentDB(t *testing.T, c documentdbtest.Config) *world {
	t.Helper()
	return newWorld(t, documentdbtest.StartDocumentDB(t, c))
}

// roles are those of a user, sorted.
func (w *world) roles(t *testing.T, database, name string) (roles []string) {
	t.Helper()
	for _, v := range w.info(t, database, name)["roles"].(bson.A) {
		r := v.(bson.D)
		roles = append(roles, fmt.Sprintf("%s on %s", r[0].Value, r[1].Value))
	}
	slices.Sort(roles)
	return roles
}

// info is what usersInfo tells of a user.
func (w *world) info(t *testing.T, database, name string) bson.M {
	t.Helper()
	who := bson.D{{Key: "user", Value: name}, {Key: "db", Value: database}}
	command := bson.D{{Key: "usersInfo", Value: who}}
	if w.server.Engine == "mongo" {
		command = append(command, bson.E{Key: "showAuthenticationRestrictions", Value: true})
	}
	users := w.run(t, database, command)["users"].(bson.A)
	if len(users) != 1 {
		t.Fatalf("%d users %q", len(users), name)
	}
	out := bson.M{}
	for _, e := range users[0].(bson.D) {
		out[e.Key] = e.Value
	}
	return out
}
