package mysql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
)

// richApp is a user of the wire-level server with everything that MySQL 8 knows to grant.
func richApp(t *testing.T, version string) *world {
	t.Helper()
	w := newApp(t, version, "CREATE USER app@`10.0.%` IDENTIFIED BY 'first' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5 PASSWORD EXPIRE NEVER")
	for _, g := range append(w.grants, "GRANT SELECT ON *.* TO %s WITH GRANT OPTION", "GRANT PROXY ON boss@`%` TO %s") {
		w.exec(t, strings.ReplaceAll(g, "%s", "app@`%`"))
	}
	w.exec(t, "GRANT INSERT ON till.* TO app@`10.0.%`", "CREATE USER app@`10.1.%` IDENTIFIED BY 'first' REQUIRE ISSUER '/O=O''Reilly \\\\ REQUIRE NONE' AND SUBJECT '/CN=a TO b'")
	if version != "5.7.44" {
		w.exec(t, "CREATE ROLE cashier", "CREATE ROLE `x TO y`", "GRANT INSERT ON till.coins TO cashier",
			"GRANT cashier, `x TO y`@`%` TO app@`%`", "ALTER USER app@`%` DEFAULT ROLE cashier", "ALTER USER app@`%` PASSWORD HISTORY 5 PASSWORD REQUIRE CURRENT OPTIONAL",
			"GRANT BACKUP_ADMIN ON *.* TO app@`%`", "GRANT XA_RECOVER_ADMIN ON *.* TO app@`%` WITH GRANT OPTION", "REVOKE SELECT ON mysql.* FROM app@`%`")
	}
	return w
}

func (w *world) wantEqual(t *testing.T) {
	t.Helper()
	want, got := w.rights(t, "app", "first"), w.rights(t, "app_clone", clonePassword)
	if !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("the clone has\n%q, the original\n%q", got, want)
	}
	for _, host := range []string{"%", "10.0.%", "10.1.%"} {
		for _, show := range []string{"SHOW CREATE USER ", "SHOW GRANTS FOR "} {
			original := w.all(t, show+"app@"+quoteName(host))
			if clone := strings.ReplaceAll(w.all(t, show+"app_clone@"+quoteName(host)), "app_clone", "app"); clone != original {
				t.Errorf("at %s the clone is\n%s, the original\n%s", host, clone, original)
			}
		}
	}
}

// all is the first column of all rows.
func (w *world) all(t *testing.T, query string) string {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), w.own(query))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		var line string
		into := []any{&line, new(string), new(string)}
		if err := rows.Scan(into[:len(names)]...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestACloneOnMySQLIsTheSame(t *testing.T) {
	for _, version := range []string{"5.7.44", "8.0.36", "9.1.0"} {
		t.Run(version, func(t *testing.T) {
			w := richApp(t, version)
			w.clone(t, "app", clonePassword)
			w.wantEqual(t)
			w.exec(t, "REVOKE INSERT ON till.* FROM app@`10.0.%`", "REVOKE PROXY ON boss@`%` FROM app@`%`", "ALTER USER app@`10.0.%` REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0",
				"GRANT UPDATE ON till.* TO app@`%`", "CREATE USER app_clone@`192.168.%` IDENTIFIED BY 'x'")
			if version != "5.7.44" {
				w.exec(t, "REVOKE cashier FROM app@`%`", "REVOKE BACKUP_ADMIN ON *.* FROM app@`%`", "GRANT SELECT ON mysql.* TO app@`%`", "REVOKE SELECT ON sys.* FROM app@`%`", "ALTER USER app@`%` DEFAULT ROLE `x TO y`")
			}
			w.clone(t, "app", clonePassword)
			w.wantEqual(t)
			if got := w.all(t, "SELECT User, Host, plugin FROM mysql.user WHERE User = 'app_clone'"); strings.Count(got, "app_clone") != 3 {
				t.Errorf("the clone has other accounts than the original: %s", got)
			}
		})
	}
}

// The reply to every statement of a clone's making is lost in turn, its effect done. The original suffers never, a
// clone that can log in with the new password is whole, and the next run ends well.
func TestACloneCutShortAnywhereConverges(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T) *world{"new": newClone, "existing": poorClone} {
		t.Run(name, func(t *testing.T) {
			for i, statement := range cloningStatements(t, prepare(t)) {
				t.Run(fmt.Sprint(i), func(t *testing.T) { cutShort(t, prepare(t), statement) })
			}
		})
	}
}

func newClone(t *testing.T) *world { return richApp(t, "8.4.3") }

// poorClone is a world whose clone has another password and lacks much.
func poorClone(t *testing.T) *world {
	t.Helper()
	w := richApp(t, "8.4.3")
	w.clone(t, "app", "another")
	w.exec(t, "REVOKE SELECT ON *.* FROM app_clone@`%`", "REVOKE cashier FROM app_clone@`%`", "REVOKE BACKUP_ADMIN ON *.* FROM app_clone@`%`", "REVOKE PROXY ON boss@`%` FROM app_clone@`%`", "REVOKE INSERT ON till.* FROM app_clone@`10.0.%`", "ALTER USER app_clone@`10.0.%` WITH MAX_QUERIES_PER_HOUR 0")
	return w
}

// cloningStatements are those that have to succeed when a clone is made. Dropping old passwords, at the end, need not.
func cloningStatements(t *testing.T, w *world) (statements []string) {
	t.Helper()
	mark := w.server.Mark()
	w.clone(t, "app", clonePassword)
	for line := range strings.Lines(w.server.LogSince(mark)) {
		_, statement, ok := strings.Cut(strings.TrimSpace(line), "Query\t")
		if before, _, hidden := strings.Cut(statement, "<secret>"); hidden {
			statement = before
		}
		if ok && !strings.HasPrefix(statement, "S") && !strings.Contains(statement, "DISCARD OLD PASSWORD") { // SELECT, SHOW, SET
			statements = append(statements, statement)
		}
	}
	if len(statements) < 8 {
		t.Fatalf("only %q", statements)
	}
	return statements
}

func cutShort(t *testing.T, w *world, statement string) {
	w.server.Wire().DropReply(statement)
	c := w.administrator(t)
	if err := c.(database.Cloner).CloneUser(t.Context(), "app", "app_clone", clonePassword); err == nil {
		t.Fatalf("%s was not sent", statement)
	}
	_ = c.Close()
	if err := w.do(t, "app", "first", "SELECT 1"); err != nil {
		t.Errorf("the original suffers from %s: %v", statement, err)
	}
	if err := w.do(t, "app_clone", clonePassword, "SELECT 1"); err == nil {
		w.wantEqual(t)
	}
	w.clone(t, "app", clonePassword)
	w.wantEqual(t)
}

// MySQL prints such demands as they are, with quotes that end too early.
func TestDemandsOnCertificatesDoNotKeepAUserFromRotating(t *testing.T) {
	w := newApp(t, "8.0.36", retains, "CREATE USER boss@`%` IDENTIFIED BY 'first'")
	c := w.as(t, "app", "first")
	w.exec(t, "ALTER USER app@`%` REQUIRE ISSUER '/O=O''Reilly'")
	if err := c.SetPassword(t.Context(), "app", "second"); err != nil {
		t.Error(err)
	}
	if _, err := c.(database.Auditor).Rights(t.Context(), "boss"); err != nil {
		t.Error(err)
	}
}

func TestDriftOnMySQLIsGivenToTheOriginal(t *testing.T) {
	w := richApp(t, "8.0.36")
	w.clone(t, "app", clonePassword)
	w.exec(t, "CREATE ROLE drifter", "GRANT drifter TO app_clone@`%` WITH ADMIN OPTION", "GRANT CONNECTION_ADMIN ON *.* TO app_clone@`%`", "GRANT SELECT ON mysql.* TO app_clone@`%`",
		"GRANT DELETE ON till.* TO app_clone@`10.0.%` WITH GRANT OPTION")
	c := w.administrator(t)
	if err := c.(database.DriftGranter).GrantDrift(t.Context(), "app", "app_clone"); err != nil {
		t.Fatal(err)
	}
	w.wantEqual(t)
}

func TestDefinersAreNamed(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		user := w.user(t, "", firstPassword)
		w.clone(t, user, clonePassword)
		definer := quoteName(user+"_clone") + "@`%`"
		w.exec(t, "CREATE DEFINER="+definer+" VIEW shop.theirs AS SELECT * FROM shop.orders", "CREATE DEFINER="+definer+" PROCEDURE shop.does() SELECT 1")
		l := w.login(w.server.AdminUser, w.server.AdminPassword)
		if err := w.open(t, l).(database.Cloner).CloneUser(t.Context(), user, user+"_clone", clonePassword); err != nil {
			t.Fatal(err)
		}
		notes := fmt.Sprintf("%+v", l.Report)
		for _, name := range []string{"view shop.theirs", "procedure shop.does", user + "_clone"} {
			if name = w.own(name); !strings.Contains(notes, name) {
				t.Errorf("%s is not in %s", name, notes)
			}
		}
	})
}
