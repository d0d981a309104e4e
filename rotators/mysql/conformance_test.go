package mysql_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// hardNames are user names that are hard to quote.
var hardNames = []string{
	`quote"d`, `apo'strophe`, "back`tick", `per%cent`, `under_score`, `sp ace`, `semi;colon--`, `back\slash\`, `a TO b`,
	`at@sign`, `'@'%`, "x`@`%` TO `y", `ünïcødé 漢字`, `UPPER`,
}

// With ROTOR_TEST_MYSQL this runs against a MySQL 8 or 9 that somebody has.
func TestConformanceOfRealServers(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		databasetest.Run(t, realHarness(newWorld(t, s), s))
	})
}

func realHarness(w *world, s *mysqltest.Server) databasetest.Harness {
	h := databasetest.Harness{Driver: mysql.Driver, Server: w.server.Title, Real: w.server.Real, New: w.fixture, Names: mysqlNames()}
	if isMariaDB(s) {
		h.Names = append(hardNames[:len(hardNames):len(hardNames)], strings.Repeat("x", 74))
		return h
	}
	h.Overlap = true
	w.grants = append(w.grants, "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
	return h
}

// What quotes mean depends on the server's sql_mode, but for a session of the
// driver, which sets its own.
func TestHardNamesUnderOtherModes(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		for _, mode := range []string{"ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"} {
			t.Run(mode, func(t *testing.T) {
				changesAll(t)
				w := newWorld(t, s)
				w.exec(t, "SET GLOBAL sql_mode = '"+mode+"'")
				defer w.exec(t, "SET GLOBAL sql_mode = DEFAULT")
				h := realHarness(w, s)
				h.NoSweep = true
				databasetest.Run(t, h)
			})
		}
	})
}

func isMariaDB(s *mysqltest.Server) bool { return s.Product() == mysqltest.MariaDB }

// The wire-level server is the only one here that keeps old passwords.
func TestConformanceOfMySQLWithOverlap(t *testing.T) {
	for _, version := range []string{"8.0.36", "9.1.0"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, startWire(t, mysqltest.WireConfig{Version: version}))
			w.grants = append(w.grants, "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
			databasetest.Run(t, databasetest.Harness{Driver: mysql.Driver, Server: w.server.Title, Real: w.server.Real, New: w.fixture, Overlap: true, NoSweep: version != "8.0.36", Names: mysqlNames()})
		})
	}
}

func TestConformanceOfMySQLWithoutOverlap(t *testing.T) {
	off := mysql.Driver // as PASSWORD_OVERLAP=off has it
	connect := off.Connect
	off.Connect = func(ctx context.Context, l database.Login) (database.Conn, error) {
		l.Overlap = false
		return connect(ctx, l)
	}
	for _, c := range []mysqltest.WireConfig{{Version: "5.7.44"}, {Version: "8.0.13"}, {Version: "8.0.36", NativePassword: true}, {Version: "8.4.3"}} {
		t.Run(c.Version, func(t *testing.T) {
			w := newWorld(t, startWire(t, c))
			databasetest.Run(t, databasetest.Harness{Driver: off, Server: w.server.Title, Real: w.server.Real, New: w.fixture, NoSweep: c.Version != "8.4.3", Names: mysqlNames()})
		})
	}
}

// mysqlNames fit into MySQL's 32 characters with the suffix of a clone.
func mysqlNames() []string {
	return append(hardNames[:len(hardNames):len(hardNames)], strings.Repeat("x", 26))
}

func startWire(t *testing.T, c mysqltest.WireConfig) *mysqltest.Server {
	t.Helper()
	s, err := mysqltest.StartWire(mysqltest.Config{Wire: c})
	return servertest.ForTest(t, s, err)
}

// A world is a server on which an application has rights of every kind. Its databases, roles and users are of its own:
// see world.own.
type world struct {
	tag    string
	server *mysqltest.Server
	admin  *sql.DB
	roots  *x509.CertPool
	users  int
	hosts  []string
	grants []string // of an application, in which %s is its account
}

func newWorld(t *testing.T, s *mysqltest.Server) *world {
	t.Helper()
	w := &world{server: s, hosts: []string{"%"}}
	if s.Real {
		w.tag = "_" + strings.ToLower(rand.Text()[:6])
	}
	if len(s.CA) > 0 {
		w.roots = x509.NewCertPool()
		w.roots.AppendCertsFromPEM(s.CA)
	}
	admin, err := s.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	w.admin = admin
	if s.Real {
		w.populate(t)
		return w
	}
	w.grants = []string{ // the wire-level server has no tables
		"GRANT SELECT, INSERT ON shop.orders TO %s",
		"GRANT SELECT (item), UPDATE (price) ON shop.prices TO %s",
		"GRANT EXECUTE ON PROCEDURE shop.nothing TO %s WITH GRANT OPTION",
		"GRANT ALL PRIVILEGES ON `shop\\_2`.* TO %s WITH GRANT OPTION",
		"GRANT PROCESS ON *.* TO %s",
	}
	return w
}

// populate makes a database with a bit of everything.
func (w *world) populate(t *testing.T) {
	w.hosts = []string{"%", "localhost"}
	w.databases(t, "shop", "shop_2", "till")
	w.role(t, "cashier")
	w.exec(t,
		"CREATE TABLE shop.orders (id int AUTO_INCREMENT PRIMARY KEY, item text, price int)",
		"CREATE TABLE shop.prices (item text, price int)",
		"CREATE VIEW shop.recent AS SELECT * FROM shop.orders",
		"CREATE FUNCTION shop.total() RETURNS bigint READS SQL DATA SQL SECURITY DEFINER RETURN (SELECT COUNT(*) FROM shop.orders)",
		"CREATE PROCEDURE shop.nothing() SELECT 1",
		"CREATE TABLE shop_2.t (n int)",
		"CREATE TABLE till.coins (n int)",
		"GRANT INSERT ON till.coins TO cashier",
	)
	w.grants = []string{
		"GRANT SELECT, INSERT ON shop.orders TO %s",
		"GRANT SELECT ON shop.recent TO %s",
		"GRANT SELECT (item), UPDATE (price) ON shop.prices TO %s",
		"GRANT EXECUTE ON FUNCTION shop.total TO %s",
		"GRANT EXECUTE ON PROCEDURE shop.nothing TO %s WITH GRANT OPTION",
		"GRANT SELECT, CREATE TEMPORARY TABLES ON `shop\\_2`.* TO %s WITH GRANT OPTION",
		"GRANT PROCESS ON *.* TO %s",
		"GRANT cashier TO %s",
		w.defaultRole("cashier"),
	}
}

// defaultRole is the statement that lets a login as %s activate a role.
func (w *world) defaultRole(name string) string {
	if isMariaDB(w.server) {
		return "SET DEFAULT ROLE " + name + " FOR %s"
	}
	return "SET DEFAULT ROLE " + name + " TO %s"
}

// databases makes databases that end with the test.
func (w *world) databases(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		w.exec(t, "CREATE DATABASE "+name)
		t.Cleanup(func() { w.exec(t, "DROP DATABASE IF EXISTS "+name) })
	}
}

// role makes a role that ends with the test.
func (w *world) role(t *testing.T, name string) {
	t.Helper()
	w.exec(t, "CREATE ROLE "+name)
	t.Cleanup(func() { w.exec(t, "DROP ROLE "+name) })
}

// own gives the names that the tests use a tag, if they have none yet: the server may be somebody else's.
func (w *world) own(text string) string {
	escaped := `shop` + strings.ReplaceAll(w.tag, "_", `\_`)
	pairs := []string{escaped, escaped, `shop\_2`, escaped + `\_2`, "shop_2", "shop" + w.tag + "_2"}
	for _, name := range []string{"shop", "till", "gone", "stock", "store", "cashier", "drifter", "keeper", "tenant", "lo%wly", "nopasser", "seconder", "hasher"} {
		pairs = append(pairs, name+w.tag, name+w.tag, name, name+w.tag)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// exec runs statements as the administrator.
func (w *world) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, s := range statements {
		s = w.own(s)
		if _, err := w.admin.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteText(text string) string {
	return "'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(text) + "'"
}

// user makes a user of that name, or a new one, with the application's rights.
func (w *world) user(t *testing.T, name, password string) string {
	t.Helper()
	if name == "" {
		w.users++
		name = fmt.Sprint("app", w.users, w.tag)
	}
	for i, host := range w.hosts {
		account := quoteName(name) + "@" + quoteName(host)
		w.exec(t, "CREATE USER "+account+" IDENTIFIED BY "+quoteText(password))
		if i == 0 { // it is the test's own
			t.Cleanup(func() { w.drop(t, name, name+"_clone") })
		}
		for _, g := range w.grants {
			w.exec(t, strings.ReplaceAll(g, "%s", account))
		}
	}
	return name
}

func (w *world) drop(t *testing.T, names ...string) {
	for _, name := range names {
		for _, host := range w.hosts {
			w.exec(t, "DROP USER IF EXISTS "+quoteName(name)+"@"+quoteName(host))
		}
	}
}

func (w *world) fixture(t *testing.T, name string) databasetest.Fixture {
	t.Helper()
	const password = `old " ' \ $1 %s ;`
	user := w.user(t, name, password)
	f := databasetest.Fixture{
		User:  w.secret(t, user, password),
		Admin: w.secret(t, w.server.AdminUser, w.server.AdminPassword),
		Roots: w.roots,
	}
	if w.server.Real {
		f.Probe = w.probe
	}
	return f
}

func (w *world) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(`{"engine":"mysql","masterarn":"admin"}`))
	if err != nil {
		t.Fatal(err)
	}
	return d.With("host", w.server.Host).With("port", fmt.Sprint(w.server.Port)).
		With("username", user).With("password", password)
}

// probe uses each right that the application has, and undoes what it did.
func (w *world) probe(ctx context.Context, doc secret.Document) error {
	db, err := w.server.Connect(ctx, doc.Text("username"), doc.Text("password"), "")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		"START TRANSACTION",
		"INSERT INTO shop.orders (item) VALUES ('tea')",
		"SELECT * FROM shop.orders",
		"SELECT * FROM shop.recent",
		"SELECT item FROM shop.prices",
		"UPDATE shop.prices SET price = 1",
		"SELECT shop.total()",
		"CALL shop.nothing()",
		"SELECT * FROM shop_2.t",
		"CREATE TEMPORARY TABLE shop_2.temporary (n int)",
		"INSERT INTO till.coins VALUES (1)", // by the default role
		"ROLLBACK",
	} {
		if _, err := db.ExecContext(ctx, w.own(statement)); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	if _, err := db.ExecContext(ctx, w.own("INSERT INTO shop.prices VALUES ('tea', 1)")); err == nil {
		return fmt.Errorf("the user may do more than was granted")
	}
	return nil
}

// rotator rotates users of the world's server.
func (w *world) rotator(t *testing.T, c database.Config) *database.Rotator {
	t.Helper()
	c.Driver = mysql.Driver
	c.Roots = func() (*x509.CertPool, error) { return w.roots, nil }
	r, err := database.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
