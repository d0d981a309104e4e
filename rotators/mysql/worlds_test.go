package mysql_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/framework/secret"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A trial that says yes is a promise, and one that says no is right: in worlds made at random, of users with attributes,
// rights, roles and accounts, and of administrators who may do more or less.
func TestARotationDoesWhatItsTrialSays(t *testing.T) {
	onReal(t, func(t *testing.T, w *world) { w.worlds(t) })
}

// The same where a right on everything can be denied in one database, which takes a server of the test's own.
func TestARotationDoesWhatItsTrialSaysOfWhatIsDenied(t *testing.T) {
	w := newWorld(t, mysqltest.Start(t, mysqltest.MySQL, mysqltest.Config{}))
	w.exec(t, "SET GLOBAL partial_revokes = ON")
	w.partial = true
	w.worlds(t)
}

func (w *world) worlds(t *testing.T) {
	w.exec(t, "CREATE ROLE keeper, drifter", "GRANT DELETE ON till.coins TO keeper", "CREATE USER tenant@`%` IDENTIFIED BY 'Tenant-password-1'")
	if !isMariaDB(w.server) {
		w.exec(t, "GRANT SYSTEM_USER ON *.* TO drifter")
	}
	grants := w.grants
	databasetest.Worlds(t, func(t *testing.T, strategy database.Strategy, dice *rand.Rand) error {
		w.hosts, w.grants = worldHosts[dice.IntN(len(worldHosts))], nil
		return w.oneWorld(t, strategy, grants, dice)
	})
}

// worldHosts are from where a user may log in. The tests come from 127.0.0.1.
var worldHosts = [][]string{{"%"}, {"%"}, {"%", "localhost"}, {"%", "127.0.0.1"}, {"127.0.0.%", "10.%"}, {"%", "10.0.0.1"}}

// oneWorld rotates three times, each after a trial, with changes by somebody else in between. It returns what the first
// trial said.
func (w *world) oneWorld(t *testing.T, strategy database.Strategy, grants []string, dice *rand.Rand) (first error) {
	t.Helper()
	var story []string
	run := func(statements ...string) {
		for _, s := range statements {
			if _, err := w.admin.ExecContext(t.Context(), w.own(s)); err == nil { // what this server does not know is not part of the world
				story = append(story, s)
			}
		}
	}
	user := w.user(t, "", firstPassword)
	w.leaves(t, user)
	for _, host := range w.hosts {
		for _, g := range databasetest.Some(dice, 2, grants) {
			run(strings.ReplaceAll(g, "%s", quoteName(user)+"@"+quoteName(host)))
		}
	}
	run(databasetest.Some(dice, 16, w.userStatements(dice, user))...)
	r := databasetest.NewRotations(t, mysql.Driver, strategy, databasetest.Fixture{
		User: w.secret(t, user, firstPassword), Admin: w.someAdministrator(t, dice, run), Roots: w.roots})
	r.Config.GrantDrift = dice.IntN(4) == 0
	for n := range 3 {
		trial, err := w.triedAndRotated(t, r)
		if n == 0 {
			first = trial
		}
		if (trial == nil) != (err == nil) {
			t.Fatalf("the trial of rotation %d says: %v\nthe rotation: %v\nafter accounts at %q, CLONE_DRIFT=grant: %v, and\n%s\n%s", n, trial, err, w.hosts, r.Config.GrantDrift, strings.Join(story, ";\n"), r.Log.String())
		}
		if err != nil {
			if classOf(err) == rotation.Unknown {
				t.Errorf("%v\nafter\n%s", err, strings.Join(story, ";\n"))
			}
			return first
		}
		story = append(story, fmt.Sprintf("-- rotation %d", n))
		run(databasetest.Some(dice, 25, w.userStatements(dice, user))...)
		if strategy == database.AlternatingUsers {
			run(databasetest.Some(dice, 25, w.userStatements(dice, user+"_clone"))...)
		}
	}
	return first
}

// triedAndRotated asks for a plan where the trial says yes, and holds the rotation to it.
func (w *world) triedAndRotated(t *testing.T, r *databasetest.Rotations) (trial, err error) {
	t.Helper()
	before := r.Log.Len()
	trial = r.Preflight(t)
	// Whether AWSPREVIOUS's password is in force or an old one beside another, MySQL says to none but who changes it.
	unforeseen := r.Config.Strategy == database.SingleUser && !isMariaDB(w.server) && strings.Contains(r.Log.String()[before:], "takes AWSPREVIOUS's")
	if trial != nil || unforeseen {
		return trial, r.Rotate(t)
	}
	return nil, r.Planned(t)
}

// classOf is the class of a step's error.
func classOf(err error) rotation.Class {
	e, _ := errors.AsType[*rotation.Error](err)
	return e.Class
}

// leaves drops a user's accounts and what runs with its rights when its world ends.
func (w *world) leaves(t *testing.T, user string) {
	var accounts []string
	for _, name := range []string{user, user + "_clone"} {
		for _, host := range []string{"%", "localhost", "127.0.0.1", "127.0.0.%", "10.%", "10.0.0.1"} {
			accounts = append(accounts, quoteName(name)+"@"+quoteName(host))
		}
	}
	t.Cleanup(func() {
		w.exec(t, "DROP PROCEDURE IF EXISTS shop."+quoteName(user), "DROP VIEW IF EXISTS shop."+quoteName(user), "DROP TABLE IF EXISTS shop."+quoteName(user+"'s"),
			"DROP USER IF EXISTS "+strings.Join(accounts, ", "))
	})
}

// userStatements are what may be the case with a user, at one of its hosts. Those that use up what an hour allows are
// not among them: a trial would use up the rotation's.
func (w *world) userStatements(dice *rand.Rand, user string) []string {
	a := quoteName(user) + "@" + quoteName(w.hosts[dice.IntN(len(w.hosts))])
	original := strings.TrimSuffix(user, "_clone")
	alter := func(clause string) string { return "ALTER USER " + a + " " + clause }
	grant := func(what string) string { return "GRANT " + what + " TO " + a }
	with := " WITH GRANT OPTION"
	var denied []string
	if w.partial {
		denied = []string{grant("SELECT, INSERT, DELETE ON *.*"), grant("SELECT ON *.*") + with, "REVOKE SELECT ON till.* FROM " + a, "REVOKE INSERT ON shop.* FROM " + a, "REVOKE INSERT ON mysql.* FROM " + a, "REVOKE DELETE ON till.* FROM " + a}
	}
	return append(denied, []string{
		alter("REQUIRE SSL"), alter("REQUIRE X509"), alter("REQUIRE NONE"), alter("REQUIRE ISSUER '/CN=it''s \\\\ a'"), alter("WITH MAX_USER_CONNECTIONS 1"), alter("WITH MAX_USER_CONNECTIONS 9 MAX_QUERIES_PER_HOUR 5000"),
		alter("PASSWORD EXPIRE"), alter("PASSWORD EXPIRE INTERVAL 30 DAY"), alter("PASSWORD EXPIRE NEVER"), alter("PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 30 DAY"), alter("PASSWORD REQUIRE CURRENT"),
		alter("FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED"), alter("ACCOUNT LOCK"), alter("ACCOUNT UNLOCK"), alter("COMMENT 'it''s'"), alter(`ATTRIBUTE '{"rotor": null, "team": "a"}'`),
		alter("IDENTIFIED BY 'Another-1'"), alter("IDENTIFIED WITH mysql_native_password BY " + quoteText(firstPassword)), alter("IDENTIFIED WITH sha256_password BY " + quoteText(firstPassword)),
		alter("IDENTIFIED VIA unix_socket"), alter("IDENTIFIED VIA mysql_native_password USING PASSWORD(" + quoteText(firstPassword) + ") OR unix_socket"), alter("IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD(" + quoteText(firstPassword) + ")"),
		grant("ALL PRIVILEGES ON shop.*"), grant("ALL PRIVILEGES ON shop.*") + with, grant("SELECT ON shop.*"), grant("INSERT ON *.*"), grant("PROCESS, RELOAD ON *.*") + with, grant("USAGE ON till.*") + with, grant("ALL PRIVILEGES ON *.*") + with,
		grant("SELECT ON `sho%`.*"), grant("DELETE ON shop.orders") + with, grant("SELECT (price), INSERT (item) ON shop.prices"), grant("EXECUTE, ALTER ROUTINE ON PROCEDURE shop.nothing"), grant("CREATE USER ON *.*"),
		"REVOKE SELECT ON shop.orders FROM " + a, "REVOKE INSERT ON shop.orders FROM " + a, "REVOKE PROCESS ON *.* FROM " + a, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + a, "REVOKE cashier FROM " + a,
		grant("keeper"), grant("keeper") + " WITH ADMIN OPTION", strings.ReplaceAll(w.defaultRole("keeper"), "%s", a), strings.ReplaceAll(w.defaultRole("NONE"), "%s", a), grant("tenant@`%`"), grant("drifter"),
		grant("PROXY ON tenant@`%`"), grant("PROXY ON tenant@`%`") + with, grant("BACKUP_ADMIN ON *.*"), grant("BACKUP_ADMIN ON *.*") + with, grant("SYSTEM_USER ON *.*"), grant("APPLICATION_PASSWORD_ADMIN ON *.*"), grant("BINLOG MONITOR ON *.*"),
		"CREATE USER " + quoteName(user) + "@`127.0.0.1` IDENTIFIED BY " + quoteText(firstPassword), "CREATE USER " + quoteName(user) + "@`10.%` IDENTIFIED BY 'Another-1' ACCOUNT LOCK", "DROP USER " + a,
		"CREATE DEFINER = " + a + " PROCEDURE shop." + quoteName(original) + "() SELECT 1", "CREATE DEFINER = " + a + " VIEW shop." + quoteName(original) + " AS SELECT 1 AS n",
		"CREATE TABLE shop." + quoteName(original+"'s") + " (n int)", grant("SELECT, INSERT ON shop." + quoteName(original+"'s")), grant("SELECT (n) ON shop." + quoteName(original+"'s")), "DROP TABLE shop." + quoteName(original+"'s"),
	}...)
}

// someAdministrator is the server's own, or one who may do more or less.
func (w *world) someAdministrator(t *testing.T, dice *rand.Rand, run func(...string)) secret.Document {
	t.Helper()
	if dice.IntN(4) == 0 {
		return w.secret(t, w.server.AdminUser, w.server.AdminPassword)
	}
	w.users++
	name := fmt.Sprint("boss", w.users, w.tag)
	a := quoteName(name) + "@`%`"
	t.Cleanup(func() { w.exec(t, "DROP USER IF EXISTS "+a) })
	run("CREATE USER " + a + " IDENTIFIED BY " + quoteText(firstPassword))
	run(w.powers(dice, a)...)
	run(databasetest.Some(dice, 6, w.administratorStatements(a))...)
	return w.secret(t, name, firstPassword)
}

// powers are what most administrators have.
func (w *world) powers(dice *rand.Rand, a string) []string {
	all := "GRANT ALL PRIVILEGES ON *.* TO " + a
	usual := []string{"GRANT CREATE USER ON *.* TO " + a, "GRANT SELECT ON mysql.* TO " + a, "GRANT ALL PRIVILEGES ON shop.* TO " + a + " WITH GRANT OPTION",
		"GRANT SELECT, CREATE TEMPORARY TABLES ON `shop\\_2`.* TO " + a + " WITH GRANT OPTION", "GRANT PROCESS ON *.* TO " + a + " WITH GRANT OPTION", "GRANT cashier TO " + a + " WITH ADMIN OPTION"}
	switch dice.IntN(5) {
	case 0:
		return []string{all + " WITH GRANT OPTION"}
	case 1:
		return []string{all + " WITH GRANT OPTION", "REVOKE SYSTEM_USER ON *.* FROM " + a}
	case 2:
		return []string{all}
	case 3:
		return usual
	}
	return usual[:2+dice.IntN(len(usual)-1)]
}

// administratorStatements are what an administrator may have besides, or lack.
func (w *world) administratorStatements(a string) []string {
	var denied []string
	if w.partial {
		denied = []string{"REVOKE INSERT ON till.* FROM " + a, "REVOKE SELECT ON till.* FROM " + a, "REVOKE INSERT ON shop.* FROM " + a, "REVOKE DELETE ON till.* FROM " + a}
	}
	return append(denied, []string{
		"GRANT UPDATE ON mysql.* TO " + a, "GRANT SELECT ON *.* TO " + a, "GRANT USAGE ON shop.* TO " + a + " WITH GRANT OPTION", "GRANT keeper TO " + a + " WITH ADMIN OPTION", "GRANT ROLE_ADMIN ON *.* TO " + a,
		"GRANT SYSTEM_USER ON *.* TO " + a, "GRANT PROXY ON ``@`` TO " + a + " WITH GRANT OPTION", "GRANT PROXY ON tenant@`%` TO " + a + " WITH GRANT OPTION", "GRANT BACKUP_ADMIN ON *.* TO " + a + " WITH GRANT OPTION",
		"GRANT INSERT ON *.* TO " + a + " WITH GRANT OPTION", "GRANT SET_USER_ID ON *.* TO " + a, "GRANT ALLOW_NONEXISTENT_DEFINER ON *.* TO " + a, "GRANT RELOAD ON *.* TO " + a,
		"REVOKE CREATE USER ON *.* FROM " + a, "REVOKE SELECT ON mysql.* FROM " + a, "REVOKE GRANT OPTION ON *.* FROM " + a, "REVOKE GRANT OPTION ON shop.* FROM " + a, "REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM " + a,
	}...)
}
