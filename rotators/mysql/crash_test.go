package mysql_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// rich is a new user with an account at each of four hosts and something of everything that the server knows to grant.
func (w *world) rich(t *testing.T) (user string) {
	t.Helper()
	user = w.user(t, "", firstPassword)
	w.alter(t, user,
		"CREATE USER %u@`10.0.%` IDENTIFIED BY "+quoteText(firstPassword)+" REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5 PASSWORD EXPIRE NEVER",
		"CREATE USER %u@`10.1.%` IDENTIFIED BY "+quoteText(firstPassword)+" REQUIRE ISSUER '/O=O''Reilly \\\\ REQUIRE NONE' AND SUBJECT '/CN=a TO b'",
		"GRANT SELECT ON *.* TO %u@`%` WITH GRANT OPTION", "GRANT PROXY ON boss@`%` TO %u@`%`", "GRANT INSERT ON till.* TO %u@`10.0.%`")
	if w.isMySQL8() {
		w.alter(t, user, "ALTER USER %u@`%` PASSWORD REQUIRE CURRENT OPTIONAL FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 ATTRIBUTE '{\"team\": \"a\"}'",
			"CREATE ROLE IF NOT EXISTS `keeper`", "GRANT `keeper`@`%` TO %u@`%`",
			"GRANT BACKUP_ADMIN ON *.* TO %u@`%`", "GRANT XA_RECOVER_ADMIN ON *.* TO %u@`%` WITH GRANT OPTION")
	}
	if w.partial {
		w.alter(t, user, "REVOKE SELECT ON mysql.* FROM %u@`%`")
	}
	return user
}

func (w *world) isMySQL8() bool { return w.server.Real && !isMariaDB(w.server) }

// alter runs statements about a user, who is %u.
func (w *world) alter(t *testing.T, user string, statements ...string) {
	t.Helper()
	for _, s := range statements {
		w.exec(t, strings.ReplaceAll(s, "%u", quoteName(user)))
	}
}

// wantEqual holds a rich user and its clone against each other, by what each may do and by what the server shows.
func (w *world) wantEqual(t *testing.T, user string) {
	t.Helper()
	want, got := w.rights(t, user, firstPassword), w.rights(t, user+"_clone", clonePassword)
	if !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("the clone has\n%q, the original\n%q", got, want)
	}
	for _, host := range append(slices.Clone(w.hosts), "10.0.%", "10.1.%") {
		original := w.shown(t, user, host)
		if clone := strings.ReplaceAll(w.shown(t, user+"_clone", host), user+"_clone", user); clone != original {
			t.Errorf("at %s the clone is\n%s, the original\n%s", host, clone, original)
		}
	}
}

// shown is what the server shows of an account, but for what it keeps of the password.
func (w *world) shown(t *testing.T, user, host string) string {
	t.Helper()
	account := quoteName(user) + "@" + quoteName(host)
	text := secrets.ReplaceAllString(w.all(t, "SHOW GRANTS FOR "+account)+"\n"+w.all(t, "SHOW CREATE USER "+account), "")
	return strings.ReplaceAll(unlimited.ReplaceAllString(text, ""), " WITH PASSWORD", " PASSWORD")
}

// unlimited are limits that somebody has spelled out though they are none: MySQL shows them until it is restarted.
var unlimited = regexp.MustCompile(` MAX_[A-Z_]+ 0\b`)

// secrets are what servers show of passwords.
var secrets = regexp.MustCompile(`(?s) AS '(\*[0-9A-F]{40}|\$A\$.*?)'( DEFAULT ROLE| REQUIRE)| BY PASSWORD '\*[0-9A-F]{40}'`)

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
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// onMySQL runs a test in a world of its own on every server that speaks MySQL's dialects: 5.7's imitation too.
func onMySQL(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("MySQL5.7", func(t *testing.T) { test(t, newWorld(t, startWire(t))) })
	mysqltest.EachOf(t, mysqltest.MySQL, func(t *testing.T, s *mysqltest.Server) { test(t, newWorld(t, s)) })
}

func TestACloneOnMySQLIsTheSame(t *testing.T) {
	onMySQL(t, func(t *testing.T, w *world) {
		user := w.rich(t)
		w.clone(t, user, clonePassword)
		w.wantEqual(t, user)
		w.alter(t, user, "REVOKE INSERT ON till.* FROM %u@`10.0.%`", "REVOKE PROXY ON boss@`%` FROM %u@`%`", "ALTER USER %u@`10.0.%` REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0",
			"GRANT UPDATE ON till.* TO %u@`%`")
		w.alter(t, user+"_clone", "CREATE USER %u@`192.168.%` IDENTIFIED BY 'x'")
		if w.isMySQL8() {
			w.alter(t, user, "REVOKE cashier FROM %u@`%`", "REVOKE BACKUP_ADMIN ON *.* FROM %u@`%`", "ALTER USER %u@`%` DEFAULT ROLE keeper")
		}
		w.clone(t, user, clonePassword)
		w.wantEqual(t, user)
		if n := strings.Count(w.all(t, "SELECT User, Host, plugin FROM mysql.user WHERE User = "+quoteText(user+"_clone")), "_clone"); n != len(w.hosts)+2 {
			t.Errorf("the clone has %d accounts", n)
		}
	})
}

func TestWhatIsDeniedInOneDatabaseIsDeniedTheCloneToo(t *testing.T) {
	w := plain(t, mysqltest.MySQL, map[string]string{"partial-revokes": "ON"})
	w.partial = true
	user := w.rich(t)
	w.clone(t, user, clonePassword)
	w.wantEqual(t, user)
	w.alter(t, user, "GRANT SELECT ON mysql.* TO %u@`%`", "REVOKE SELECT ON sys.* FROM %u@`%`")
	w.clone(t, user, clonePassword)
	w.wantEqual(t, user)
	w.alter(t, user+"_clone", "GRANT SELECT ON sys.* TO %u@`%`")
	w.handBack(t, user)
	w.wantEqual(t, user)
}

// What is denied to the original stays so when its clone may not do it either: drift is what the clone may do.
func TestDriftLiftsNothingThatNeitherMayDo(t *testing.T) {
	w := plain(t, mysqltest.MySQL, map[string]string{"partial-revokes": "ON"})
	w.hosts, w.grants = w.hosts[:1], nil
	user := w.user(t, "", firstPassword)
	w.alter(t, user, "GRANT SELECT ON *.* TO %u@`%`", "REVOKE SELECT ON till.* FROM %u@`%`")
	w.clone(t, user, clonePassword)
	w.alter(t, user+"_clone", "REVOKE SELECT ON *.* FROM %u@`%`")
	w.handBack(t, user)
	if err := w.do(t, user, firstPassword, "SELECT * FROM till.coins"); err == nil {
		t.Error("the original may do what it was denied")
	}
	w.alter(t, user+"_clone", "GRANT SELECT ON till.* TO %u@`%`")
	w.handBack(t, user)
	if err := w.do(t, user, firstPassword, "SELECT * FROM till.coins"); err != nil {
		t.Errorf("the original lacks what its clone may do: %v", err)
	}
}

// handBack gives a user what only its clone has.
func (w *world) handBack(t *testing.T, user string) {
	t.Helper()
	c := w.administrator(t)
	if err := c.(database.Administrator).HandBack(t.Context(), databasetest.Pair(user, user+"_clone"), true); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil { // which frees the lock
		t.Fatal(err)
	}
}

// The reply to every statement of a clone's making that changes something is lost in turn, its effect done. The original
// suffers never, a clone that can log in with the new password is whole, and the next run ends well.
func TestACloneCutShortAnywhereConverges(t *testing.T) {
	for product, settings := range map[string]map[string]string{mysqltest.MySQL: {"partial-revokes": "ON"}, mysqltest.MariaDB: nil} {
		t.Run(product, func(t *testing.T) {
			w := plain(t, product, settings)
			w.partial = product == mysqltest.MySQL
			for name, prepare := range map[string]func(*testing.T) string{"new": w.rich, "existing": w.poorClone} {
				for n, more := 1, true; more && !t.Failed(); n++ {
					t.Run(fmt.Sprint(name, n), func(t *testing.T) { more = w.cutShort(t, prepare(t), n) })
				}
			}
		})
	}
}

// poorClone is a rich user whose clone has another password and lacks much.
func (w *world) poorClone(t *testing.T) (user string) {
	t.Helper()
	user = w.rich(t)
	w.clone(t, user, "another")
	w.alter(t, user+"_clone", "REVOKE SELECT ON *.* FROM %u@`%`", "REVOKE PROXY ON boss@`%` FROM %u@`%`", "REVOKE INSERT ON till.* FROM %u@`10.0.%`",
		"ALTER USER %u@`10.0.%` WITH MAX_QUERIES_PER_HOUR 0", "CREATE USER %u@`192.168.%` IDENTIFIED BY 'x'")
	if w.server.Real {
		w.alter(t, user+"_clone", "REVOKE cashier FROM %u@`%`")
	}
	if w.isMySQL8() {
		w.alter(t, user+"_clone", "REVOKE BACKUP_ADMIN ON *.* FROM %u@`%`")
	}
	return user
}

// cutShort loses the reply to the n-th statement that changes something, and reports whether there was one. Dropping old
// passwords, at the end, need not succeed.
func (w *world) cutShort(t *testing.T, user string, n int) (found bool) {
	t.Helper()
	changes, at := 0, ""
	c := w.tapped(t, &tap{heard: func(_ int, statement string) bool {
		verb, _, _ := strings.Cut(statement, " ")
		if slices.Contains([]string{"CREATE", "ALTER", "DROP", "GRANT", "REVOKE"}, verb) && !strings.Contains(statement, "DISCARD OLD PASSWORD") || strings.HasPrefix(statement, "SET DEFAULT") {
			changes++
		}
		if changes == n && at == "" {
			at = statement
			return true
		}
		return false
	}}, w.server.AdminUser, w.server.AdminPassword)
	err := databasetest.Clone(t.Context(), c, user, user+"_clone", clonePassword)
	if at == "" {
		if err != nil || n < 8 {
			t.Errorf("%d statements, and %v", changes, err)
		}
		return false
	}
	if err == nil {
		t.Errorf("nobody missed the reply to %s", at)
	}
	_ = c.Close()
	if err := w.do(t, user, firstPassword, "SELECT 1"); err != nil {
		t.Errorf("the original suffers from %s: %v", at, err)
	}
	if err := w.do(t, user+"_clone", clonePassword, "SELECT 1"); err == nil {
		w.wantEqual(t, user)
	}
	w.clone(t, user, clonePassword)
	w.wantEqual(t, user)
	return true
}

// MySQL prints such demands as they are, with quotes that end too early.
func TestDemandsOnCertificatesDoNotKeepAUserFromRotating(t *testing.T) {
	onMySQL(t, func(t *testing.T, w *world) {
		user, boss := w.user(t, "", firstPassword), w.user(t, "", firstPassword)
		c := w.as(t, user, firstPassword)
		w.alter(t, user, "ALTER USER %u@`%` REQUIRE ISSUER '/O=O''Reilly'")
		if err := c.SetPassword(t.Context(), databasetest.Change(user, clonePassword)); err != nil {
			t.Error(err)
		}
		if _, err := c.(database.Administrator).Rights(t.Context(), boss); err != nil {
			t.Error(err)
		}
	})
}

func TestDriftOnMySQLIsGivenToTheOriginal(t *testing.T) {
	onMySQL(t, func(t *testing.T, w *world) {
		user := w.rich(t)
		w.clone(t, user, clonePassword)
		w.alter(t, user+"_clone", "GRANT DELETE ON till.* TO %u@`10.0.%` WITH GRANT OPTION")
		if w.isMySQL8() {
			w.alter(t, user+"_clone", "CREATE ROLE drifter", "GRANT drifter TO %u@`%` WITH ADMIN OPTION", "GRANT CONNECTION_ADMIN ON *.* TO %u@`%`")
		}
		w.handBack(t, user)
		w.wantEqual(t, user)
	})
}

func TestDefinersAreNamed(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		user := w.user(t, "", firstPassword)
		w.clone(t, user, clonePassword)
		definer := quoteName(user+"_clone") + "@`%`"
		w.exec(t, "CREATE DEFINER="+definer+" VIEW shop.theirs AS SELECT * FROM shop.orders", "CREATE DEFINER="+definer+" PROCEDURE shop.does() SELECT 1")
		l := w.login(w.server.AdminUser, w.server.AdminPassword)
		if err := databasetest.Clone(t.Context(), w.open(t, l), user, user+"_clone", clonePassword); err != nil {
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
