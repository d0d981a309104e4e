package redshift_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/redshift"
	"github.com/seed492efc12/rotor/rotators/redshift/redshifttest"
)

func TestMain(m *testing.M) { redshifttest.Main(m) }

// old is a password with every character that Redshift takes and drivers trip over.
const old = "Old0!#$%&()*+,-.:;<=>?[]^_`{|}~"

// A world is a server in which an application has rights of every kind that the server knows.
type world struct {
	server *redshifttest.Server
	box    *redshifttest.Sandbox
	roots  *x509.CertPool
	shop   string // a schema
	group  string
	role   string // "" where there are none
	share  string // a datashare; "" where there are none
	users  int
}

func newWorld(t *testing.T, s *redshifttest.Server) *world {
	t.Helper()
	w := &world{server: s, box: s.Fresh(t)}
	w.trust(s)
	w.shop, w.group = w.box.Name("shop"), w.box.Name("analysts")
	w.box.Exec(t, `CREATE SCHEMA `+w.shop,
		`CREATE TABLE `+w.shop+`.orders (id int, item varchar(20), price int)`,
		`CREATE TABLE `+w.shop+`.prices (item varchar(20), price int)`,
		`CREATE VIEW `+w.shop+`.recent AS SELECT * FROM `+w.shop+`.orders`,
		`CREATE FUNCTION `+w.shop+`.twice(integer) RETURNS integer STABLE AS 'SELECT 2 * $1' LANGUAGE sql`,
		`CREATE PROCEDURE `+w.shop+`.tidy(integer) AS 'BEGIN NULL; END;' LANGUAGE plpgsql`,
		`REVOKE ALL ON FUNCTION `+w.shop+`.twice(integer) FROM PUBLIC`,
		`REVOKE ALL ON PROCEDURE `+w.shop+`.tidy(integer) FROM PUBLIC`,
		`CREATE GROUP `+w.group,
		`GRANT SELECT ON TABLE `+w.shop+`.prices TO GROUP `+w.group)
	if s.Kind != redshifttest.StandIn {
		w.role = w.box.Name("loader")
		w.box.Exec(t, `CREATE ROLE `+w.role)
	}
	if s.Kind == redshifttest.Wire { // what takes more than a cluster
		w.share = w.box.Name("share")
		w.box.Exec(t, `CREATE DATASHARE `+w.share,
			`CREATE MODEL `+w.shop+`.churn FROM `+w.shop+`.orders TARGET price FUNCTION `+w.shop+`.churn_of IAM_ROLE default SETTINGS (S3_BUCKET 'models')`)
	}
	return w
}

func (w *world) trust(s *redshifttest.Server) {
	w.roots = x509.NewCertPool()
	w.roots.AppendCertsFromPEM(s.CA)
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// user makes a user of that name, or a new one, with the application's rights.
func (w *world) user(t *testing.T, name string) string {
	t.Helper()
	w.users++
	if name == "" {
		name = w.box.Name(fmt.Sprint("app", w.users))
	}
	q, own := quoted(name), fmt.Sprintf("%s.own%d", w.shop, w.users)
	w.box.Exec(t, `CREATE USER `+q+` PASSWORD '`+old+`'`,
		`ALTER USER `+q+` CONNECTION LIMIT 60`,
		`ALTER USER `+q+` SET search_path TO `+w.shop+`, '$user', public`,
		`ALTER GROUP `+w.group+` ADD USER `+q,
		`GRANT USAGE, CREATE ON SCHEMA `+w.shop+` TO `+q,
		`GRANT SELECT, INSERT ON TABLE `+w.shop+`.orders TO `+q,
		`GRANT DELETE ON TABLE `+w.shop+`.orders TO `+q+` WITH GRANT OPTION`,
		`GRANT SELECT ON TABLE `+w.shop+`.recent TO `+q,
		`GRANT UPDATE (item, price), SELECT (item, price) ON TABLE `+w.shop+`.prices TO `+q,
		`GRANT EXECUTE ON FUNCTION `+w.shop+`.twice(integer) TO `+q,
		`GRANT EXECUTE ON PROCEDURE `+w.shop+`.tidy(integer) TO `+q,
		`GRANT CREATE ON DATABASE `+w.box.Database+` TO `+q,
		`ALTER DEFAULT PRIVILEGES FOR USER `+w.server.AdminUser+` IN SCHEMA `+w.shop+` GRANT SELECT ON TABLES TO `+q,
		`ALTER DEFAULT PRIVILEGES FOR USER `+q+` IN SCHEMA `+w.shop+` GRANT SELECT ON TABLES TO GROUP `+w.group,
		`CREATE TABLE `+own+` (n int)`, `ALTER TABLE `+own+` OWNER TO `+q,
		`CREATE VIEW `+own+`_view AS SELECT 1 AS n`, `ALTER TABLE `+own+`_view OWNER TO `+q)
	if w.role != "" {
		w.box.Exec(t, `GRANT ROLE `+w.role+` TO `+q+` WITH ADMIN OPTION`, `ALTER USER `+q+` SESSION TIMEOUT 600`,
			`ALTER USER `+q+` SYSLOG ACCESS UNRESTRICTED`, `GRANT DROP ON TABLE `+w.shop+`.orders TO `+q,
			`GRANT SELECT FOR TABLES IN SCHEMA `+w.shop+` TO `+q,
			`CREATE MATERIALIZED VIEW `+own+`_mv AS SELECT 1 AS n`, `ALTER TABLE `+own+`_mv OWNER TO `+q)
	}
	if w.share != "" {
		lake := w.box.Name(fmt.Sprint("ownlake", w.users))
		w.box.Exec(t, `GRANT EXECUTE ON MODEL `+w.shop+`.churn TO `+q+` WITH GRANT OPTION`, `GRANT CREATE MODEL TO `+q, `GRANT SHARE ON DATASHARE `+w.share+` TO `+q,
			`GRANT ASSUMEROLE ON 'arn:aws:iam::123456789012:role/loader' TO `+q+` FOR COPY`, `GRANT ASSUMEROLE ON DEFAULT TO `+q+` FOR EXTERNAL FUNCTION`,
			`ATTACH RLS POLICY mine ON TABLE `+w.shop+`.orders TO `+q, `ATTACH MASKING POLICY blur ON `+w.shop+`.prices (item) TO `+q+` PRIORITY 10`,
			`GRANT CREATE, DROP FOR COPY JOBS IN DATABASE `+w.box.Database+` TO `+q,
			`CREATE EXTERNAL SCHEMA `+lake+` FROM DATA CATALOG DATABASE 'lake' IAM_ROLE default`, `ALTER SCHEMA `+lake+` OWNER TO `+q)
	}
	t.Cleanup(func() { w.box.Drop(t, name, name+"_clone") })
	return name
}

func (w *world) secret(t *testing.T, user, password string) secret.Document {
	t.Helper()
	d, err := secret.Parse([]byte(`{"engine":"redshift","masterarn":"admin"}`))
	if err != nil {
		t.Fatal(err)
	}
	return d.With("host", w.server.Host).With("port", fmt.Sprint(w.server.Port)).With("dbname", w.box.Database).
		With("username", user).With("password", password)
}

func (w *world) superuser(t *testing.T) secret.Document {
	t.Helper()
	return w.secret(t, w.server.AdminUser, w.server.AdminPassword)
}

func (w *world) fixture(t *testing.T, name string) databasetest.Fixture {
	t.Helper()
	user := w.user(t, name)
	f := databasetest.Fixture{User: w.secret(t, user, old), Admin: w.superuser(t), Roots: w.roots, Probe: w.probe(w.users)}
	if w.server.Kind == redshifttest.Wire {
		f.Probe = w.holds(user)
	}
	return f
}

// probe uses each right that user grants, and undoes what it did.
func (w *world) probe(n int) func(context.Context, secret.Document) error {
	return func(ctx context.Context, doc secret.Document) error {
		conn, err := w.server.Connect(ctx, doc.Text("username"), doc.Text("password"), w.box.Database)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		for _, statement := range []string{
			`BEGIN`,
			`INSERT INTO orders VALUES (1, 'tea', 2)`, // by search_path
			`SELECT * FROM recent`,
			`DELETE FROM orders`,
			`SELECT * FROM prices`, // by the group
			`UPDATE prices SET price = 1`,
			`SELECT twice(2)`,
			`CALL tidy(2)`,
			`CREATE TABLE ` + w.shop + `.made_by_probe (n int)`,
			fmt.Sprintf(`INSERT INTO own%d VALUES (1)`, n), // owned by the original
			fmt.Sprintf(`SELECT * FROM own%d_view`, n),
			`ROLLBACK`,
		} {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}
}

// holds compares what a user has in the wire-level server's catalog with what the original had at first.
func (w *world) holds(original string) func(context.Context, secret.Document) error {
	first := w.server.Holdings(original)
	return func(_ context.Context, doc secret.Document) error {
		user := doc.Text("username")
		now := w.server.Holdings(user)
		for _, line := range first {
			o, owner := strings.CutPrefix(line, "owns ")
			switch {
			case user == original:
			case owner && strings.Contains(o, " mv_tbl__"):
				continue
			case owner: // instead of which a clone may do all with it
				most := "REFERENCES"
				if strings.HasPrefix(o, "{schema ") {
					most = "USAGE"
				}
				line = most + "() on  " + o + ", option true"
			case strings.Contains(line, " own"):
				line = strings.TrimSuffix(line, "false") + "true"
			}
			if !slices.Contains(now, line) {
				return fmt.Errorf("%q lacks %s; it has\n%s", user, line, strings.Join(now, "\n"))
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
	return &rotor{databasetest.NewRotations(t, redshift.Driver, s, databasetest.Fixture{User: w.secret(t, user, pw), Admin: admin, Roots: w.roots}), w}
}

// can runs a statement as the application, and undoes it.
func (r *rotor) can(t *testing.T, statement string) error {
	t.Helper()
	d := r.Current()
	_, err := r.w.box.Connect(t, d.Text("username"), d.Text("password")).Exec(context.Background(), "BEGIN; "+statement+"; ROLLBACK")
	return err
}
