package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The table below runs against real servers and against the wire-level one: what it says of them holds for both.

// A scene is a sequence of steps on one sandbox, where {app} and {db} stand for its names.
type scene struct {
	name  string
	since int // the first major version that behaves so
	steps []step
}

// A step is one statement of one user, and what comes of it.
type step struct {
	as       string // a role; empty: the administrator
	password string
	sql      string // empty: log in only
	code     string // SQLSTATE; empty: success
	want     string // the first column of the first row
}

const past = "2001-01-01 00:00:00+00"

var scenes = []scene{
	{name: "a login needs the right password", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old'`},
		{as: "{app}", password: "old"},
		{as: "{app}", password: "new", code: "28P01"},
		{as: "{app}", password: "", code: "28P01"},
		{as: "{nobody}", password: "old", code: "28P01"},
		{as: "{app}", password: "old", sql: `ALTER ROLE CURRENT_USER PASSWORD 'new'`},
		{as: "{app}", password: "old", code: "28P01"},
		{as: "{app}", password: "new"},
		{sql: `ALTER ROLE {app} PASSWORD NULL`},
		{as: "{app}", password: "new", code: "28P01"},
	}},
	{name: "NOLOGIN is told to those who know the password", steps: []step{
		{sql: `CREATE ROLE {app} PASSWORD 'old'`},
		{as: "{app}", password: "old", code: "28000"},
		{as: "{app}", password: "bad", code: "28P01"},
		{sql: `ALTER ROLE {app} LOGIN`},
		{as: "{app}", password: "old"},
	}},
	{name: "VALID UNTIL in the past refuses the right password", steps: []step{
		{sql: `CREATE USER {app} PASSWORD 'old' VALID UNTIL '` + past + `'`},
		{as: "{app}", password: "old", code: "28P01"},
		{sql: `ALTER ROLE {app} VALID UNTIL 'infinity'`},
		{as: "{app}", password: "old"},
		{sql: `ALTER ROLE {app} VALID UNTIL 'soon'`, code: "22007"},
	}},
	{name: "connection limits", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old' CONNECTION LIMIT 0`},
		{as: "{app}", password: "old", code: "53300"},
		{sql: `ALTER ROLE {app} CONNECTION LIMIT 20`}, // a session that ends still counts for a moment
		{as: "{app}", password: "old"},
		{sql: `ALTER ROLE {app} CONNECTION LIMIT -2`, code: "22023"},
	}},
	{name: "passwords with any character", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'o''l\d "$1 % ; é'`},
		{as: "{app}", password: `o'l\d "$1 % ; é`},
		{sql: `ALTER ROLE {app} PASSWORD E'o\'l\\d\x41\101\u00e9'`},
		{as: "{app}", password: `o'l\dAAé`},
		{sql: `ALTER ROLE {app} PASSWORD $x$o'l$d$x$`},
		{as: "{app}", password: `o'l$d`},
		{sql: "ALTER ROLE {app} PASSWORD 'no\u00a0break'"}, // SASLprep makes another text of it
		{as: "{app}", password: "no\u00a0break"},
		{as: "{app}", password: "no break"},
	}},
	{name: "names in quotes, and their case", steps: []step{
		{sql: `CREATE ROLE "{app} ""O'dd\ Näme" LOGIN PASSWORD 'old'`},
		{as: `{app} "O'dd\ Näme`, password: "old"},
		{as: `{app} "O'dd\ Näme`, password: "old", sql: `SELECT current_user`, want: `{app} "O'dd\ Näme`},
		{sql: `CREATE ROLE {app}_UPPER`},
		{sql: `ALTER ROLE "{app}_UPPER" LOGIN`, code: "42704"},
		{sql: `ALTER ROLE "{app}_upper" LOGIN`},
		{sql: `CREATE ROLE ""`, code: "42601"},
	}},
	{name: "names are cut after 63 bytes", steps: []step{
		{sql: `CREATE ROLE {app}_` + strings.Repeat("é", 40)},
		{sql: `CREATE ROLE {app}_` + strings.Repeat("é", 50), code: "42710"},
	}},
	{name: "a verifier is stored as it is", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD '` + goodVerifier + `'`},
		{as: "{app}", password: "verified"},
		{as: "{app}", password: goodVerifier, code: "28P01"},
		{sql: `ALTER ROLE {app} PASSWORD 'md5c4ca4238a0b923820dcc509a6f75849b'`}, // refused by hostssl scram-sha-256
		{as: "{app}", password: "verified", code: "28P01"},
	}},
	{name: "what does not exist, and what exists already", steps: []step{
		{sql: `CREATE ROLE {app}`},
		{sql: `CREATE ROLE {app}`, code: "42710"},
		{sql: `ALTER ROLE {nobody} PASSWORD 'x'`, code: "42704"},
		{sql: `DROP ROLE {nobody}`, code: "42704"},
		{sql: `DROP ROLE IF EXISTS {nobody}`},
		{sql: `GRANT {nobody} TO {app}`, code: "42704"},
		{sql: `GRANT {app} TO {nobody}`, code: "42704"},
		{sql: `CREATE ROLE pg_mine`, code: "42939"},
		{sql: `CREATE ROLE public`, code: "42939"},
		{sql: `DROP DATABASE {nobody}`, code: "3D000"},
		{sql: `SET {nobody} = 1`, code: "42704"},
		{sql: `SHOW {nobody}`, code: "42704"},
		{sql: `ALTER ROLE {app} SET {nobody} = 1`, code: "42704"},
	}},
	{name: "syntax errors", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'x`, code: "42601"},
		{sql: `CREATE ROLE {app} LOGIN PASSWORD x`, code: "42601"},
		{sql: `CREATE ROLE {app} LOGIN LOGIN`, code: "42601"},
		{sql: `CREATE ROLE {app} FLYING`, code: "42601"},
		{sql: `ALTER ROLE`, code: "42601"},
		{sql: `FLY TO {app}`, code: "42601"},
		{sql: `CREATE ROLE {app} /* unterminated`, code: "42601"},
		{sql: `/* a /* nested */ comment */ CREATE ROLE {app} -- and another`},
		{sql: `GRANT {app}`, code: "42601"},
	}},
	{name: "transactions take back what they did to roles", steps: []step{
		{sql: `BEGIN; CREATE ROLE {app} LOGIN PASSWORD 'old'; ROLLBACK`},
		{sql: `ALTER ROLE {app} LOGIN`, code: "42704"},
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old'`},
		{sql: `BEGIN; ALTER ROLE {app} PASSWORD 'new'; ROLLBACK`},
		{as: "{app}", password: "old"},
		{sql: `BEGIN; ALTER ROLE {app} PASSWORD 'new'; COMMIT`},
		{as: "{app}", password: "new"},
		{sql: `ALTER ROLE {app} PASSWORD 'third'; ALTER ROLE {nobody} LOGIN`, code: "42704"}, // one message, one transaction
		{as: "{app}", password: "new"},
		{sql: `BEGIN; ALTER ROLE {app} PASSWORD '4'; SAVEPOINT a; ALTER ROLE {app} PASSWORD '5'; ROLLBACK TO a; RELEASE a; COMMIT`},
		{as: "{app}", password: "4"},
		{sql: `BEGIN; RELEASE SAVEPOINT a`, code: "3B001"},
		{sql: `SAVEPOINT a`, code: "25P01"},
	}},
	{name: "users may change their own password and no more", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old'`},
		{sql: `CREATE ROLE {other} LOGIN PASSWORD 'old'`},
		{as: "{app}", password: "old", sql: `ALTER ROLE {app} PASSWORD 'old'`},
		{as: "{app}", password: "old", sql: `ALTER ROLE {other} PASSWORD 'new'`, code: "42501"},
		{as: "{app}", password: "old", sql: `ALTER ROLE {app} CREATEDB`, code: "42501"},
		{as: "{app}", password: "old", sql: `ALTER ROLE {app} VALID UNTIL 'infinity'`, code: "42501"},
		{as: "{app}", password: "old", sql: `CREATE ROLE {third}`, code: "42501"},
		{as: "{app}", password: "old", sql: `DROP ROLE {other}`, code: "42501"},
		{as: "{app}", password: "old", sql: `GRANT {other} TO {app}`, code: "42501"},
		{as: "{app}", password: "old", sql: `ALTER ROLE {other} SET work_mem = '1MB'`, code: "42501"},
		{as: "{app}", password: "old", sql: `ALTER ROLE {app} SET work_mem = '1MB'`},
		{as: "{app}", password: "old", sql: `SHOW work_mem`, want: "1MB"},
		{as: "{app}", password: "old", sql: `CREATE DATABASE {third}`, code: "42501"},
	}},
	{name: "a clone that sets the role of its original", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old'`},
		{sql: `CREATE ROLE {clone} LOGIN PASSWORD 'new' IN ROLE {app}`},
		{sql: `ALTER ROLE {clone} SET role TO {app}`},
		{as: "{clone}", password: "new", sql: `SELECT current_user`, want: "{app}"},
		{as: "{clone}", password: "new", sql: `SELECT session_user::text`, want: "{clone}"},
		{as: "{clone}", password: "new", sql: `SET ROLE NONE; SELECT current_user`, want: "{clone}"},
		{as: "{clone}", password: "new", sql: `RESET ROLE; SELECT current_user`, want: "{app}"},
		{as: "{clone}", password: "new", sql: `ALTER ROLE {clone} PASSWORD 'x'`, code: "42501"},
		{as: "{clone}", password: "new", sql: `ALTER ROLE {app} PASSWORD 'older'`},
		{as: "{app}", password: "older"},
		{sql: `GRANT {clone} TO {app}`, code: "0LP01"},
		{sql: `GRANT {app} TO {app}`, code: "0LP01"},
		{sql: `REVOKE {app} FROM {clone}`},
		{as: "{clone}", password: "new", sql: `SELECT current_user`, want: "{clone}"},
		{as: "{clone}", password: "new", sql: `SET ROLE {app}`, code: "42501"},
		{as: "{clone}", password: "new", sql: `SET ROLE {nobody}`, code: "22023"},
		{sql: `ALTER ROLE {clone} RESET role`},
		{sql: `DROP ROLE {app}, {clone}`},
	}},
	{name: "settings of roles and databases", steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old'`},
		{sql: `ALTER ROLE {app} SET work_mem TO '2MB'`},
		{as: "{app}", password: "old", sql: `SHOW work_mem`, want: "2MB"},
		{sql: `ALTER ROLE {app} IN DATABASE {db} SET work_mem = '3MB'`},
		{as: "{app}", password: "old", sql: `SELECT current_setting('work_mem')`, want: "3MB"},
		{as: "{app}", password: "old", sql: `SET work_mem = '5MB'; RESET work_mem; SHOW work_mem`, want: "3MB"},
		{as: "{app}", password: "old", sql: `BEGIN; SET LOCAL work_mem = '5MB'; COMMIT; SHOW work_mem`, want: "3MB"},
		{as: "{app}", password: "old", sql: `BEGIN; SET work_mem = '5MB'; ROLLBACK; SHOW work_mem`, want: "3MB"},
		{as: "{app}", password: "old", sql: `BEGIN; SET work_mem = '5MB'; COMMIT; SHOW work_mem`, want: "5MB"},
		{sql: `ALTER ROLE {app} IN DATABASE {db} RESET work_mem`},
		{as: "{app}", password: "old", sql: `SHOW work_mem`, want: "2MB"},
		{sql: `ALTER ROLE {app} SET search_path = shop, "$user", public`},
		{as: "{app}", password: "old", sql: `SHOW search_path`, want: `shop, "$user", public`},
		{sql: `ALTER ROLE {app} RESET ALL`},
		{as: "{app}", password: "old", sql: `SHOW search_path`, want: `"$user", public`},
		{sql: `ALTER ROLE {app} IN DATABASE {nobody} SET work_mem = '3MB'`, code: "3D000"},
	}},
	{name: "CREATEROLE needs the ADMIN option", since: 16, steps: []step{
		{sql: `CREATE ROLE {boss} LOGIN CREATEROLE PASSWORD 'boss'`},
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old'`},
		{as: "{boss}", password: "boss", sql: `ALTER ROLE {app} PASSWORD 'new'`, code: "42501"},
		{as: "{boss}", password: "boss", sql: `GRANT {app} TO {boss}`, code: "42501"},
		{as: "{boss}", password: "boss", sql: `DROP ROLE {app}`, code: "42501"},
		{sql: `GRANT {app} TO {boss} WITH ADMIN OPTION`},
		{as: "{boss}", password: "boss", sql: `ALTER ROLE {app} PASSWORD 'new'`},
		{as: "{boss}", password: "boss", sql: `CREATE ROLE {clone} LOGIN PASSWORD 'new'`},
		{as: "{boss}", password: "boss", sql: `GRANT {app} TO {clone}`},
		{as: "{boss}", password: "boss", sql: `ALTER ROLE {clone} SET role TO {app}`},
		{as: "{clone}", password: "new", sql: `SELECT current_user`, want: "{app}"},
		{as: "{boss}", password: "boss", sql: `ALTER ROLE {clone} CREATEDB`, code: "42501"},
		{as: "{boss}", password: "boss", sql: `ALTER ROLE {clone} CREATEROLE`},
		{as: "{boss}", password: "boss", sql: `CREATE ROLE {third} SUPERUSER`, code: "42501"},
		{as: "{boss}", password: "boss", sql: `CREATE ROLE {third} REPLICATION`, code: "42501"},
		{sql: `REVOKE {app} FROM {boss}`, code: "2BP01"},
		{sql: `DROP ROLE {boss}`, code: "2BP01"},
		{sql: `REVOKE {app} FROM {boss} CASCADE`},
		{as: "{clone}", password: "new", sql: `SELECT current_user`, want: "{clone}"},
		{sql: `DROP ROLE {boss}`},
	}},
	{name: "the options of a membership", since: 16, steps: []step{
		{sql: `CREATE ROLE {app} LOGIN PASSWORD 'old'`},
		{sql: `CREATE ROLE {clone} LOGIN PASSWORD 'new'`},
		{sql: `GRANT {app} TO {clone} WITH SET FALSE, INHERIT TRUE`},
		{as: "{clone}", password: "new", sql: `SET ROLE {app}`, code: "42501"},
		{sql: `GRANT {app} TO {clone} WITH SET TRUE`},
		{as: "{clone}", password: "new", sql: `SET ROLE {app}`},
		{sql: `REVOKE SET OPTION FOR {app} FROM {clone}`},
		{as: "{clone}", password: "new", sql: `SET ROLE {app}`, code: "42501"},
		{sql: `REVOKE {app} FROM {clone} GRANTED BY {clone}`},
	}},
	{name: "read-only transactions", steps: []step{
		{sql: `BEGIN READ ONLY; CREATE ROLE {app}`, code: "25006"},
		{sql: `SET default_transaction_read_only = on; CREATE ROLE {app}; SELECT 1`, want: "1"}, // this transaction has begun
		{sql: `BEGIN; SET LOCAL transaction_read_only = on; ALTER ROLE {app} PASSWORD 'x'`, code: "25006"},
		{sql: `START TRANSACTION READ ONLY; GRANT {app} TO {app}`, code: "25006"},
		{sql: `SELECT pg_is_in_recovery()`, want: "f"},
	}},
	{name: "constants and functions", steps: []step{
		{sql: `SELECT 1`, want: "1"},
		{sql: `select 'a''b'::text AS "x"`, want: "a'b"},
		{sql: `SELECT current_database()`, want: "{db}"},
		{sql: `SELECT pg_catalog.set_config('work_mem', '7MB', true)`, want: "7MB"},
		{sql: `SELECT true`, want: "t"},
		{sql: `SELECT '12'::int`, want: "12"},
		{sql: `SELECT 'x'::int`, code: "22P02"},
		{sql: `SELECT current_setting('no_such_thing', true)`, want: ""},
		{sql: `SELECT current_setting('no_such_thing')`, code: "42704"},
		{sql: `SELECT pg_advisory_xact_lock(1, 2)::text`, want: ""},
	}},
	{name: "the roles of a database", steps: []step{
		{sql: `CREATE ROLE {app}`},
		{sql: `DROP ROLE CURRENT_USER`, code: "22023"},
		{sql: `DROP ROLE postgres`, code: "55006"},
		{sql: `SELECT rolname FROM pg_roles WHERE rolname = '{app}'`, want: "{app}"},
		{sql: `select rolname from pg_roles where rolname = '{nobody}'`},
	}},
}

// goodVerifier is that of the password "verified", computed by RFC 5802's formulas elsewhere.
const goodVerifier = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$vUBttwHLnv7R6p3Mn22wOq7D6QB4ssgYgMVrT4/ap4s=:OkIrZrPaQY+G4u1csDaOjQ8JaCdy0bgQVvtvVifMFPc="

func TestWireServerAgreesWithPostgreSQL(t *testing.T) {
	Each(t, playAll)
	t.Run("wire-level", func(t *testing.T) { playAll(t, startForTest(t, Config{}, StartWire)) })
}

func playAll(t *testing.T, s *Server) {
	box := s.Fresh(t)
	admin := box.Admin(t)
	for i, scene := range scenes {
		if s.Major < scene.since {
			continue
		}
		t.Run(scene.name, func(t *testing.T) {
			names := []string{"{db}", box.Database}
			for _, name := range []string{"app", "clone", "other", "third", "boss", "nobody"} {
				names = append(names, "{"+name+"}", box.Role(name+strconv.Itoa(i)))
			}
			scene.play(t, box, admin, strings.NewReplacer(names...).Replace)
		})
	}
}

func (c scene) play(t *testing.T, box *Sandbox, admin *pgx.Conn, filled func(string) string) {
	for _, step := range c.steps {
		got, err := step.run(t.Context(), box, admin, filled)
		if code := sqlState(err); code != step.code {
			t.Fatalf("%s: %+v: got code %q (%v)", box.Server.Name(), step, code, err)
		}
		if got != filled(step.want) && (step.want != "" || strings.HasPrefix(strings.ToUpper(step.sql), "SELECT")) {
			t.Fatalf("%s: %+v: got %q", box.Server.Name(), step, got)
		}
	}
}

// run plays a step and returns the first value of the last statement that returns any.
func (p step) run(ctx context.Context, box *Sandbox, admin *pgx.Conn, filled func(string) string) (value string, err error) {
	if p.as == "" {
		value, err = firstValue(ctx, admin, filled(p.sql))
		if _, unclean := admin.Exec(ctx, "ROLLBACK; RESET ALL"); unclean != nil {
			return "", fmt.Errorf("after the step: %w", unclean)
		}
		return value, err
	}
	conn, err := box.Server.Connect(ctx, filled(p.as), p.password, box.Database)
	if err != nil {
		return "", err
	}
	defer closeAndWait(conn)
	if p.sql == "" {
		return "", nil
	}
	return firstValue(ctx, conn, filled(p.sql))
}

// firstValue sends statements in one message.
func firstValue(ctx context.Context, conn *pgx.Conn, statements string) (value string, err error) {
	results, err := conn.PgConn().Exec(ctx, statements).ReadAll()
	for _, r := range results {
		if len(r.Rows) > 0 {
			value = string(r.Rows[0][0])
		}
	}
	return value, err
}

// closeAndWait ends a session. A server lets go of it a little later, which counts where connections are limited.
func closeAndWait(conn *pgx.Conn) error {
	err := conn.Close(context.Background())
	<-conn.PgConn().CleanupDone()
	return err
}

func sqlState(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return fmt.Sprintf("no code: %v", err)
}
