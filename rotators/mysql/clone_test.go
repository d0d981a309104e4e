package mysql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

const firstPassword, clonePassword = "First-password-1 '\\\"", "Clone-password-1 '\\\"%`"

// onMariaDB runs a test in a world of its own on the real server.
func onMariaDB(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		if !isMariaDB(s) {
			t.Skip(s.Name())
		}
		test(t, newWorld(t, s))
	})
}

// onReal runs a test in a world of its own on every real server.
func onReal(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) { test(t, newWorld(t, s)) })
}

func TestACloneMayDoExactlyWhatWasGranted(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.exec(t, "CREATE DATABASE stock", "CREATE DATABASE store", "CREATE ROLE keeper", "CREATE TABLE stock.t (a int, b int)", "CREATE TABLE stock.u (a int)",
			"CREATE FUNCTION stock.f() RETURNS int DETERMINISTIC RETURN 1", "CREATE PROCEDURE stock.p() SELECT 1", "CREATE PROCEDURE stock.q() SELECT 1",
			"CREATE TABLE store.t (a int)", "GRANT DELETE ON store.t TO keeper")
		w.hosts = []string{"%"}
		w.user(t, w.own("tenant"), firstPassword)
		for i, c := range []struct {
			grant        string
			may, may_not string
		}{
			{"GRANT SELECT ON stock.t TO %s", "SELECT * FROM stock.t", "SELECT * FROM stock.u"},
			{"GRANT SELECT (a) ON stock.t TO %s", "SELECT a FROM stock.t", "SELECT b FROM stock.t"},
			{"GRANT UPDATE (b), SELECT (b) ON stock.t TO %s", "UPDATE stock.t SET b = 1", "UPDATE stock.t SET a = 1"},
			{"GRANT EXECUTE ON FUNCTION stock.f TO %s", "SELECT stock.f()", "CALL stock.p()"},
			{"GRANT EXECUTE ON PROCEDURE stock.p TO %s", "CALL stock.p()", "CALL stock.q()"},
			{"GRANT ALL PRIVILEGES ON stock.* TO %s", "CREATE TABLE IF NOT EXISTS stock.made (a int)", "SELECT * FROM store.t"},
			{"GRANT SELECT ON *.* TO %s", "SELECT * FROM store.t", "DELETE FROM store.t"},
			{"GRANT PROCESS, RELOAD ON *.* TO %s", "FLUSH STATUS", "SELECT * FROM store.t"},
			{"GRANT keeper TO %s; " + w.defaultRole("keeper"), "DELETE FROM store.t", "SELECT * FROM store.t"},
			{"GRANT keeper TO %s", "SET ROLE keeper", "DELETE FROM store.t"},
			{"GRANT SELECT ON stock.t TO %s WITH GRANT OPTION", "GRANT SELECT ON stock.t TO tenant", "GRANT INSERT ON stock.t TO tenant"},
			{"GRANT USAGE ON *.* TO %s", "SELECT 1", "SELECT * FROM stock.t"},
		} {
			t.Run(c.grant, func(t *testing.T) {
				w.grants = strings.Split(c.grant, "; ")
				user := w.user(t, fmt.Sprint("only", i, w.tag), firstPassword)
				w.clone(t, user, clonePassword)
				for _, who := range []struct{ user, password string }{{user, firstPassword}, {user + "_clone", clonePassword}} {
					if err := w.do(t, who.user, who.password, c.may); err != nil {
						t.Errorf("%s may not %s: %v", who.user, c.may, err)
					}
					if w.do(t, who.user, who.password, c.may_not) == nil {
						t.Errorf("%s may %s", who.user, c.may_not)
					}
				}
			})
		}
	})
}

func TestACloneHasTheAccountsLimitsAndDemands(t *testing.T) {
	onMariaDB(t, func(t *testing.T, w *world) {
		options := map[string]string{
			"`%`":         "REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 500 MAX_USER_CONNECTIONS 9 MAX_STATEMENT_TIME 3.5",
			"`localhost`": "REQUIRE ISSUER '/CN=it''s \\\\ a TO b' AND SUBJECT '/CN=x' PASSWORD EXPIRE INTERVAL 30 DAY",
			"`10.%`":      "REQUIRE X509 ACCOUNT LOCK",
		}
		for host, o := range options {
			w.exec(t, "CREATE USER tenant@"+host+" IDENTIFIED BY 'x' "+o)
		}
		equal := func() {
			t.Helper()
			for host := range options {
				original, clone := w.value(t, "SHOW CREATE USER tenant@"+host), w.value(t, "SHOW CREATE USER tenant_clone@"+host)
				if o, c := afterPassword(original), afterPassword(clone); o != c {
					t.Errorf("%s: %s, and the clone %s", host, o, c)
				}
			}
		}
		w.clone(t, w.own("tenant"), clonePassword)
		equal()
		w.exec(t, "ALTER USER tenant@`%` REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0 MAX_STATEMENT_TIME 0", "ALTER USER tenant@`10.%` ACCOUNT UNLOCK", "ALTER USER tenant@localhost PASSWORD EXPIRE NEVER")
		w.clone(t, w.own("tenant"), clonePassword)
		equal()
		w.exec(t, "DROP USER tenant@`10.%`", "CREATE USER tenant_clone@`192.168.%`")
		w.clone(t, w.own("tenant"), clonePassword)
		if got := w.value(t, "SELECT GROUP_CONCAT(Host ORDER BY Host) FROM mysql.user WHERE User = 'tenant_clone'"); got != "%,localhost" {
			t.Errorf("the clone has accounts at %s", got)
		}
	})
}

// afterPassword is what SHOW CREATE USER says behind the hash.
func afterPassword(text string) string {
	_, after, _ := strings.Cut(text, "BY PASSWORD '")
	_, after, _ = strings.Cut(after, "'")
	return after
}

func TestACloneFollowsWhatIsGrantedAndRevokedLater(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		user := w.user(t, "", firstPassword)
		w.clone(t, user, clonePassword)
		before := w.rights(t, user, firstPassword)
		if got := w.rights(t, user+"_clone", clonePassword); !slices.Equal(got, before) {
			t.Fatalf("the clone has\n%q, the original\n%q", got, before)
		}
		for _, change := range [][]string{
			{"GRANT DELETE, ALTER ON shop.* TO %s", "GRANT INSERT (item) ON shop.prices TO %s", "GRANT RELOAD ON *.* TO %s WITH GRANT OPTION"},
			{"REVOKE ALTER ON shop.* FROM %s", "REVOKE SELECT (item) ON shop.prices FROM %s", "REVOKE GRANT OPTION ON *.* FROM %s", "REVOKE EXECUTE ON FUNCTION shop.total FROM %s"},
			{"REVOKE cashier FROM %s", "GRANT ALL PRIVILEGES ON shop.* TO %s WITH GRANT OPTION"},
			{"REVOKE ALL PRIVILEGES ON shop.* FROM %s", "REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s"},
		} {
			for _, c := range change {
				w.exec(t, strings.ReplaceAll(c, "%s", quoteName(user)+"@`%`"))
			}
			w.clone(t, user, clonePassword)
			want, got := w.rights(t, user, firstPassword), w.rights(t, user+"_clone", clonePassword)
			if !slices.Equal(got, want) {
				t.Errorf("after %q the clone has\n%q, the original\n%q", change, got, want)
			}
		}
		if got := w.rights(t, user+"_clone", clonePassword); len(got) != 0 {
			t.Errorf("the clone keeps %q", got)
		}
	})
}

// rights are what the driver says that a user may do.
func (w *world) rights(t *testing.T, user, password string) []string {
	t.Helper()
	twin := user + "_clone"
	if original, ok := strings.CutSuffix(user, "_clone"); ok {
		twin = original
	}
	rights, err := w.as(t, user, password).(database.Administrator).Rights(t.Context(), twin)
	if err != nil {
		t.Fatal(err)
	}
	return rights
}

// What the original was given as a whole after the clone was made covers what the clone has by name.
func TestAllPrivilegesCoverThoseByName(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts, w.grants = []string{"%"}, []string{
			"GRANT SELECT, CREATE TEMPORARY TABLES ON shop.* TO %s", "GRANT SELECT, DELETE ON till.coins TO %s", "GRANT EXECUTE ON PROCEDURE shop.nothing TO %s", "GRANT RELOAD ON *.* TO %s"}
		user := w.user(t, "", firstPassword)
		w.clone(t, user, clonePassword)
		for _, object := range []string{"shop.*", "till.coins", "PROCEDURE shop.nothing", "*.*"} {
			w.exec(t, "GRANT ALL PRIVILEGES ON "+object+" TO "+quoteName(user)+"@`%`")
		}
		has := w.rights(t, user, firstPassword)
		for _, right := range w.rights(t, user+"_clone", clonePassword) {
			if !slices.Contains(has, right) {
				t.Errorf("the original lacks %s", right)
			}
		}
	})
}

func TestHostileNamesOfObjectsSurviveByteForByte(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts, w.grants = []string{"%"}, nil
		user := w.user(t, "a` TO `b"+w.tag, firstPassword)
		account, clone := quoteName(user)+"@`%`", user+"_clone"
		for _, name := range []string{"back`tick", "quo'te", `dou"ble`, `back\slash`, "x TO y", "` TO `z`@`%", "per%cent", "under_score", "ünï 漢字", "semi;--"} {
			name += w.tag
			q := quoteName(name)
			pattern := quoteName(strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(name))
			w.exec(t, "CREATE DATABASE "+q, "CREATE TABLE "+q+"."+q+" ("+q+" int, other int)", "CREATE PROCEDURE "+q+"."+q+"() SELECT 1",
				"GRANT SELECT ("+q+") ON "+q+"."+q+" TO "+account, "GRANT EXECUTE ON PROCEDURE "+q+"."+q+" TO "+account, "GRANT CREATE TEMPORARY TABLES ON "+pattern+".* TO "+account)
		}
		for _, mode := range []string{"", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"} {
			t.Run("sql_mode="+mode, func(t *testing.T) {
				if mode != "" {
					mysqltest.ChangesAll(t)
					w.exec(t, "SET GLOBAL sql_mode = '"+mode+"'")
					defer w.exec(t, "SET GLOBAL sql_mode = DEFAULT")
				}
				w.clone(t, user, clonePassword)
				want, got := w.rights(t, user, firstPassword), w.rights(t, clone, clonePassword)
				if !slices.Equal(got, want) || len(want) < 30 {
					t.Errorf("the clone has\n%q, the original\n%q", got, want)
				}
				if err := w.do(t, clone, clonePassword, strings.ReplaceAll("SELECT `back``tick` FROM `back``tick`.`back``tick`", "tick", "tick"+w.tag)); err != nil {
					t.Error(err)
				}
				if err := w.do(t, clone, clonePassword, "CREATE TEMPORARY TABLE `under_score"+w.tag+"`.`t` (n int)"); err != nil {
					t.Error(err)
				}
				if err := w.as(t, clone, clonePassword).SetPassword(t.Context(), databasetest.Change(clone, clonePassword)); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestRightsOnWhatWasDroppedAreCopiedToo(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts = []string{"%"}
		w.grants = []string{"GRANT SELECT, INSERT ON gone.t TO %s WITH GRANT OPTION", "GRANT SELECT ON shop.orders TO %s"}
		w.exec(t, "CREATE DATABASE gone", "CREATE TABLE gone.t (a int)")
		user := w.user(t, "", firstPassword)
		w.exec(t, "DROP DATABASE gone")
		w.clone(t, user, clonePassword)
		if want, got := w.rights(t, user, firstPassword), w.rights(t, user+"_clone", clonePassword); !slices.Equal(got, want) {
			t.Errorf("the clone has\n%q, the original\n%q", got, want)
		}
	})
}

func TestProxiesAreCopied(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts, w.grants = []string{"%"}, []string{"GRANT PROXY ON 'some TO body'@'10.%' TO %s WITH GRANT OPTION", "REVOKE GRANT OPTION ON *.* FROM %s"}
		user := w.user(t, "", firstPassword)
		for range 2 {
			w.clone(t, user, clonePassword)
			got := w.rights(t, user+"_clone", clonePassword)
			want := []string{"PROXY on `some TO body`@`10.%`", "PROXY on `some TO body`@`10.%` with grant option"}
			if !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
		}
	})
}

func TestDriftIsGivenToTheOriginal(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		w.hosts = []string{"%"}
		user := w.user(t, "", firstPassword)
		w.clone(t, user, clonePassword)
		clone := quoteName(user+"_clone") + "@`%`"
		w.exec(t, "CREATE ROLE drifter", "GRANT drifter TO "+clone, "GRANT DELETE ON shop.orders TO "+clone, "GRANT INSERT (item) ON shop.prices TO "+clone,
			"REVOKE SELECT ON shop.recent FROM "+clone, "GRANT ALL PRIVILEGES ON till.* TO "+clone+" WITH GRANT OPTION")
		before := w.rights(t, user, firstPassword)
		if err := w.administrator(t).(database.Administrator).HandBack(t.Context(), databasetest.Pair(user, user+"_clone"), true); err != nil {
			t.Fatal(err)
		}
		now, clones := w.rights(t, user, firstPassword), w.rights(t, user+"_clone", clonePassword)
		for _, r := range append(before, clones...) {
			if !slices.Contains(now, r) {
				t.Errorf("the original lacks %s", r)
			}
		}
		if slices.Contains(clones, w.own("SELECT on `shop`.`recent`")) {
			t.Error("the clone was changed")
		}
	})
}

func TestAnAdministratorWithoutTheRightsIsToldWhatToGrant(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) {
		user := w.user(t, "", firstPassword)
		w.exec(t, "CREATE USER `lo%wly`@`%` IDENTIFIED BY 'lowpass'")
		for _, c := range []struct{ grant, preflight, clone string }{
			{"", "GRANT CREATE USER ON *.* TO `lo%wly`@`%`", "GRANT SELECT ON mysql.* TO `lo%wly`@`%`"},
			{"GRANT CREATE USER ON *.* TO `lo%wly`@`%`", "GRANT SELECT ON mysql.* TO `lo%wly`@`%`", "GRANT SELECT ON mysql.* TO `lo%wly`@`%`"},
			{"GRANT SELECT ON mysql.* TO `lo%wly`@`%`", "GRANT CREATE TEMPORARY TABLES, SELECT ON `shop\\_2`.* TO `lo%wly`@`%` WITH GRANT OPTION", "GRANT cashier TO"},
			{"GRANT cashier TO `lo%wly`@`%` WITH ADMIN OPTION", "GRANT PROCESS ON *.* TO `lo%wly`@`%` WITH GRANT OPTION", "GRANT PROCESS ON *.* TO `lo%wly`@`%` WITH GRANT OPTION"},
		} {
			if c.grant != "" {
				w.exec(t, c.grant)
			}
			low := w.as(t, w.own("lo%wly"), "lowpass")
			wantClass(t, low.(database.Administrator).PreflightClone(t.Context(), databasetest.Pair(user, user+"_clone")), rotation.MissingPrivilege, w.own(c.preflight))
			err := databasetest.Clone(t.Context(), low, user, user+"_clone", clonePassword)
			if c.clone == "GRANT cashier TO" {
				c.clone = "GRANT `cashier` TO `lo%wly`@`%` WITH ADMIN OPTION"
				if !isMariaDB(w.server) { // whose roles have no host
					c.clone = "GRANT `cashier`@`%` TO `lo%wly`@`%` WITH ADMIN OPTION"
				}
			}
			wantClass(t, err, rotation.MissingPrivilege, w.own(c.clone))
			_ = low.Close() // which frees the lock
			if err := w.do(t, user, firstPassword, "SELECT * FROM shop.orders"); err != nil {
				t.Errorf("the original suffered: %v", err)
			}
			if w.do(t, user+"_clone", clonePassword, "SELECT 1") == nil {
				t.Error("a clone that is not whole can log in")
			}
		}
		if err := w.administrator(t).(database.Administrator).PreflightClone(t.Context(), databasetest.Pair(user, user+"_clone")); err != nil {
			t.Errorf("the administrator lacks: %v", err)
		}
		w.clone(t, user, clonePassword)
		if err := w.do(t, user+"_clone", clonePassword, "INSERT INTO till.coins VALUES (1)"); err != nil {
			t.Errorf("it does not converge: %v", err)
		}
	})
}
