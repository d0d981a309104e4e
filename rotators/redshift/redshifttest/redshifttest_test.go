package redshifttest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestMain(m *testing.M) { Main(m) }

func code(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

func TestTheWireServerIsOfRedshiftsFlavour(t *testing.T) {
	EachWire(t, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		conn := box.Connection(t)
		for name, want := range map[string]string{"server_version": "8.0.2", "client_encoding": "UNICODE", "standard_conforming_strings": ""} {
			if got := conn.PgConn().ParameterStatus(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		// Without standard_conforming_strings pgx cannot write arguments into a text.
		if _, err := conn.Exec(t.Context(), "SELECT 1", pgx.QueryExecModeSimpleProtocol, 1); err == nil {
			t.Error("arguments went by the simple protocol")
		}
		if _, err := s.Connect(t.Context(), s.AdminUser, "wrong", box.Database); code(err) != "28000" {
			t.Errorf("a wrong password: %v", err)
		}
		if _, err := conn.Exec(t.Context(), "SAVEPOINT a"); err == nil {
			t.Error("there are savepoints")
		}
	})
}

// onlyOnWire is an error that Redshift documents, and PostgreSQL does not have.
func onlyOnWire(s *Server, code string) string {
	if s.Kind == StandIn {
		return ""
	}
	return code
}

// Both servers must take, and refuse, the same of what they have in common.
func TestTheServersAgreeOnWhatTheyHaveInCommon(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		app, shop, group := box.Name("app"), box.Name("shop"), box.Name("group")
		conn := box.Connection(t)
		for _, c := range []struct{ sql, code string }{
			{`CREATE SCHEMA ` + shop, ""},
			{`CREATE TABLE ` + shop + `.t (a int, b int)`, ""},
			{`CREATE USER ` + app + ` PASSWORD 'Secret01'`, ""},
			{`CREATE USER ` + app + ` PASSWORD 'Secret01'`, "42710"},
			{`ALTER USER nobody_` + app + ` CREATEDB`, "42704"},
			{`CREATE GROUP ` + group, ""},
			{`ALTER GROUP ` + group + ` ADD USER ` + app, ""},
			{`ALTER GROUP ` + group + ` ADD USER ` + app, ""},
			{`ALTER GROUP nogroup_` + app + ` ADD USER ` + app, "42704"},
			{`GRANT SELECT, INSERT ON TABLE ` + shop + `.t TO ` + app, ""},
			{`GRANT SELECT ON TABLE ` + shop + `.t TO ` + app, ""},
			{`GRANT SELECT ON TABLE ` + shop + `.nothing TO ` + app, "42P01"},
			{`GRANT SELECT ON TABLE ` + shop + `.t TO nobody_` + app, "42704"},
			{`GRANT EXECUTE ON TABLE ` + shop + `.t TO ` + app, "0LP01"},
			{`GRANT USAGE ON SCHEMA no_` + shop + ` TO ` + app, "3F000"},
			{`GRANT UPDATE (a, b), REFERENCES (b) ON TABLE ` + shop + `.t TO ` + app, onlyOnWire(s, "0LP01")},
			{`GRANT UPDATE (a, b) ON TABLE ` + shop + `.t TO ` + app, ""},
			{`GRANT UPDATE (a), SELECT ON TABLE ` + shop + `.t TO ` + app, onlyOnWire(s, "42601")},
			{`GRANT UPDATE ON TABLE ` + shop + `.t TO ` + app, onlyOnWire(s, "0LP01")},
			{`GRANT ALL PRIVILEGES ON TABLE ` + shop + `.t TO ` + app, onlyOnWire(s, "0LP01")},
			{`REVOKE UPDATE (a, b) ON TABLE ` + shop + `.t FROM ` + app, ""},
			{`GRANT UPDATE ON TABLE ` + shop + `.t TO ` + app, ""},
			{`REVOKE UPDATE (a) ON TABLE ` + shop + `.t FROM ` + app, onlyOnWire(s, "0LP01")},
			{`REVOKE DELETE ON TABLE ` + shop + `.t FROM ` + app, ""},
			{`GRANT ALL PRIVILEGES ON TABLE ` + shop + `.t TO ` + app + ` WITH GRANT OPTION`, ""},
			{`REVOKE GRANT OPTION FOR SELECT ON TABLE ` + shop + `.t FROM ` + app, ""},
			{`ALTER DEFAULT PRIVILEGES FOR USER ` + app + ` IN SCHEMA ` + shop + ` GRANT SELECT ON TABLES TO GROUP ` + group, ""},
			{`ALTER TABLE ` + shop + `.t OWNER TO ` + app, ""},
			{`ALTER TABLE ` + shop + `.t OWNER TO nobody_` + app, "42704"},
			{`GRANT SELECT ON`, "42601"},
		} {
			if _, err := conn.Exec(t.Context(), c.sql); code(err) != c.code || c.code == "" && err != nil {
				t.Errorf("%s: got %v, want %q", c.sql, err, c.code)
			}
		}
		mine := box.Connect(t, app, "Secret01")
		for _, c := range []struct{ sql, code string }{
			{`ALTER USER ` + app + ` PASSWORD 'Secret02'`, ""},
			{`ALTER USER ` + app + ` CREATEDB`, "42501"},
			{`CREATE USER x` + app + ` PASSWORD 'Secret01'`, "42501"},
			{`CREATE TABLE ` + shop + `.mine (n int)`, "42501"},
		} {
			if _, err := mine.Exec(t.Context(), c.sql); code(err) != c.code {
				t.Errorf("as a user: %s: got %v, want %q", c.sql, err, c.code)
			}
		}
		box.Connect(t, app, "Secret02")
		box.Drop(t, app)
	})
}

func TestTransactionsAreAllOrNothing(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		app := box.Name("app")
		conn := box.Connection(t)
		if _, err := conn.Exec(t.Context(), `CREATE USER `+app+` PASSWORD 'Secret01'; GRANT SELECT ON TABLE nothing TO `+app); code(err) != "42P01" {
			t.Fatal(err)
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `CREATE USER `+app+` PASSWORD 'Secret01'`); err != nil {
			t.Fatal(err) // the first one left nothing
		}
		if _, err := s.Connect(t.Context(), app, "Secret01", box.Database); err == nil {
			t.Error("what is not committed can be seen")
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		box.Connect(t, app, "Secret01")
		box.Drop(t, app)
	})
}

func TestOthersDoNotSeeOnesPrivileges(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		app, other := box.Name("app"), box.Name("other")
		box.Exec(t, `CREATE USER `+app+` PASSWORD 'Secret01'`, `CREATE USER `+other+` PASSWORD 'Secret01'`, `GRANT CREATE ON DATABASE `+box.Database+` TO `+app)
		const query = `SELECT identity_name, privilege_type, admin_option, database_name, privilege_scope
FROM svv_database_privileges WHERE identity_type = 'user' AND identity_name IN ($1, $2)`
		for user, want := range map[string]int{app: 1, other: 0} {
			rows, err := box.Connect(t, user, "Secret01").Query(t.Context(), query, app, other)
			if err != nil {
				t.Fatal(err)
			}
			found, err := pgx.CollectRows(rows, pgx.RowToMap)
			if err != nil || len(found) != want {
				t.Errorf("%s sees %v, %v", user, found, err)
			}
		}
		box.Drop(t, app, other)
	})
}

// A query is answered for what it asks, whatever stands in its comment, and for documented names alone.
func TestQueriesAreRead(t *testing.T) {
	EachWire(t, func(t *testing.T, s *Server) {
		box := s.Fresh(t)
		app := box.Name("app")
		box.Exec(t, `CREATE USER `+app+` PASSWORD 'Secret01'`)
		for query, want := range map[string]string{
			`/* rotor: groups */ SELECT usename FROM pg_user WHERE usename = $1`: "",
			`SELECT name FROM pg_user WHERE usename = $1`:                        "42703",
			`SELECT usename FROM pg_roles WHERE usename = $1`:                    "42P01",
			`SELECT nothing($1)`: "42883",
			`SELECT usename FROM pg_user WHERE usename = $1 AND`:                    "42601",
			`SELECT usename FROM pg_user u JOIN pg_user v ON true WHERE usename=$1`: "42702",
		} {
			var name string
			if err := box.Connection(t).QueryRow(t.Context(), query, app).Scan(&name); code(err) != want || want == "" && name != app {
				t.Errorf("%s: got %q, %v", query, name, err)
			}
		}
	})
}

func TestAPrivilegeOnAColumnIsInTheWayOfTheSameOnTheTable(t *testing.T) {
	EachWire(t, func(t *testing.T, s *Server) {
		if s.Kind != Wire {
			t.Skip("holdings are the wire-level server's")
		}
		box := s.Fresh(t)
		app, shop := box.Name("app"), box.Name("shop")
		box.Exec(t, `CREATE USER `+app+` PASSWORD 'Secret01'`, `CREATE SCHEMA `+shop, `CREATE TABLE `+shop+`.t (a int, b int)`, `GRANT SELECT ON TABLE `+shop+`.t TO `+app,
			`GRANT SELECT (a) ON TABLE `+shop+`.t TO `+app, `GRANT UPDATE (a, b) ON TABLE `+shop+`.t TO `+app, `REVOKE UPDATE ON TABLE `+shop+`.t FROM `+app)
		var granted []string
		for _, line := range s.Holdings(app) {
			if strings.Contains(line, " on ") {
				granted = append(granted, line)
			}
		}
		if want := []string{"SELECT() on  {table " + shop + " t }, option false"}; !slices.Equal(granted, want) {
			t.Errorf("got %q, want %q", granted, want)
		}
	})
}

func TestHoldingsNameEachThingOnce(t *testing.T) {
	s, err := StartWire(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	box := s.Fresh(t)
	box.Exec(t, `CREATE USER a PASSWORD 'Secret01'`, `CREATE GROUP g`, `ALTER GROUP g ADD USER a`, `CREATE ROLE r`, `GRANT ROLE r TO a`, `GRANT TEMP ON DATABASE dev TO a`)
	got := strings.Join(s.Holdings("a"), "\n")
	for _, want := range []string{"group g", "role r, admin false", "TEMP() on  {database  dev }, option false"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, got)
		}
	}
	if s.Holdings("nobody") != nil || slices.Contains(s.Holdings("admin"), "group g") {
		t.Error("somebody else holds it")
	}
	if _, err := s.Connect(t.Context(), "a", "Secret01", "nothing"); code(err) != "3D000" {
		t.Errorf("got %v", err)
	}
}
