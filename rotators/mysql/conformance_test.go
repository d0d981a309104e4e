package mysql_test

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	driver "github.com/go-sql-driver/mysql"

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

func TestConformanceOfRealServers(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		w := newWorld(t, s)
		h := w.harness()
		h.NoSweep = !s.IsNewest()
		if !isMariaDB(s) {
			h.Overlap = true
			w.grants = append(w.grants, "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO %s")
		}
		databasetest.Run(t, h)
	})
}

// MySQL 5.7 is our reading of its manual; the others are real.
func TestConformanceOfMySQLWithoutOverlap(t *testing.T) {
	run := func(t *testing.T, s *mysqltest.Server) {
		h := newWorld(t, s).harness()
		if h.NoOverlap = true; s.Real { // the other test has had the names and the faults
			h.NoSweep, h.Names = true, nil
		}
		databasetest.Run(t, h)
	}
	t.Run("MySQL5.7", func(t *testing.T) {
		s := startWire(t)
		run(t, s)
		wantHeard(t, s.Log())
	})
	mysqltest.EachOf(t, mysqltest.MySQL, run)
}

func (w *world) harness() databasetest.Harness {
	return databasetest.Harness{Driver: mysql.Driver, Server: w.server.Title, Real: w.server.Real, Databases: true, New: w.fixture, Names: w.hardNames(),
		Unmarked: isMariaDB(w.server) || !w.server.Real}
}

// hardNames are those of the world: as long as a clone's may be less its suffix, and with the world's tag in them.
func (w *world) hardNames() []string {
	longest := 32 - len(mysql.Driver.Cloning.Suffix)
	if isMariaDB(w.server) {
		longest = 80 - len(mysql.Driver.Cloning.Suffix)
	}
	var names []string
	for _, name := range append(slices.Clone(hardNames), strings.Repeat("x", longest-len(w.tag))) {
		_, size := utf8.DecodeRuneInString(name)
		names = append(names, name[:size]+w.tag+name[size:])
	}
	return names
}

// What quotes mean depends on the server's sql_mode, but for a session of the driver, which sets its own.
//
// The users have no default role: under ANSI_QUOTES a MySQL 9.7.4 refuses EXECUTE (1370) to users who have one and were
// granted it on a routine, whoever made them.
func TestHardNamesUnderOtherModes(t *testing.T) {
	for _, product := range []string{mysqltest.MySQL, mysqltest.MariaDB} {
		t.Run(product, func(t *testing.T) {
			s := mysqltest.Start(t, product, mysqltest.Config{})
			for _, mode := range []string{"ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"} {
				t.Run(mode, func(t *testing.T) {
					w := newWorld(t, s)
					w.hosts = w.hosts[:1]
					w.grants = []string{"GRANT SELECT (item), UPDATE (price) ON shop.prices TO %s", "GRANT EXECUTE ON FUNCTION shop.total TO %s", "GRANT SELECT ON `shop\\_2`.* TO %s WITH GRANT OPTION"}
					w.exec(t, "SET GLOBAL sql_mode = '"+mode+"'")
					defer w.exec(t, "SET GLOBAL sql_mode = DEFAULT") // the next world's session begins with it
					for _, name := range w.hardNames() {
						t.Run(name, func(t *testing.T) { w.rotatesByEachStrategy(t, w.user(t, name, firstPassword)) })
					}
				})
			}
		})
	}
}

// rotatesByEachStrategy does to a user what the strategies do, and looks whether the passwords work.
func (w *world) rotatesByEachStrategy(t *testing.T, user string) {
	t.Helper()
	if err := w.as(t, user, firstPassword).SetPassword(t.Context(), databasetest.Change(user, newPassword)); err != nil {
		t.Fatalf("by itself: %v", err)
	}
	if err := w.as(t, user, newPassword).Check(t.Context()); err != nil {
		t.Errorf("the new password: %v", err)
	}
	administrator := w.administrator(t)
	if err := administrator.SetPassword(t.Context(), databasetest.Change(user, new32)); err != nil {
		t.Fatalf("by an administrator: %v", err)
	}
	want := w.rights(t, user, new32)
	for _, password := range []string{oddLength, clonePassword} { // a new clone, and an old one
		if err := administrator.(database.Administrator).PreflightClone(t.Context(), databasetest.Pair(user, user+"_clone")); err != nil {
			t.Errorf("trial: %v", err)
		}
		if err := databasetest.Clone(t.Context(), administrator, user, user+"_clone", password); err != nil {
			t.Fatalf("alternating: %v", err)
		}
		if got := w.rights(t, user+"_clone", password); !slices.Equal(got, want) || len(want) < 4 {
			t.Errorf("the clone has\n%q, the original\n%q", got, want)
		}
	}
}

func isMariaDB(s *mysqltest.Server) bool { return s.Product() == mysqltest.MariaDB }

func startWire(t *testing.T) *mysqltest.Server {
	t.Helper()
	s, err := mysqltest.StartWire(mysqltest.Config{})
	return servertest.ForTest(t, s, err)
}

// A world is a server on which an application has rights of every kind. Its databases, roles and users are of its own:
// see world.own. They end with the test.
type world struct {
	tag    string // in all names
	server *mysqltest.Server
	admin  *sql.DB
	roots  *x509.CertPool
	users  int
	hosts  []string
	grants []string // of an application, in which %s is its account
	// witness, if there is one, hears all that is said to the server.
	witness *witness
	// partial: on this server a right on everything can be denied in one database.
	partial bool
}

func newWorld(t *testing.T, s *mysqltest.Server) *world {
	t.Helper()
	box := s.Fresh(t)
	w := &world{server: s, hosts: []string{"%"}, tag: box.Name(""), admin: box.Admin}
	if len(s.CA) > 0 {
		w.roots = x509.NewCertPool()
		w.roots.AppendCertsFromPEM(s.CA)
	}
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
	w.exec(t,
		"CREATE DATABASE shop", "CREATE DATABASE shop_2", "CREATE DATABASE till", "CREATE ROLE cashier",
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
		if w.witness != nil {
			w.witness.said(0, s)
		}
		if _, err := w.admin.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteText(text string) string {
	return "'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(text) + "'"
}

// user makes a user of that name anew, or a new one, with the application's rights.
func (w *world) user(t *testing.T, name, password string) string {
	t.Helper()
	if name == "" {
		w.users++
		name = fmt.Sprint("app", w.users, w.tag)
	}
	w.ends(t, name)
	for _, host := range w.hosts {
		account := quoteName(name) + "@" + quoteName(host)
		w.exec(t, "CREATE USER "+account+" IDENTIFIED BY "+quoteText(password))
		for _, g := range w.grants {
			w.exec(t, strings.ReplaceAll(g, "%s", account))
		}
	}
	return name
}

// ends has a user and its clone end with the test: thousands of accounts would slow a server down. The imitation ends
// with its own test, and forgets them before they are made anew.
func (w *world) ends(t *testing.T, name string) {
	var accounts []string
	for _, host := range w.hosts {
		for _, user := range []string{name, name + "_clone"} {
			accounts = append(accounts, quoteName(user)+"@"+quoteName(host))
		}
	}
	if w.server.Real {
		t.Cleanup(func() { w.exec(t, "DROP USER IF EXISTS "+strings.Join(accounts, ", ")) })
		return
	}
	for _, account := range accounts {
		w.exec(t, "DROP USER IF EXISTS "+account)
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
	if w.server.TLS == servertest.TLSOff {
		d = d.With("ssl", "false")
	}
	return d.With("host", w.server.Host).With("port", fmt.Sprint(w.server.Port)).
		With("username", user).With("password", password)
}

// probe uses each right that the application has, and undoes what it did.
//
// Not understood: while two suites are at work on one MySQL 9.7.4, and there alone, users with a default role and a name
// beyond ASCII are now and then denied EXECUTE (1370) that SHOW GRANTS shows. That is not asked of somebody's server.
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
		_, err := db.ExecContext(ctx, w.own(statement))
		if e, ok := errors.AsType[*driver.MySQLError](err); ok && e.Number == 1370 && !w.server.Ours {
			continue
		}
		if err != nil {
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
	if w.witness != nil {
		w.witness.listen(&c)
	}
	c.Roots = func() (*x509.CertPool, error) { return w.roots, nil }
	r, err := database.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
