package mysql_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/mysql"
)

// attacks are what the owner of a database tries against an administrator who rotates app there. On MySQL it may create
// users too, over whom app stands, with SYSTEM_USER, unless the attack is a grant to app: see granting. $APP is app's name,
// $ME the tenant's account, $PW its password. Some statements are refused by some servers: the rest of an attack goes on.
var attacks = map[string][]string{
	"a clone made before":             {"CREATE USER `$APP_clone`@`%` IDENTIFIED BY '$PW'"},
	"a clone made before, marked":     {"CREATE USER `$APP_clone`@`%` IDENTIFIED BY '$PW' ATTRIBUTE '{\"rotor\": {\"pair\": \"WORD\"}}'"},
	"a clone on this host":            {"CREATE USER `$APP_clone`@`127.0.0.1` IDENTIFIED BY '$PW'"},
	"app on this host":                {"CREATE USER `$APP`@`127.0.0.1` IDENTIFIED BY '$PW'"},
	"a marked app on this host":       {"CREATE USER `$APP`@`127.0.0.1` IDENTIFIED BY '$PW' ATTRIBUTE '{\"rotor\": {\"version\": \"v1\", \"pair\": \"WORD\"}}'"},
	"a role by the clone's name":      {"CREATE ROLE `$APP_clone`"},
	"the mark of another":             {"ALTER USER `$APP`@`%` ATTRIBUTE '{\"rotor\": {\"pair\": \"WORD\"}}'"},
	"another password":                {"ALTER USER `$APP`@`%` IDENTIFIED BY '$PW'", "SET PASSWORD FOR `$APP`@`%` = '$PW'"},
	"a lock on app":                   {"ALTER USER `$APP`@`%` ACCOUNT LOCK", "ALTER USER `$APP`@`%` WITH MAX_USER_CONNECTIONS 1"},
	"another name for app":            {"RENAME USER `$APP`@`%` TO `$APP`@`10.0.0.1`"},
	"app dropped":                     {"DROP USER `$APP`@`%`"},
	"a role for app":                  {"CREATE ROLE `evil$APP`", "GRANT ALL PRIVILEGES ON shop.* TO `evil$APP`", "GRANT `evil$APP` TO `$APP`@`%`", "SET DEFAULT ROLE `evil$APP` TO `$APP`@`%`"},
	"app's rights by proxy":           {"GRANT PROXY ON `$APP`@`%` TO $ME", "GRANT PROXY ON $ME TO `$APP`@`%`"},
	"a user with a hostile name":      {"CREATE USER `x'@'%' WITH GRANT OPTION; --`@`%` IDENTIFIED BY '$PW'", "GRANT PROXY ON `x'@'%' WITH GRANT OPTION; --`@`%` TO `$APP`@`%`"},
	"a role with a hostile name":      {"CREATE ROLE `r`` TO $APP; --`", "GRANT `r`` TO $APP; --` TO `$APP`@`%`"},
	"a table with a hostile name":     {"CREATE TABLE shop.`t`` TO x; GRANT ALL ON *.* TO $RAW; -- -` (a int)", "GRANT SELECT ON shop.`t`` TO x; GRANT ALL ON *.* TO $RAW; -- -` TO `$APP`@`%`"},
	"a table that ends a comment":     {"CREATE TABLE shop.`*/ GRANT ALL ON *.* TO $RAW /*` (a int)", "GRANT SELECT, INSERT ON shop.`*/ GRANT ALL ON *.* TO $RAW /*` TO `$APP`@`%`"},
	"a table with a backslash":        {"CREATE TABLE shop.`\\\\'; GRANT ALL ON *.* TO $RAW; -- -` (a int)", "GRANT SELECT ON shop.`\\\\'; GRANT ALL ON *.* TO $RAW; -- -` TO `$APP`@`%`"},
	"a column with a hostile name":    {"CREATE TABLE shop.cols (`c``), ALL ON *.* TO $RAW; -- -` int)", "GRANT SELECT (`c``), ALL ON *.* TO $RAW; -- -`) ON shop.cols TO `$APP`@`%`"},
	"a procedure with a hostile name": {"CREATE PROCEDURE shop.`p`` TO x WITH GRANT OPTION; -- -`() SELECT 1", "GRANT EXECUTE ON PROCEDURE shop.`p`` TO x WITH GRANT OPTION; -- -` TO `$APP`@`%`"},
	"a function with a hostile name":  {"CREATE FUNCTION shop.`f() TO x; --`() RETURNS int DETERMINISTIC RETURN 1", "GRANT EXECUTE ON FUNCTION shop.`f() TO x; --` TO `$APP`@`%` WITH GRANT OPTION"},
	"rights on what is dropped":       {"CREATE TABLE shop.away (a int, b int)", "GRANT SELECT (a) ON shop.away TO `$APP`@`%`", "ALTER TABLE shop.away DROP a", "DROP TABLE shop.away"},
	"a wildcard":                      {"GRANT SELECT ON `shop`.* TO `$APP`@`%`", "GRANT ALL PRIVILEGES ON `sho%`.* TO `$APP`@`%`"},
	"the grant option":                {"GRANT ALL PRIVILEGES ON shop.* TO `$APP`@`%` WITH GRANT OPTION"},
	"a view by a catalog's name":      {"CREATE VIEW shop.user AS SELECT * FROM shop.orders", "CREATE TABLE shop.tables_priv (a int)", "GRANT SELECT ON shop.user TO `$APP`@`%`"},
	"a definer":                       {"CREATE DEFINER = `root`@`localhost` PROCEDURE shop.grab() SQL SECURITY DEFINER GRANT ALL ON *.* TO $ME", "CALL shop.grab()"},
	"an event":                        {"CREATE EVENT shop.grab ON SCHEDULE EVERY 1 SECOND DO GRANT ALL PRIVILEGES ON *.* TO $ME"},
	"a trigger":                       {"CREATE TRIGGER shop.grab BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.item = (SELECT MAX(authentication_string) FROM mysql.user)"},
	"what every session begins with":  {"SET GLOBAL init_connect = 'GRANT ALL PRIVILEGES ON *.* TO $RAW'", "SET PERSIST init_connect = 'SELECT 1'"},
	"other quotes":                    {"SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"},
	"locked tables":                   {"LOCK TABLES shop.orders WRITE"},
	"a transaction without an end":    {"BEGIN", "SELECT * FROM shop.orders FOR UPDATE"},
	"the lock on a user":              {"DO GET_LOCK('rotor:$LOCK', 0)"},
}

// hindered are attacks that may hinder the rotation itself: then it changes nothing.
var hindered = map[string]bool{"a clone made before": true, "a clone made before, marked": true, "a clone on this host": true, "app on this host": true, "a marked app on this host": true,
	"a role by the clone's name": true, "the lock on a user": true, "rights on what is dropped": true}

// granting are attacks by rights that the tenant gives to app: MySQL lets it, if app is an ordinary user.
var granting = map[string]bool{"a table with a hostile name": true, "a table that ends a comment": true, "a table with a backslash": true, "a column with a hostile name": true,
	"a procedure with a hostile name": true, "a function with a hostile name": true, "rights on what is dropped": true, "a wildcard": true, "the grant option": true, "a view by a catalog's name": true}

// A tenant owns the database, and may create users. Whatever it prepares, rotations by an administrator give it nothing.
func TestTheTenantGainsNothing(t *testing.T) {
	if len(attacks) < 30 {
		t.Errorf("there are %d attacks", len(attacks))
	}
	onReal(t, func(t *testing.T, w *world) {
		if !w.server.IsNewest() && !strings.HasPrefix(w.server.Title, "MySQL 8.0") {
			t.Skip("covered by MySQL 8.0, and by the newest of each product")
		}
		w.hosts = []string{"%"}
		apps := w.grants
		w.grants = []string{"GRANT ALL PRIVILEGES ON shop.* TO %s WITH GRANT OPTION"}
		if !isMariaDB(w.server) { // where whoever may create users may change anybody's password
			w.grants = append(w.grants, "GRANT CREATE USER, CREATE ROLE ON *.* TO %s")
		}
		tenant := w.user(t, "", tenantsPassword)
		worked := 0
		for name, statements := range attacks {
			t.Run(name, func(t *testing.T) {
				before := w.holdings(t, tenant)
				for way, s := range databasetest.Ways() {
					w.grants = slices.Clone(apps)
					if !isMariaDB(w.server) && !granting[name] {
						w.grants = append(w.grants, "GRANT SYSTEM_USER ON *.* TO %s")
					}
					app := w.user(t, "", firstPassword)
					t.Cleanup(func() {
						w.exec(t, "DROP USER IF EXISTS "+quoteName(app)+"@`127.0.0.1`, "+quoteName(app+"_clone")+"@`127.0.0.1`, `x'@'%' WITH GRANT OPTION; --`@`%`", "DROP ROLE IF EXISTS `evil"+app+"`, `r`` TO "+app+"; --`")
					})
					conn, n := w.attack(t, tenant, app, statements)
					worked += n
					r := databasetest.NewRotations(t, mysql.Driver, s, databasetest.Fixture{
						User: w.secret(t, app, firstPassword), Admin: w.secret(t, w.server.AdminUser, w.server.AdminPassword), Roots: w.roots})
					for _, version := range []string{"v1", "v2"} {
						err := w.within(t, r, version)
						if err != nil && !hindered[name] {
							t.Errorf("%s: %v", way, err)
						}
						if err != nil && !w.logsIn(t, r.Current()) && !w.logsIn(t, r.Store.Value("user", rotation.Pending)) && !strings.Contains(name, "app on this host") {
							t.Errorf("%s: nobody can log in, after %v", way, err)
						}
					}
					_ = conn.Close()
					for _, user := range []string{app, app + "_clone"} {
						if w.do(t, user, tenantsPassword, "INSERT INTO till.coins VALUES (1)") == nil {
							t.Errorf("%s: the tenant's password opens %s, and what it may do", way, user)
						}
					}
				}
				if after := w.holdings(t, tenant); after != before {
					t.Errorf("the tenant holds\n%s, and held\n%s", after, before)
				}
				w.exec(t, "DROP DATABASE shop", "CREATE DATABASE shop", "CREATE TABLE shop.orders (id int AUTO_INCREMENT PRIMARY KEY, item text, price int)", "CREATE TABLE shop.prices (item text, price int)",
					"CREATE VIEW shop.recent AS SELECT * FROM shop.orders", "CREATE FUNCTION shop.total() RETURNS bigint READS SQL DATA SQL SECURITY DEFINER RETURN (SELECT COUNT(*) FROM shop.orders)",
					"CREATE PROCEDURE shop.nothing() SELECT 1")
			})
		}
		if worked < 20 {
			t.Errorf("of all statements of attacks %d worked: this proves little", worked)
		}
	})
}

const tenantsPassword = "Tenant-password-1"

// attack runs statements against app in one session of the tenant's, which stays open, and counts those that worked.
func (w *world) attack(t *testing.T, tenant, app string, statements []string) (conn *sql.DB, worked int) {
	t.Helper()
	conn, err := again(func() (*sql.DB, error) { return w.server.Connect(t.Context(), tenant, tenantsPassword, "") })
	if err != nil {
		t.Fatal(err)
	}
	conn.SetMaxOpenConns(1) // one session
	of := strings.NewReplacer("$APP", app, "$ME", quoteName(tenant)+"@`%`", "$RAW", tenant, "$PW", tenantsPassword, "$LOCK",
		w.value(t, "SELECT LEFT(SHA2("+quoteText(app)+", 256), 32)"))
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), w.own(of.Replace(statement))); err == nil {
			worked++
		} else {
			t.Logf("%s: %v", of.Replace(statement), err)
		}
	}
	return conn, worked
}

// within is a rotation whose steps have a few seconds each.
func (w *world) within(t *testing.T, r *databasetest.Rotations, version string) (err error) {
	t.Helper()
	e := r.Engine(t)
	r.Store.Begin("user", version)
	for _, step := range rotation.Steps() {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		err = e.Handle(ctx, rotation.Event{Step: step, SecretID: "user", Token: version})
		if cancel(); err != nil {
			return err
		}
	}
	r.Store.End("user")
	return nil
}

// holdings are what a user may do, and who may do everything. Administrators of another suite on the same server, who
// have its tag in their names, are left out.
func (w *world) holdings(t *testing.T, user string) string {
	t.Helper()
	return w.all(t, "SHOW GRANTS FOR "+quoteName(user)+"@`%`") + "\n" +
		w.all(t, "SELECT CONCAT(User, ' from ', Host) FROM mysql.user WHERE (Super_priv = 'Y' OR Grant_priv = 'Y') AND (User NOT REGEXP '_[a-z2-7]{8}(_clone)?$' OR LOCATE("+quoteText(w.tag)+", User) > 0) ORDER BY 1")
}

// logsIn reports whether a value of the secret is a login.
func (w *world) logsIn(t *testing.T, doc secret.Document) bool {
	t.Helper()
	return w.do(t, doc.Text("username"), doc.Text("password"), "SELECT 1") == nil
}
