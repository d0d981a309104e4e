package mysql_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/rotators/mysql"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// A plan leaves all of the server's accounts and rights as they were, and what it tells is what then arrives there: all
// that does, and in its words, but for passwords and marks.
func TestAPlanChangesNothingAndLeavesNothingOut(t *testing.T) {
	t.Run("MySQL5.7", func(t *testing.T) { newWorld(t, startWire(t)).plans(t) })
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		w := newWorld(t, s)
		if !isMariaDB(s) {
			mysqltest.ChangesAll(t)
			w.exec(t, "SET GLOBAL log_raw = ON") // else it logs statements in its own words
			defer w.exec(t, "SET GLOBAL log_raw = OFF")
		}
		w.exec(t, "CREATE ROLE keeper", "CREATE USER tenant@`%`")
		w.plans(t)
	})
}

// A planned rotation is one of a user, after what somebody else has done: to the original at each of its hosts (%o), and
// to its clone (%c).
var planned = []struct {
	name     string
	strategy database.Strategy
	rotated  int // times before
	drift    bool
	before   []string
	// gains and loses are told of the last host. They are for real servers, and more may be gained.
	gains, loses []string
	real         bool // it takes what the imitation does not have
}{
	{name: "single user", strategy: database.SingleUser},
	{name: "by an administrator", strategy: database.SingleUserByAdministrator},
	{name: "a clone is made", strategy: database.AlternatingUsers, gains: []string{"login", "SELECT on `shop`.`recent`"}},
	{name: "a clone that differs", strategy: database.AlternatingUsers, rotated: 2, before: []string{
		"REVOKE SELECT ON shop.orders FROM %c", "GRANT DELETE ON shop.orders TO %c", "ALTER USER %c REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 7", "ALTER USER %c ACCOUNT LOCK",
		"REVOKE cashier FROM %c", "GRANT keeper TO %c", "GRANT UPDATE ON *.* TO %o"},
		gains: []string{"SELECT on `shop`.`orders`", "UPDATE on *.*"}, loses: []string{"DELETE on `shop`.`orders`"}},
	{name: "a clone whose changes bring others", strategy: database.AlternatingUsers, rotated: 2, real: true, before: []string{
		"CREATE TABLE IF NOT EXISTS shop.gone (n int)", "GRANT SELECT ON shop.gone TO %o", "DROP TABLE shop.gone",
		"GRANT PROXY ON tenant@`%` TO %o WITH GRANT OPTION", "REVOKE GRANT OPTION ON *.* FROM %o", "GRANT cashier TO %c WITH ADMIN OPTION", "REVOKE ALL PRIVILEGES ON `shop\\_2`.* FROM %c", "GRANT ALL PRIVILEGES ON shop.prices TO %c"},
		gains: []string{"SELECT on `shop`.`gone`"}, loses: []string{"ALTER on `shop`.`prices`"}},
	{name: "a clone without an account", strategy: database.AlternatingUsers, rotated: 2, before: []string{"DROP USER %c"}, gains: []string{"login"}},
	{name: "an original that lacks something", strategy: database.AlternatingUsers, rotated: 1, drift: true,
		before: []string{"GRANT DELETE ON shop.orders TO %c", "GRANT keeper TO %c"}, gains: []string{"DELETE on `shop`.`orders`"}},
}

func (w *world) plans(t *testing.T) {
	for _, c := range planned {
		if c.real && !w.server.Real {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			f := w.fixture(t, "")
			user := f.User.Text("username")
			r := databasetest.NewRotations(t, mysql.Driver, c.strategy, f)
			r.Config.GrantDrift = c.drift
			for range c.rotated {
				r.Must(t)
			}
			w.happens(t, user, c.before)

			state, mark := w.state(t), w.server.Mark()
			plan, err := r.Plan(t)
			if err != nil {
				t.Fatal(err)
			}
			if arrived := changes(w.server.LogSince(mark)); len(arrived) > 0 {
				t.Errorf("the plan sent %q", arrived)
			}
			if now := w.state(t); now != state {
				t.Errorf("it was\n%s\nand after the plan\n%s", state, now)
			}
			w.wantRights(t, "gains", plan.Gains, c.gains, c.gains != nil)
			w.wantRights(t, "loses", plan.Loses, c.loses, false)

			mark = w.server.Mark()
			r.Must(t)
			if w.server.HasLog() {
				wantArrived(t, changes(w.server.LogSince(mark)), plan.Statements)
			}
			if w.state(t) == state {
				t.Error("the rotation changed nothing that the test looks at")
			}
		})
	}
}

// happens runs statements for each of a user's hosts; an account is dropped at the last alone.
func (w *world) happens(t *testing.T, user string, statements []string) {
	t.Helper()
	hosts := w.hosts
	if slices.Contains(statements, "DROP USER %c") {
		hosts = hosts[len(hosts)-1:]
	}
	for _, host := range hosts {
		for _, s := range statements {
			if role := strings.Contains(s, "keeper") || strings.Contains(s, "cashier"); role && !w.server.Real {
				continue // which it does not know
			}
			w.exec(t, strings.NewReplacer("%o", quoteName(user)+"@"+quoteName(host), "%c", quoteName(user+"_clone")+"@"+quoteName(host)).Replace(s))
		}
	}
}

func (w *world) wantRights(t *testing.T, what string, got, want []string, more bool) {
	t.Helper()
	if !w.server.Real {
		return // it has no views
	}
	var missing []string
	for _, right := range want {
		if line := w.own(right) + fmt.Sprintf(" (from host %q)", w.hosts[len(w.hosts)-1]); !slices.Contains(got, line) {
			missing = append(missing, line)
		}
	}
	if len(missing) > 0 || len(got) > 0 && len(want) == 0 && !more {
		t.Errorf("%s %q, which lacks %q", what, got, missing)
	}
}

// state is all that the server keeps of accounts and rights. The imitation tells less.
func (w *world) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	if !w.server.Real {
		for _, statement := range w.imitated(t) {
			w.dump(t, &b, statement)
		}
		return b.String()
	}
	tables := []string{"user", "db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv"}
	if isMariaDB(w.server) {
		tables = append(tables, "global_priv", "roles_mapping")
	} else {
		tables = append(tables, "role_edges", "default_roles", "global_grants", "password_history")
	}
	for _, table := range tables {
		w.dump(t, &b, "SELECT * FROM mysql."+table)
	}
	return b.String()
}

// imitated are the questions about the accounts that the imitation has.
func (w *world) imitated(t *testing.T) (questions []string) {
	t.Helper()
	for n := range w.users {
		for _, user := range []string{fmt.Sprint("app", n+1, w.tag), fmt.Sprint("app", n+1, w.tag, "_clone")} {
			a := quoteName(user) + "@`%`"
			if _, err := w.admin.ExecContext(t.Context(), "SHOW CREATE USER "+a); err == nil {
				questions = append(questions, "SHOW CREATE USER "+a, "SHOW GRANTS FOR "+a)
			}
		}
	}
	return questions
}

func (w *world) dump(t *testing.T, b *strings.Builder, query string) {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		fields, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range fields {
			into[i] = &fields[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%q", fields))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	fmt.Fprintf(b, "%s\n%s\n", query, strings.Join(lines, "\n"))
}

// arrivedLine is a general log's line of a statement.
var arrivedLine = regexp.MustCompile(`(?m)^[^\n]*\d+ Query\t(.*)$`)

// harmless statements ask, or set the session up.
var harmless = regexp.MustCompile(`^(SELECT|SHOW|SET NAMES|SET STATEMENT max_statement_time = 2 FOR SELECT|SET SESSION TRANSACTION READ ONLY$)\b?`)

// changes are the statements of a log that change something.
func changes(log string) (all []string) {
	for _, m := range arrivedLine.FindAllStringSubmatch(log, -1) {
		if !harmless.MatchString(m[1]) {
			all = append(all, m[1])
		}
	}
	return all
}

// untold is what a plan has in place of a text. The imitation logs passwords without quotes.
var untold = regexp.MustCompile(`'?<[^<>]+>'?`)

// wantArrived compares what a server logged with a plan.
func wantArrived(t *testing.T, arrived, plan []string) {
	t.Helper()
	same := slices.EqualFunc(arrived, plan, func(a, p string) bool {
		parts := untold.Split(p, -1)
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		return regexp.MustCompile("^" + strings.Join(parts, ".+") + "$").MatchString(a)
	})
	if !same || len(plan) == 0 {
		t.Errorf("what arrived is\n\t%s\nand the plan was\n\t%s", strings.Join(arrived, "\n\t"), strings.Join(plan, "\n\t"))
	}
}

// A server that takes no hashes is sent one all the same, and then the text: so the plan says.
func TestAPlanForeseesThatAHashIsRefused(t *testing.T) {
	onMariaDB(t, func(t *testing.T, w *world) {
		mysqltest.ChangesAll(t)
		w.install(t, "simple_password_check")
		for _, strategy := range []database.Strategy{database.SingleUser, database.SingleUserByAdministrator, database.AlternatingUsers} {
			user := w.secret(t, w.user(t, "", firstPassword), firstPassword)
			r := databasetest.NewRotations(t, mysql.Driver, strategy, databasetest.Fixture{User: user, Admin: w.secret(t, w.server.AdminUser, w.server.AdminPassword), Roots: w.roots})
			for range 3 {
				if err := r.Planned(t); err != nil {
					t.Error(err)
				}
			}
			if plan, err := r.Plan(t); err != nil || !strings.Contains(strings.Join(plan.Statements, "\n"), "PASSWORD('<new password>')") {
				t.Errorf("%q, %v", plan.Statements, err)
			}
		}
	})
}
