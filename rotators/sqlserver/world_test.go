package sqlserver_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/sqlserver"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

func TestMain(m *testing.M) { sqlservertest.Main(m) }

// old is a password with characters that statements and connection strings trip over.
const old = `Old'0]!#$%&()*+,-.:;<=>?@[^_{|}~"\ü😀`

// A world is a server in which an application has rights of every kind, in two databases.
type world struct {
	server      *sqlservertest.Server
	box         *sqlservertest.Sandbox
	roots       *x509.CertPool
	shop, stock string // databases
	loaders     string // a server role
	archive     string // a database that nobody has to do with, read-only; another one is offline
	contained   bool   // the users are shop's own
	users       int
	named       map[string]bool // which users a test has named
}

func newWorld(t *testing.T, s *sqlservertest.Server, contained bool) *world {
	t.Helper()
	w := &world{server: s, box: s.Fresh(t), contained: contained, named: map[string]bool{}}
	w.trust()
	w.shop, w.stock, w.loaders, w.archive = w.box.Name("shop ]x"), w.box.Name("stock"), w.box.Name("loaders"), w.box.Name("archive")
	attic := w.box.Name("attic")
	containment := ""
	if contained {
		containment = " CONTAINMENT = PARTIAL"
		if s.Real {
			w.box.Exec(t, "master", `EXEC sp_configure 'contained database authentication', 1`, `RECONFIGURE`)
		}
	}
	w.box.Exec(t, "master", `CREATE DATABASE `+q(w.shop)+containment, `CREATE DATABASE `+q(w.stock), `CREATE SERVER ROLE `+q(w.loaders), `CREATE DATABASE `+q(w.archive), `CREATE DATABASE `+q(attic),
		`ALTER DATABASE `+q(w.archive)+` SET READ_ONLY WITH ROLLBACK IMMEDIATE`, `ALTER DATABASE `+q(attic)+` SET OFFLINE WITH ROLLBACK IMMEDIATE`)
	w.box.Exec(t, w.shop, `CREATE SCHEMA [sales]`, `CREATE SCHEMA [own's]`,
		`CREATE TABLE [sales].[orders] (id int, item nvarchar(20), price int)`,
		`CREATE TABLE [sales].[prices] (item nvarchar(20), price int)`,
		`CREATE TABLE [sales].[secret] (id int)`,
		`CREATE TABLE [sales].[people] (name nvarchar(20), salary int)`,
		`CREATE TABLE [dbo].[hard ]]'name] (id int)`,
		`CREATE PROCEDURE [sales].[tidy] AS SELECT 1`,
		`CREATE TYPE [sales].[code] FROM nvarchar(10)`,
		`CREATE ROLE [ana]]lysts]`, `GRANT SELECT ON [sales].[prices] TO [ana]]lysts]`, `CREATE ROLE [db_executor]`, `GRANT EXECUTE TO [db_executor]`,
		`CREATE MESSAGE TYPE [//shop/order]`, `CREATE CONTRACT [//shop/orders] ([//shop/order] SENT BY ANY)`, `CREATE QUEUE [sales].[inbox]`,
		`CREATE SERVICE [//shop/desk] ON QUEUE [sales].[inbox] ([//shop/orders])`)
	w.box.Exec(t, w.stock, `CREATE TABLE [dbo].[shelves] (id int)`)
	return w
}

func (w *world) trust() {
	w.roots = x509.NewCertPool()
	w.roots.AppendCertsFromPEM(w.server.CA)
}

func q(name string) string { return sqlservertest.Quote(name) }

// user makes a user of that name, or a new one, with the application's rights.
func (w *world) user(t *testing.T, name string) string {
	t.Helper()
	w.users++
	if name == "" {
		name = w.box.Name(fmt.Sprint("app", w.users))
	}
	inShop := fmt.Sprint("shop's user ", w.users)
	if w.contained {
		inShop = name
		w.box.Exec(t, w.shop, `CREATE USER `+q(name)+` WITH PASSWORD = `+sqlservertest.Literal(old)+`, DEFAULT_SCHEMA = [sales]`)
	} else {
		w.login(t, name)
		w.box.Exec(t, w.shop, `CREATE USER `+q(inShop)+` FOR LOGIN `+q(name)+` WITH DEFAULT_SCHEMA = [sales]`)
	}
	u := q(inShop)
	w.box.Exec(t, w.shop, `ALTER ROLE [ana]]lysts] ADD MEMBER `+u, `ALTER ROLE [db_executor] ADD MEMBER `+u,
		`GRANT REFERENCES ON MESSAGE TYPE::[//shop/order] TO `+u, `GRANT SEND ON SERVICE::[//shop/desk] TO `+u,
		`GRANT SELECT ON SCHEMA::[sales] TO `+u,
		`DENY SELECT ON OBJECT::[sales].[secret] TO `+u,
		`GRANT INSERT ON [sales].[orders] TO `+u,
		`GRANT DELETE ON [sales].[orders] TO `+u+` WITH GRANT OPTION`,
		`GRANT UPDATE ([price]) ON [sales].[prices] TO `+u,
		`GRANT REFERENCES ON [sales].[orders] TO `+u, `REVOKE REFERENCES ([item]) ON [sales].[orders] FROM `+u,
		`DENY SELECT ON [sales].[people] TO `+u, `GRANT SELECT ([name]) ON [sales].[people] TO `+u,
		`GRANT UPDATE ON [sales].[people] TO `+u, `REVOKE UPDATE ([salary]) ON [sales].[people] FROM `+u,
		`GRANT SELECT ON [dbo].[hard ]]'name] TO `+u,
		`GRANT EXECUTE ON [sales].[tidy] TO `+u,
		`GRANT REFERENCES ON TYPE::[sales].[code] TO `+u,
		`GRANT VIEW DEFINITION ON ROLE::[ana]]lysts] TO `+u,
		`GRANT SHOWPLAN TO `+u,
		fmt.Sprintf(`CREATE SCHEMA [own %d] AUTHORIZATION %s`, w.users, u),
		fmt.Sprintf(`CREATE TABLE [own %d].[notes] (id int)`, w.users))
	t.Cleanup(func() { w.box.Drop(t, name, name+"_clone") })
	return name
}

// login makes a login with rights on the server and in stock.
func (w *world) login(t *testing.T, name string) {
	t.Helper()
	w.box.Exec(t, "master", `CREATE LOGIN `+q(name)+` WITH PASSWORD = `+sqlservertest.Literal(old)+`, DEFAULT_DATABASE = `+q(w.shop)+`, CHECK_EXPIRATION = ON, CHECK_POLICY = ON`,
		`ALTER SERVER ROLE `+q(w.loaders)+` ADD MEMBER `+q(name), `GRANT VIEW SERVER STATE TO `+q(name)+` WITH GRANT OPTION`, `DENY CREATE ANY DATABASE TO `+q(name))
	w.box.Exec(t, w.stock, `CREATE USER `+q(name)+` FOR LOGIN `+q(name), `ALTER ROLE [db_datareader] ADD MEMBER `+q(name), `ALTER ROLE [db_denydatawriter] ADD MEMBER `+q(name))
}

func (w *world) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(`{"engine":"sqlserver","masterarn":"admin"}`))
	if err != nil {
		t.Fatal(err)
	}
	return d.With("host", w.server.Host).With("port", fmt.Sprint(w.server.Port)).With("dbname", w.shop).With("ssl", w.server.SSL()).
		With("username", user).With("password", password)
}

func (w *world) administrator(t *testing.T) secret.Document {
	t.Helper()
	return w.secret(t, w.server.AdminUser, w.server.AdminPassword)
}

func (w *world) fixture(t *testing.T, name string) databasetest.Fixture {
	t.Helper()
	if w.contained && w.named[name] {
		w = newWorld(t, w.server, true) // a name that another test has used in shop
	}
	user := w.user(t, name)
	w.named[name] = name != ""
	return databasetest.Fixture{User: w.secret(t, user, old), Admin: w.administrator(t), Roots: w.roots, Probe: w.probe(w.users)}
}

// probe uses each right that user grants, and tries what is denied.
func (w *world) probe(n int) func(context.Context, secret.Document) error {
	own := fmt.Sprintf(`[own %d].[notes]`, n)
	may := []string{`INSERT INTO [orders] VALUES (1, 'tea', 2)`, `SELECT * FROM [sales].[orders]`, `DELETE FROM [orders]`, `SELECT * FROM [prices]`,
		`UPDATE [sales].[prices] SET price = 1`, `SELECT name FROM [sales].[people]`, `UPDATE [sales].[people] SET name = 'x'`, `SELECT * FROM [dbo].[hard ]]'name]`, `EXEC [sales].[tidy]`, `INSERT INTO ` + own + ` VALUES (1)`, `DELETE FROM ` + own}
	mayNot := []string{`SELECT * FROM [sales].[secret]`, `DELETE FROM [sales].[prices]`, `UPDATE [sales].[prices] SET item = 'x'`,
		`SELECT salary FROM [sales].[people]`, `UPDATE [sales].[people] SET salary = 1`}
	if !w.contained {
		may = append(may, `SELECT * FROM `+q(w.stock)+`.[dbo].[shelves]`)
		mayNot = append(mayNot, `DELETE FROM `+q(w.stock)+`.[dbo].[shelves]`)
	}
	return func(ctx context.Context, doc secret.Document) error {
		conn, err := w.server.Open(ctx, doc.Text("username"), doc.Text("password"), w.shop)
		if err != nil {
			return err
		}
		defer conn.Close()
		for _, statement := range may {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		for _, statement := range mayNot {
			if _, err := conn.ExecContext(ctx, statement); err == nil {
				return fmt.Errorf("%s is allowed", statement)
			}
		}
		return nil
	}
}

// A rotor rotates one user of a world.
type rotor struct {
	*databasetest.Rotations
	w *world
}

func (w *world) rotor(t *testing.T, s database.Strategy, user, pw string, admin secret.Document) *rotor {
	t.Helper()
	return &rotor{databasetest.NewRotations(t, sqlserver.Driver, s, databasetest.Fixture{User: w.secret(t, user, pw), Admin: admin, Roots: w.roots}), w}
}

// can runs a statement as the application.
func (r *rotor) can(t *testing.T, statement string) error {
	t.Helper()
	d := r.Current()
	_, err := r.w.box.Connect(t, d.Text("username"), d.Text("password"), r.w.shop).Exec(statement)
	return err
}

func class(err error) rotation.Class {
	var e *rotation.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}
