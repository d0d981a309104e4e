package oracle_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/oracle/oracletest"
)

// old is a password with what drivers and lexers trip over.
const old = `Old0!#$%&'()*+,-./:;<=>?@[\]^`

// A world is a database in which an application has rights of every kind.
type world struct {
	*oracletest.Database
	roots *x509.CertPool
	tag   string // in every name
	shop  string // the schema, quoted
	role  string // quoted
	users int
}

func newWorld(t *testing.T, d *oracletest.Database) *world {
	t.Helper()
	return tagged(t, d, "RT"+rand.Text()[:6])
}

func tagged(t *testing.T, d *oracletest.Database, tag string) *world {
	t.Helper()
	w := &world{Database: d, tag: tag}
	if len(d.CA) > 0 {
		w.roots = x509.NewCertPool()
		w.roots.AppendCertsFromPEM(d.CA)
	}
	w.shop, w.role = ident(w.tag+"SHOP"), ident(w.tag+"ROLE")
	t.Cleanup(func() { w.drop(t, w.tag+"SHOP"); _ = w.Exec(`DROP ROLE ` + w.role) })
	w.exec(t, `CREATE USER `+w.shop+` IDENTIFIED BY "Shop1`+rand.Text()[:20]+`" QUOTA UNLIMITED ON USERS`,
		`CREATE TABLE `+w.shop+`.ORDERS (ID NUMBER, ITEM VARCHAR2(20))`,
		`CREATE TABLE `+w.shop+`."Prices" ("Price" NUMBER, "of what" VARCHAR2(20))`,
		`CREATE TABLE `+w.shop+`.COINS (N NUMBER)`,
		`CREATE SEQUENCE `+w.shop+`.SERIAL`,
		`CREATE PROCEDURE `+w.shop+`.TIDY AS BEGIN NULL; END;`,
		`CREATE ROLE `+w.role, `GRANT INSERT ON `+w.shop+`.COINS TO `+w.role)
	return w
}

func ident(name string) string { return `"` + name + `"` }

// exact is the catalog's name of a user that a secret names.
func exact(user string) string {
	if strings.HasPrefix(user, `"`) {
		return strings.Trim(user, `"`)
	}
	return strings.ToUpper(user)
}

func (w *world) exec(t *testing.T, statements ...string) {
	t.Helper()
	if err := w.Exec(statements...); err != nil {
		t.Fatal(err)
	}
}

// drop drops users by their names in the catalog, those that exist.
func (w *world) drop(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := w.Exec(`DROP USER ` + ident(name) + ` CASCADE`); err != nil && !strings.Contains(err.Error(), "ORA-01918") && !strings.Contains(err.Error(), "ORA-00972") {
			t.Error(err)
		}
	}
}

// user makes a user of that name, or a new one, with the application's rights.
func (w *world) user(t *testing.T, name string) string {
	t.Helper()
	w.users++
	if name == "" {
		name = strings.ToLower(fmt.Sprint(w.tag, "app", w.users))
	}
	q := ident(exact(name))
	t.Cleanup(func() { w.drop(t, exact(name), exact(name)+"_CLONE") })
	w.exec(t, `CREATE USER `+q+` IDENTIFIED BY "`+old+`" DEFAULT TABLESPACE USERS TEMPORARY TABLESPACE TEMP QUOTA 10000000 ON USERS`,
		`GRANT CREATE SESSION TO `+q,
		`GRANT CREATE TABLE TO `+q+` WITH ADMIN OPTION`,
		`GRANT `+w.role+` TO `+q,
		`GRANT SELECT, INSERT ON `+w.shop+`.ORDERS TO `+q,
		`GRANT DELETE ON `+w.shop+`.ORDERS TO `+q+` WITH GRANT OPTION`,
		`GRANT SELECT ON `+w.shop+`."Prices" TO `+q+` WITH HIERARCHY OPTION`,
		`GRANT UPDATE ("Price", "of what"), INSERT ("Price") ON `+w.shop+`."Prices" TO `+q,
		`GRANT SELECT ON `+w.shop+`.SERIAL TO `+q,
		`GRANT EXECUTE ON `+w.shop+`.TIDY TO `+q,
		`CREATE TABLE `+q+`.OWN (N NUMBER)`,
		`CREATE SEQUENCE `+q+`.NUMBERS`,
		`CREATE VIEW `+q+`.RECENT AS SELECT * FROM `+q+`.OWN`,
		`CREATE FORCE VIEW `+q+`.STALE AS SELECT * FROM `+q+`.GONE`, // has errors
		`CREATE MATERIALIZED VIEW `+q+`.DAILY AS SELECT * FROM `+q+`.OWN`,
		`CREATE TYPE `+q+`.TAGS AS TABLE OF VARCHAR2(20)`,
		`CREATE TABLE `+q+`.TAGGED (N NUMBER, T `+q+`.TAGS) NESTED TABLE T STORE AS TAGS_OF_TAGGED`,
		`CREATE TABLE `+q+`.SYS_PARAMETERS (N NUMBER)`)
	return name
}

func (w *world) secret(t *testing.T, user, pw string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(`{"engine":"oracle","masterarn":"admin"}`))
	if err != nil {
		t.Fatal(err)
	}
	if w.TLS == servertest.TLSOff {
		d = d.With("ssl", "false")
	}
	return d.With("host", w.Host).With("port", fmt.Sprint(w.Port)).With("dbname", w.Service).With("username", user).With("password", pw)
}

func (w *world) admin(t *testing.T) secret.Document {
	t.Helper()
	return w.secret(t, w.AdminUser, w.AdminPassword)
}

func (w *world) fixture(t *testing.T, name string) databasetest.Fixture {
	t.Helper()
	user := w.user(t, name)
	return databasetest.Fixture{User: w.secret(t, user, old), Admin: w.admin(t), Roots: w.roots, Probe: w.probe(exact(user))}
}

// probe uses each right that user grants.
func (w *world) probe(original string) func(context.Context, secret.Document) error {
	o := ident(original)
	return func(ctx context.Context, doc secret.Document) error {
		return w.As(ctx, doc.Text("username"), doc.Text("password"),
			`INSERT INTO `+w.shop+`.ORDERS VALUES (1, 'tea')`,
			`SELECT * FROM `+w.shop+`.ORDERS`,
			`DELETE FROM `+w.shop+`.ORDERS`,
			`SELECT * FROM `+w.shop+`."Prices"`,
			`UPDATE `+w.shop+`."Prices" SET "Price" = 1`,
			`UPDATE `+w.shop+`."Prices" SET "of what" = 'tea'`,
			`SELECT `+w.shop+`.SERIAL.NEXTVAL FROM DUAL`,
			`BEGIN `+w.shop+`.TIDY; END;`,
			`INSERT INTO `+w.shop+`.COINS VALUES (1)`, // by the role
			`CREATE TABLE MADE_BY_PROBE (N NUMBER)`, `DROP TABLE MADE_BY_PROBE`,
			`INSERT INTO `+o+`.OWN VALUES (1)`, // owned by the original
			`SELECT `+o+`.NUMBERS.NEXTVAL FROM DUAL`,
			`SELECT * FROM `+o+`.RECENT`,
			`SELECT * FROM `+o+`.DAILY`,
			`INSERT INTO `+o+`.SYS_PARAMETERS VALUES (1)`)
	}
}

// A rotor rotates one user of a world.
type rotor struct {
	*databasetest.Rotations
	w *world
}

func (w *world) rotor(t *testing.T, s database.Strategy, user string) *rotor {
	t.Helper()
	return &rotor{databasetest.NewRotations(t, w.Driver, s, databasetest.Fixture{User: w.secret(t, user, old), Admin: w.admin(t), Roots: w.roots}), w}
}

// can runs statements as the application.
func (r *rotor) can(t *testing.T, statements ...string) error {
	t.Helper()
	return r.w.As(t.Context(), r.Current().Text("username"), r.Current().Text("password"), statements...)
}

func class(err error) rotation.Class {
	var e *rotation.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// standIn starts a stand-in of its own for a test.
func standIn(t *testing.T, c oracletest.Config) *world {
	t.Helper()
	s, err := oracletest.Start(c)
	s = servertest.ForTest(t, s, err)
	return newWorld(t, s.Database())
}

// wantTwins compares all that two users have, seen from behind the views, but for
// what is on either's own objects.
func (w *world) wantTwins(t *testing.T, original, clone string) {
	t.Helper()
	own := func(line string) bool {
		return strings.Contains(line, " on "+original+".") || strings.Contains(line, " on "+clone+".")
	}
	a, b := slices.DeleteFunc(w.StandIn.Holdings(original), own), slices.DeleteFunc(w.StandIn.Holdings(clone), own)
	if !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("%s has\n%s\n%s has\n%s", original, strings.Join(a, "\n"), clone, strings.Join(b, "\n"))
	}
}
