package mysql_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/database/databasetest"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// The imitation of MySQL 5.7 is code of ours. What it says to the driver, a real MySQL 8.0 must say too, but for what is
// documented to have changed between the two.
//
// The driver talks with the imitation by all strategies and in all worlds; all that was said is then said again to a
// fresh imitation and to a fresh MySQL 8.0, and the answers are held against each other: the error's code, the names of
// the columns, the rows.
func TestTheImitationAnswersAsARealMySQL(t *testing.T) {
	said := conversation(t)
	imitation, err := mysqltest.StartWire(mysqltest.Config{Options: servertest.NoTLS()})
	ours := said.again(t, servertest.ForTest(t, imitation, err))
	options := servertest.NoTLS()
	options.Settings = map[string]string{"default-authentication-plugin": "mysql_native_password", "max-connections": "500"} // the first is 5.7's
	theirs := said.again(t, mysqltest.StartNamed(t, "mysql-8.0", mysqltest.Config{Options: options}))
	disagreed := disagreements(t, said.all, ours, theirs)
	t.Logf("%d statements and logins of %d forms, %d disagreements", len(said.all), len(said.forms()), disagreed)
}

// disagreements fails the test at each answer that is not the other's, but for the differences.
func disagreements(t *testing.T, said []utterance, ours, theirs []answer) (n int) {
	t.Helper()
	told, seen := map[string]bool{}, map[string]bool{}
	for i, u := range said {
		our, their := ours[i], theirs[i]
		for _, d := range differences {
			before := our.String() + their.String()
			d.undo(u, &our, &their)
			seen[d.what] = seen[d.what] || our.String()+their.String() != before
		}
		if our.String() != their.String() && !told[our.String()] {
			told[our.String()] = true
			t.Errorf("%s\nthe imitation says\n%s\nMySQL 8.0 says\n%s", u, our, their)
		}
	}
	for _, d := range differences {
		if !seen[d.what] {
			t.Errorf("there is no difference any more: %s", d.what)
		}
	}
	return len(told)
}

// differences are what MySQL's manuals say, or what everybody can see of 8.0, about what changed since 5.7. Each makes
// such answers the same, and nothing else.
var differences = []struct {
	what, page string
	undo       func(u utterance, ours, theirs *answer)
}{
	{"the version", "Information Functions, VERSION()", func(u utterance, ours, theirs *answer) {
		if strings.HasPrefix(u.statement, "SELECT VERSION()") && len(theirs.rows) == 1 {
			theirs.rows[0][0] = ours.rows[0][0]
		}
	}},
	{"what MySQL 8 has besides: rules for passwords", "5.7 and 8.0, CREATE USER Statement", func(u utterance, _, theirs *answer) {
		theirs.replace(u, "SHOW CREATE USER", regexp.MustCompile(` PASSWORD HISTORY DEFAULT .*`), "")
	}},
	{"accounts and columns are quoted by 8.0 as identifiers, by 5.7 in single quotes and not at all", "5.7 and 8.0, SHOW GRANTS Statement and SHOW CREATE USER Statement", func(u utterance, _, theirs *answer) {
		for _, begin := range []string{"SHOW GRANTS", "SHOW CREATE USER"} {
			theirs.replace(u, begin, quotedAccount, "'$1'@'$2'")
			theirs.replace(u, begin, quotedColumns, "($1)")
		}
	}},
	{"8.0 spells ALL PRIVILEGES on everything out, and has dynamic ones", "8.0, SHOW GRANTS Statement", func(u utterance, _, theirs *answer) {
		theirs.replace(u, "SHOW GRANTS", regexp.MustCompile(`^GRANT SELECT, INSERT, .* CREATE TABLESPACE, CREATE ROLE, DROP ROLE ON \*\.\*`), "GRANT ALL PRIVILEGES ON *.*")
		theirs.rows = slices.DeleteFunc(theirs.rows, func(row []string) bool { return dynamic.MatchString(row[0]) })
	}},
	{"the rows of SHOW GRANTS have no order", "SHOW GRANTS Statement", func(u utterance, ours, theirs *answer) {
		for _, a := range []*answer{ours, theirs} {
			slices.SortFunc(a.rows, func(x, y []string) int { return cmp.Compare(x[0], y[0]) })
		}
	}},
}

var (
	quotedAccount = regexp.MustCompile("`((?:[^`]|``)*)`@`((?:[^`]|``)*)`")
	quotedColumns = regexp.MustCompile("\\(`(\\w+)`\\)")
)

var dynamic = regexp.MustCompile(`^GRANT [A-Z]+_[A-Z_]+,.* ON \*\.\* TO `)

// replace changes the first column of answers to statements that begin so.
func (a *answer) replace(u utterance, begin string, from *regexp.Regexp, to string) {
	if strings.HasPrefix(u.statement, begin) {
		for _, row := range a.rows {
			row[0] = from.ReplaceAllString(row[0], to)
			if from == quotedAccount {
				row[0] = strings.ReplaceAll(row[0], "``", "`")
			}
		}
	}
}

// An utterance is what is said to a server: a statement, or a login if there is none.
type utterance struct {
	session                  int // 0 is the administrator's, who makes the world
	user, password, database string
	statement                string
}

func (u utterance) String() string {
	if u.statement == "" {
		return fmt.Sprintf("a login as %q", u.user)
	}
	return u.statement
}

// goodbye is what a session says that ends.
const goodbye = "good-bye"

// An answer is an error's code, or rows.
type answer struct {
	code    uint16
	columns []string
	rows    [][]string
}

func (a answer) String() string {
	text := fmt.Sprintf("  error %d, columns %q", a.code, a.columns)
	for _, row := range a.rows {
		text += fmt.Sprintf("\n  %q", row)
	}
	return text
}

// A witness hears a conversation of one after the other.
type witness struct {
	tap
	all []utterance
}

func (w *witness) said(session int, statement string) bool {
	w.all = append(w.all, utterance{session: session, statement: statement})
	return false
}

// listen makes a rotator's connections and logins heard.
func (w *witness) listen(c *database.Config) {
	w.heard = w.said
	w.closed = func(session int) { w.said(session, goodbye) }
	c.Dial = w.dial
	connect := c.Driver.Connect
	c.Driver.Connect = func(ctx context.Context, l database.Login) (database.Conn, error) {
		w.all = append(w.all, utterance{session: w.lines + 1, user: l.User, password: l.Password, database: l.Database})
		return connect(ctx, l)
	}
}

// forms are the statements without what they quote.
func (w *witness) forms() map[string]bool {
	forms := map[string]bool{}
	for _, u := range w.all {
		forms[form(u.statement)] = true
	}
	return forms
}

var quoted = regexp.MustCompile("`(?:[^`]|``)*`|'(?:[^'\\\\]|''|\\\\.)*'|<secret>|\\w+_[a-z2-7]{8}")

func form(statement string) string { return quoted.ReplaceAllString(statement, "?") }

// wantHeard holds a log of the imitation against the agreement test's conversation, which must have statements of all
// its forms.
func wantHeard(t *testing.T, log string) {
	t.Helper()
	heard := conversation(t).forms()
	for line := range strings.Lines(log) {
		_, statement, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " Query\t")
		if f := form(statement); ok && !heard[f] {
			heard[f] = true
			t.Errorf("the agreement test does not say %s", statement)
		}
	}
}

// again says all of it to another server, on which the tables are.
func (w *witness) again(t *testing.T, s *mysqltest.Server) (answers []answer) {
	t.Helper()
	sessions := map[int]*sql.DB{}
	defer func() {
		for _, db := range sessions {
			_ = db.Close()
		}
	}()
	admin, err := s.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sessions[0] = admin
	if s.Real {
		for _, statement := range w.scene() {
			if _, err := admin.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	for _, u := range w.all {
		switch u.statement {
		case goodbye:
			if db := sessions[u.session]; db != nil {
				_ = db.Close() // which frees its lock
			}
			answers = append(answers, answer{})
			continue
		case "":
			if u.user == s.AdminUser {
				u.password = s.AdminPassword
			}
			db, err := s.Connect(t.Context(), u.user, u.password, u.database)
			sessions[u.session] = db
			answers = append(answers, answer{code: codeOf(t, err)})
			if err != nil {
				delete(sessions, u.session)
			}
			continue
		}
		answers = append(answers, ask(t, sessions[u.session], u.statement))
	}
	return answers
}

// scene is what is named in the statements: the imitation has no tables.
func (w *witness) scene() (statements []string) {
	names := map[string]bool{}
	for _, u := range w.all {
		for _, m := range regexp.MustCompile(` ON (shop\w*)\.`).FindAllStringSubmatch(u.statement, -1) {
			names[m[1]] = true
		}
	}
	for name := range names {
		statements = append(statements, "CREATE DATABASE "+name, "CREATE PROCEDURE "+name+".nothing() SELECT 1",
			"CREATE TABLE "+name+".orders (item text, price int)", "CREATE TABLE "+name+".prices (item text, price int)")
	}
	return statements
}

// ask says one statement.
func ask(t *testing.T, db *sql.DB, statement string) (a answer) {
	t.Helper()
	if db == nil {
		t.Fatalf("nobody is there to say %s", statement)
	}
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		return answer{code: codeOf(t, err)}
	}
	defer rows.Close()
	if a.columns, err = rows.Columns(); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]sql.NullString, len(a.columns)), make([]any, len(a.columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, field := range row {
			texts = append(texts, field.String)
		}
		a.rows = append(a.rows, texts)
	}
	a.code = codeOf(t, rows.Err())
	return a
}

func codeOf(t *testing.T, err error) uint16 {
	t.Helper()
	refused, ok := errors.AsType[*driver.MySQLError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if !ok {
		return 0
	}
	return refused.Number
}

// conversation is what the driver says to the imitation, by every strategy and in every world, and what it takes to make
// the worlds.
func conversation(t *testing.T) *witness {
	s, err := mysqltest.StartWire(mysqltest.Config{Options: servertest.NoTLS()})
	w := newWorld(t, servertest.ForTest(t, s, err))
	w.witness = new(witness)
	for _, name := range w.hardNames() {
		w.rotatesByEachStrategy(t, w.user(t, name, firstPassword))
	}
	w.talkOfTheRich(t)
	w.talkOfTheLowly(t)
	w.talkOfFaults(t)
	return w.witness
}

// talkOfTheRich clones a user with everything, whose clone is new, poor, or has more.
func (w *world) talkOfTheRich(t *testing.T) {
	user := w.poorClone(t)
	w.clone(t, user, clonePassword)
	w.alter(t, user+"_clone", "GRANT DELETE ON till.* TO %u@`10.0.%` WITH GRANT OPTION", "ALTER USER %u@`10.1.%` ACCOUNT LOCK")
	w.handBack(t, user)
	w.alter(t, user, "REVOKE ALL PRIVILEGES ON `shop\\_2`.* FROM %u@`%`", "REVOKE SELECT (item) ON shop.prices FROM %u@`%`", "ALTER USER %u@`10.0.%` PASSWORD EXPIRE INTERVAL 30 DAY",
		"ALTER USER %u@`10.0.%` PASSWORD EXPIRE", "ALTER USER %u@`%` ACCOUNT LOCK", "ALTER USER %u@`%` ACCOUNT UNLOCK")
	w.clone(t, user, clonePassword)
	w.clone(t, user, clonePassword)
}

// talkOfTheLowly lets somebody administer who may not, and then more and more.
func (w *world) talkOfTheLowly(t *testing.T) {
	user := w.user(t, "", firstPassword)
	w.exec(t, "CREATE USER `lo%wly`@`%` IDENTIFIED BY 'lowpass'")
	for _, grant := range []string{
		"CREATE USER ON *.*", "SELECT ON mysql.*", "SELECT, INSERT ON shop.orders", "SELECT (item), UPDATE (price) ON shop.prices",
		"EXECUTE ON PROCEDURE shop.nothing", "ALL PRIVILEGES ON `shop\\_2`.*", "PROCESS ON *.*",
	} {
		low := w.as(t, w.own("lo%wly"), "lowpass")
		_ = low.SetPassword(t.Context(), databasetest.Change(user, firstPassword))
		_ = low.CheckPassword(t.Context(), firstPassword)
		_ = low.(database.Administrator).PreflightClone(t.Context(), databasetest.Pair(user, user+"_clone"))
		_ = databasetest.Clone(t.Context(), low, user, user+"_clone", clonePassword)
		_ = low.Close()
		w.exec(t, "GRANT "+grant+" TO `lo%wly`@`%` WITH GRANT OPTION")
	}
}

// talkOfFaults has logins refused, and users that are not there.
func (w *world) talkOfFaults(t *testing.T) {
	user := w.user(t, "", firstPassword)
	for _, c := range []struct{ change, user, password string }{
		{"", user, "wrong"}, {"", "who is that", "wrong"},
		{"ALTER USER %u@`%` ACCOUNT LOCK", user, firstPassword}, {"ALTER USER %u@`%` ACCOUNT UNLOCK PASSWORD EXPIRE", user, firstPassword},
	} {
		if c.change != "" {
			w.alter(t, user, c.change)
		}
		if _, err := w.connect(t, c.user, c.password); err == nil {
			t.Errorf("%s logs in", c.user)
		}
	}
	c := w.administrator(t)
	for _, nobody := range []string{"nobody at all", "a_name_of_33_characters_is_no_use"} {
		if err := c.SetPassword(t.Context(), databasetest.Change(nobody, newPassword)); err == nil {
			t.Errorf("%s has a password", nobody)
		}
		if err := databasetest.Clone(t.Context(), c, nobody, user+"_clone", newPassword); err == nil {
			t.Errorf("%s has a clone", nobody)
		}
	}
	wantClass(t, c.SetPassword(t.Context(), databasetest.Change("nobody", newPassword)), rotation.NoUser, "nobody")
}
