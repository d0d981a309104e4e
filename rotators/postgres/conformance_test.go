package postgres_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/postgres"
	"github.com/seed492efc12/rotor/rotators/postgres/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestConformance(t *testing.T) {
	postgrestest.Each(t, func(t *testing.T, s *postgrestest.Server) {
		w := newWorld(t, s)
		databasetest.Run(t, databasetest.Harness{Driver: postgres.Driver, Server: s.Title, Real: s.Real, Databases: true, New: w.fixture, NoSweep: !s.IsNewest(), Names: []string{
			`quote"d`, `apo'strophe`, `per%cent`, `sp ace`, `semi;colon--`, `back\slash`, `dollar$1`, `ünïcødé 漢字`, `UPPER`, strings.Repeat("x", 57),
		}})
	})
}

// A world is a database in which an application has rights of every kind.
type world struct {
	server *postgrestest.Server
	box    *postgrestest.Sandbox
	admin  *pgx.Conn
	roots  *x509.CertPool
	users  int
}

func newWorld(t *testing.T, s *postgrestest.Server) *world {
	t.Helper()
	w := &world{server: s, box: s.Fresh(t), roots: x509.NewCertPool()}
	w.admin = w.box.Admin(t)
	w.roots.AppendCertsFromPEM(s.CA)
	w.exec(t, `CREATE SCHEMA shop`,
		`CREATE TABLE shop.orders (id serial PRIMARY KEY, item text, price int)`,
		`CREATE TABLE shop.prices (item text, price int)`,
		`CREATE FUNCTION shop.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM shop.orders'`,
		`REVOKE ALL ON FUNCTION shop.total() FROM PUBLIC`,
		`CREATE VIEW shop.recent AS SELECT * FROM shop.orders`,
	)
	return w
}

// user makes a user of that name, or a new one, with the application's rights.
func (w *world) user(t *testing.T, name, password string) string {
	t.Helper()
	if name == "" {
		w.users++
		name = w.box.Role(fmt.Sprint("app", w.users))
	}
	q := pgx.Identifier{name}.Sanitize()
	w.exec(t, `CREATE ROLE `+q+` LOGIN PASSWORD '`+password+`'`,
		`GRANT USAGE, CREATE ON SCHEMA shop TO `+q,
		`GRANT SELECT, INSERT ON shop.orders TO `+q,
		`GRANT SELECT ON shop.recent TO `+q,
		`GRANT USAGE ON SEQUENCE shop.orders_id_seq TO `+q,
		`GRANT EXECUTE ON FUNCTION shop.total() TO `+q,
		`GRANT UPDATE (price), SELECT ON shop.prices TO `+q,
		`ALTER ROLE `+q+` SET search_path = shop, "$user", public`,
		`ALTER ROLE `+q+` IN DATABASE `+pgx.Identifier{w.box.Database}.Sanitize()+` SET work_mem = '5MB'`)
	t.Cleanup(func() { w.drop(t, name, name+"_clone") })
	return name
}

func (w *world) drop(t *testing.T, names ...string) {
	for _, name := range names {
		var exists bool
		if err := w.admin.QueryRow(context.Background(), `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, name).Scan(&exists); err != nil {
			t.Error(err)
		}
		q := pgx.Identifier{name}.Sanitize()
		if exists {
			w.exec(t, `DROP OWNED BY `+q+` CASCADE`, `DROP ROLE `+q)
		}
	}
}

// exec runs statements as the administrator, in one round trip.
func (w *world) exec(t *testing.T, statements ...string) {
	t.Helper()
	if _, err := w.admin.Exec(context.Background(), strings.Join(statements, ";\n")); err != nil {
		if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
			t.Log(refusal.Detail)
		}
		t.Fatal(err)
	}
}

func (w *world) fixture(t *testing.T, name string) databasetest.Fixture {
	t.Helper()
	var password string // every printable character
	for c := ' '; c <= '~'; c++ {
		password += string(c)
	}
	user := w.user(t, name, strings.ReplaceAll(password, `'`, `''`))
	return databasetest.Fixture{
		User:  w.secret(t, user, password),
		Admin: w.secret(t, w.server.AdminUser, w.server.AdminPassword),
		Roots: w.roots,
		Probe: w.probe,
	}
}

func (w *world) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(`{"engine":"postgres","masterarn":"admin"}`))
	if err != nil {
		t.Fatal(err)
	}
	if !w.server.Ours && w.server.TLS == servertest.TLSOff { // on servers of ours, tests say it where they mean it
		d = d.With("ssl", "false")
	}
	return d.With("host", w.server.Host).With("port", fmt.Sprint(w.server.Port)).With("dbname", w.box.Database).
		With("username", user).With("password", password)
}

// probe uses each right that user grants, and undoes what it did.
func (w *world) probe(ctx context.Context, doc secret.Document) error {
	conn, err := w.server.Connect(ctx, doc.Text("username"), doc.Text("password"), w.box.Database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range []string{
		`BEGIN`,
		`INSERT INTO orders (item) VALUES ('tea')`, // by search_path
		`SELECT * FROM shop.orders`,
		`SELECT * FROM shop.recent`,
		`SELECT shop.total()`,
		`UPDATE shop.prices SET price = 1`,
		`CREATE TABLE shop.made_by_probe (n int)`,
		`ROLLBACK`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	var memory string
	if err := conn.QueryRow(ctx, `SHOW work_mem`).Scan(&memory); err != nil || memory != "5MB" {
		return fmt.Errorf("work_mem is %s, %w", memory, err)
	}
	return nil
}
