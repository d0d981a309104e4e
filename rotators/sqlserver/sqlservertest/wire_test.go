package sqlservertest

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"
)

const secret = "Secret-01"

// code is the server's last error, or 0.
func code(err error) int32 {
	me, _ := errors.AsType[mssql.Error](err)
	return me.Number
}

func started(t *testing.T) (*Server, *Sandbox) {
	t.Helper()
	s, err := StartWire(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := s.Fresh(t)
	b.Exec(t, "master", `CREATE DATABASE shop`, `CREATE LOGIN app WITH PASSWORD = 'Secret-01'`, `CREATE LOGIN other WITH PASSWORD = 'Secret-01'`)
	b.Exec(t, "shop", `CREATE USER app FOR LOGIN app`, `CREATE USER other FOR LOGIN other`, `CREATE SCHEMA s`, `CREATE TABLE s.t (a int, b int)`, `CREATE TABLE dbo.t (a int)`)
	return s, b
}

func run1(t *testing.T, conn *sql.DB, statement string, want int32) {
	t.Helper()
	_, err := conn.ExecContext(t.Context(), statement)
	if got := code(err); got != want || err != nil && got == 0 {
		t.Errorf("%s: got %v, want %d", statement, err, want)
	}
}

func TestLoginsAreRefusedAsTheServerDoes(t *testing.T) {
	s, b := started(t)
	login := func(user, password, database string) []int32 {
		conn, err := s.Open(t.Context(), user, password, database)
		if err == nil {
			_ = conn.Close()
			return nil
		}
		me, _ := errors.AsType[mssql.Error](err)
		var all []int32
		for _, e := range me.All {
			all = append(all, e.Number)
		}
		return all
	}
	want := func(got []int32, codes ...int32) {
		t.Helper()
		if !slices.Equal(got, codes) {
			t.Errorf("got %v, want %v", got, codes)
		}
	}
	want(login("app", secret, "shop"))
	want(login("APP", secret, "SHOP"))
	want(login("app", strings.ToLower(secret), "shop"), 18456)
	want(login("nobody", secret, "shop"), 18456)
	want(login("app", secret, "nowhere"), 4060, 18456)
	b.Exec(t, "master", `ALTER LOGIN app DISABLE`)
	want(login("app", secret, "shop"), 18470)
	want(login("app", "wrong", "shop"), 18456)
	b.Exec(t, "master", `ALTER LOGIN app ENABLE`)
	for range maxFailures {
		login("app", "wrong", "shop")
	}
	want(login("app", secret, "shop"), 18486)
	b.Exec(t, "master", `ALTER LOGIN app WITH PASSWORD = 'Secret-02' UNLOCK`)
	want(login("app", "Secret-02", "shop"))
}

func TestPasswordsAreSetByWhoMay(t *testing.T) {
	_, b := started(t)
	app := b.Connect(t, "app", secret, "shop")
	run1(t, app, `ALTER LOGIN app WITH PASSWORD = 'Secret-02'`, 15151)
	run1(t, app, `ALTER LOGIN app WITH PASSWORD = 'Secret-02' OLD_PASSWORD = 'wrong'`, 15151)
	run1(t, app, `ALTER LOGIN other WITH PASSWORD = 'Secret-02' OLD_PASSWORD = 'Secret-01'`, 15151)
	run1(t, app, `ALTER LOGIN app WITH PASSWORD = 'short' OLD_PASSWORD = 'Secret-01'`, 15116)
	run1(t, app, `ALTER LOGIN app WITH PASSWORD = 'nodigits' OLD_PASSWORD = 'Secret-01'`, 15118)
	run1(t, app, `ALTER LOGIN app WITH PASSWORD = 'Secret-01' OLD_PASSWORD = 'Secret-01'`, 15115)
	run1(t, app, `ALTER LOGIN app WITH PASSWORD = 'Secret-02' OLD_PASSWORD = 'Secret-01'`, 0)
	run1(t, app, `CREATE LOGIN mine WITH PASSWORD = 'Secret-01'`, 15247)
	b.Exec(t, "master", `GRANT ALTER ANY LOGIN TO app`, `GRANT CONTROL SERVER TO other`)
	run1(t, app, `CREATE LOGIN mine WITH PASSWORD = 'Secret-01', CHECK_POLICY = OFF`, 0)
	run1(t, app, `CREATE LOGIN mine WITH PASSWORD = 'Secret-01'`, 15025)
	run1(t, app, `ALTER LOGIN mine WITH PASSWORD = 'x'`, 0)
	run1(t, app, `ALTER LOGIN other WITH PASSWORD = 'Secret-02'`, 15151)
	run1(t, app, `CREATE LOGIN bad WITH PASSWORD = 'Secret-01', CHECK_POLICY = OFF, CHECK_EXPIRATION = ON`, 15122)
	run1(t, app, `CREATE LOGIN [a\b] WITH PASSWORD = 'Secret-01'`, 15006)
}

func TestRightsAreWhatGrantsAndDenialsMakeThem(t *testing.T) {
	_, b := started(t)
	app := b.Connect(t, "app", secret, "shop")
	for _, c := range []struct {
		statements string
		test       string
		want       int32
	}{
		{``, `SELECT * FROM s.t`, 229},
		{`GRANT SELECT ON s.t TO app`, `SELECT * FROM s.t`, 0},
		{``, `SELECT * FROM t`, 229}, // dbo.t
		{`GRANT SELECT ON SCHEMA::s TO app; DENY SELECT ON s.t TO app`, `SELECT * FROM s.t`, 229},
		{`REVOKE SELECT ON s.t FROM app`, `SELECT * FROM s.t`, 0}, // by the schema
		{`REVOKE SELECT ON SCHEMA::s FROM app`, `SELECT * FROM s.t`, 229},
		{`GRANT UPDATE (b) ON s.t TO app`, `UPDATE s.t SET b = 1`, 0},
		{``, `UPDATE s.t SET a = 1`, 230},
		{`GRANT SELECT ON s.t TO app; REVOKE SELECT (b) ON s.t FROM app`, `SELECT a FROM s.t`, 0},
		{``, `SELECT b FROM s.t`, 230},
		{`GRANT SELECT (b) ON s.t TO app`, `SELECT b FROM s.t`, 0},
		{`DENY SELECT (b) ON s.t TO app; GRANT SELECT ON s.t TO app`, `SELECT b FROM s.t`, 0}, // what is said of the table comes last
		{`DENY SELECT ON s.t TO app; GRANT SELECT (a) ON s.t TO app`, `SELECT a FROM s.t`, 0}, // as it has always been
		{`REVOKE SELECT ON s.t FROM app`, `SELECT a FROM s.t`, 230},
		{`CREATE ROLE r; ALTER ROLE r ADD MEMBER app; GRANT SELECT TO r`, `SELECT * FROM s.t`, 0},
		{`ALTER ROLE db_denydatareader ADD MEMBER app`, `SELECT * FROM s.t`, 229},
		{`ALTER ROLE db_denydatareader DROP MEMBER app; ALTER ROLE r DROP MEMBER app`, `SELECT * FROM s.t`, 229},
		{`ALTER AUTHORIZATION ON SCHEMA::s TO app`, `SELECT * FROM s.t`, 0},
		{`ALTER AUTHORIZATION ON SCHEMA::s TO dbo; GRANT CONTROL ON s.t TO app`, `DELETE FROM s.t`, 0},
		{``, `GRANT SELECT ON s.t TO other`, 0},
		{``, `GRANT SELECT ON dbo.t TO other`, 4613},
		{`GRANT SELECT ON dbo.t TO app WITH GRANT OPTION`, `GRANT SELECT ON dbo.t TO other`, 0},
		{``, `GRANT SELECT ON dbo.t TO app`, 4624}, // to oneself
		{``, `CREATE USER third WITHOUT LOGIN`, 15247},
		{``, `ALTER ROLE db_owner ADD MEMBER app`, 15151},
		{``, `SELECT * FROM s.nothing`, 208},
		{``, `USE nowhere`, 911},
	} {
		for statement := range strings.SplitSeq(c.statements, "; ") {
			if statement != "" {
				b.Exec(t, "shop", statement)
			}
		}
		run1(t, app, c.test, c.want)
	}
}

func TestStatementsThatTheServerRefuses(t *testing.T) {
	s, b := started(t)
	b.Exec(t, "shop", `GRANT SELECT ON s.t TO app WITH GRANT OPTION`, `CREATE SCHEMA own AUTHORIZATION app`, `CREATE TABLE own.t (a int)`,
		`CREATE USER nologin WITHOUT LOGIN`, `CREATE LOGIN lost WITH PASSWORD = 'Secret-01'`, `CREATE USER lost FOR LOGIN lost`)
	s.Orphan("shop", "lost")
	s.SetLogin("other", "must-change")
	admin := b.Connect(t, s.AdminUser, s.AdminPassword, "shop")
	for statement, want := range map[string]int32{
		`REVOKE SELECT ON s.t FROM app`:                                        4611,
		`GRANT VIEW SERVER STATE TO app`:                                       4621,
		`GRANT FLY ON s.t TO app`:                                              4606,
		`GRANT SELECT ON s.t TO nobody`:                                        15151,
		`GRANT SELECT (zzz) ON s.t TO app`:                                     1911,
		`CREATE USER app2 FOR LOGIN app`:                                       15063,
		`CREATE ROLE other`:                                                    15023,
		`GRANT SELECT ON own.t TO app`:                                         4624, // by its schema
		`GRANT CONTROL ON SCHEMA::own TO app`:                                  4624,
		`REVOKE SELECT (a) ON s.t FROM app`:                                    4611, // its table may be granted on
		`ALTER LOGIN other WITH CHECK_POLICY = OFF`:                            15128,
		`ALTER USER nologin WITH LOGIN = app`:                                  33016,
		`ALTER USER lost WITH LOGIN = nobody`:                                  15007,
		`ALTER USER lost WITH LOGIN = app`:                                     15063,
		`ALTER SERVER ROLE nothing ADD MEMBER app`:                             15151,
		`SELECT name FROM sys.external_languages`:                              207,
		`SELECT name FROM sys.nothing`:                                         208,
		`SELECT nonsense(1)`:                                                   195,
		`SELECT NULL UNION ALL SELECT name FROM sys.schemas`:                   245,
		`SELECT name FROM sys.schemas UNION ALL SELECT name FROM sys.services`: 451,
		`SELECT COALESCE(l.name, u.name) FROM sys.server_principals l, sys.database_principals u`:   451,
		`SELECT 1 FROM sys.server_principals l JOIN sys.database_principals u ON u.name = l.name`:   468,
		`SELECT u.name FROM sys.database_principals u WHERE u.name COLLATE DATABASE_DEFAULT = N'x'`: 0,
		`DECLARE @r int; EXEC @r = sp_getapplock @Resourc = N'x'; SELECT @r`:                        8145,
		`DECLARE @r int; EXEC @r = sp_releaseapplock @Resource = N'x'; SELECT @r`:                   102,
		`CREATE USER app WITHOUT LOGIN`:                 15023,
		`CREATE USER x FOR LOGIN nobody`:                15007,
		`CREATE USER x WITH PASSWORD = 'Secret-01'`:     33233,
		`SELEKT a FROM b`:                               50000,
		`GRANT SELECT ON s.t TO [app`:                   105,
		`ALTER LOGIN app WITH PASSWORD = 'unclosed`:     105,
		`ALTER LOGIN app WITH PASSWORD = 'x' GARBAGE y`: 102,
		`BEGIN TRANSACTION`:                             50000,
		`/* open`:                                       113,
		`USE [` + strings.Repeat("x", 129) + `]`:        103,
	} {
		run1(t, admin, statement, want)
	}
}

func TestTheCatalogShowsWhatTheSessionMaySee(t *testing.T) {
	_, b := started(t)
	b.Exec(t, "master", `CREATE SERVER ROLE loaders`, `ALTER SERVER ROLE loaders ADD MEMBER other`, `ALTER SERVER ROLE dbcreator ADD MEMBER other`)
	b.Exec(t, "shop", `CREATE ROLE clerks`, `ALTER ROLE clerks ADD MEMBER other`, `GRANT SELECT ON s.t TO other`)
	app := b.Connect(t, "app", secret, "shop")
	count := func(from string) (n int) {
		t.Helper()
		if err := app.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+from).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		right, database, from string
		before, after         int
	}{
		{`GRANT ALTER ANY LOGIN TO app`, "master", `sys.server_principals WHERE name = N'other'`, 0, 1},
		{`GRANT VIEW ANY DATABASE TO app`, "master", `sys.server_principals WHERE name = N'loaders'`, 0, 0}, // ALTER ANY LOGIN does not show it
		{`GRANT ALTER ANY USER TO app`, "shop", `sys.database_principals WHERE name = N'other'`, 0, 1},
		{`GRANT SELECT ON dbo.t TO app`, "shop", `sys.all_objects x JOIN sys.schemas s ON s.schema_id = x.schema_id WHERE s.name = N's'`, 0, 0},
		{`GRANT SELECT ON s.t TO app`, "shop", `sys.all_objects x JOIN sys.schemas s ON s.schema_id = x.schema_id WHERE s.name = N's'`, 0, 1},
		{`GRANT CONNECT ANY DATABASE TO app`, "master", `sys.database_role_members m JOIN sys.database_principals r ON r.principal_id = m.role_principal_id`, 0, 0},
		{`GRANT VIEW ANY DEFINITION TO app`, "master", `sys.server_role_members m JOIN sys.server_principals r ON r.principal_id = m.role_principal_id WHERE r.name = N'loaders'`, 0, 1},
		{`GRANT SELECT ON s.t TO other`, "shop", `sys.database_role_members m JOIN sys.database_principals r ON r.principal_id = m.role_principal_id WHERE r.name = N'clerks'`, 1, 1},
		{`DENY VIEW DEFINITION TO app`, "shop", `sys.database_role_members m JOIN sys.database_principals r ON r.principal_id = m.role_principal_id WHERE r.name = N'clerks'`, 1, 0},
	} {
		if got := count(c.from); got != c.before {
			t.Errorf("before %s: %d rows of %s", c.right, got, c.from)
		}
		b.Exec(t, c.database, c.right)
		if got := count(c.from); got != c.after {
			t.Errorf("after %s: %d rows of %s", c.right, got, c.from)
		}
	}
}

func TestTheLexerReadsAsTheServerDoes(t *testing.T) {
	for source, want := range map[string]string{
		`N'a''b' 'c'`:            `a'b|c`,
		`[a]]b] "c""d"`:          `a]b|c"d`,
		"'a\\\nb' 'a\\\r\nb'":    `ab|ab`,
		`'a\b'`:                  `a\b`,
		`/* /* 'x' */ */ 'y'`:    `y`,
		"-- 'x'\n'y'":            `y`,
		`N'--' [/*] '*/'`:        `--|/*|*/`,
		`OBJECT::[a].[b]`:        `a|b`,
		`'ü😀' [漢]`:               `ü😀|漢`,
		`[a' b] 'c] d' "e] ' f"`: `a' b|c] d|e] ' f`,
	} {
		tokens, err := lex(source)
		var got []string
		for _, token := range tokens {
			if token.kind == quotedToken || token.kind == stringToken {
				got = append(got, token.text)
			}
		}
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: got %q, %v", source, got, err)
		}
	}
}

func TestTheLogMasksPasswords(t *testing.T) {
	s, _ := started(t)
	log := s.LogSince(0)
	if strings.Contains(log, secret) || !strings.Contains(log, `CREATE LOGIN app WITH PASSWORD = '******'`) {
		t.Error(log)
	}
}

// What a client sends must not bring the server down.
func FuzzMessages(f *testing.F) {
	f.Add([]byte{4, 0, 0, 0, 'S', 0})
	f.Add([]byte{4, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 0, 0, 0, 0xE7, 2, 0, 0, 0, 0, 0, 0, 2, 0, 'x', 0})
	f.Fuzz(func(_ *testing.T, body []byte) {
		for _, kind := range []byte{packetBatch, packetRPC} {
			_, _ = readRequest(kind, body)
		}
		_, _ = readLogin(body)
		wanted(body)
		if tokens, err := lex(string(body)); err == nil {
			_ = masked(string(body), tokens)
		}
	})
}
