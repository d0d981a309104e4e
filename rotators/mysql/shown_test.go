package mysql

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

// What real servers print of accounts is kept in testdata/shown, a file for each server, with what this package makes
// of it behind =>. What the servers print is evidence, which nobody edits:
//
//	ROTOR_TEST_MYSQL=... go test ./rotators/mysql -run TestWhatRealServersShow -record
//
// writes the file of that server anew; it takes a server of one's own, since some specimens change it for good. What
// we make of it follows from the code, and its changes are to be read:
//
//	go test ./rotators/mysql -run TestWhatServersShowIsRead -reread
var (
	record = flag.Bool("record", false, "write what the real server shows to testdata/shown")
	reread = flag.Bool("reread", false, "write what the code makes of it to testdata/shown")
)

const shownFolder = "testdata/shown"

// specimenAccount is what the account of a specimen is called in the files.
var specimenAccount = account{"spec_a", "%"}

// A shown is what a server answered to one question about an account.
type shown struct {
	who, query string // the session, and its question
	lines      []string
	made       []string // of the lines
}

func (s shown) String() string {
	text := s.who + ": " + s.query + "\n"
	for _, l := range s.lines {
		text += "\t" + l + "\n"
	}
	for _, m := range s.made {
		text += "\t=> " + m + "\n"
	}
	return text
}

// read is what this package makes of the lines.
func (s shown) read() []string {
	if len(s.lines) == 1 && strings.HasPrefix(s.lines[0], "error ") {
		return nil
	}
	if strings.HasPrefix(s.query, "SHOW CREATE USER") {
		return readDefinition(parseDefinition(s.lines, specimenAccount, nil))
	}
	h := newHoldings()
	for _, line := range s.lines {
		h.read(line, specimenAccount)
	}
	return readHoldings(h)
}

// readDefinition tells what is not as it is by default.
func readDefinition(d definition) []string {
	var made []string
	for _, w := range d.ways {
		made = append(made, readWay(w))
	}
	say := func(is bool, format string, args ...any) {
		if is {
			made = append(made, fmt.Sprintf(format, args...))
		}
	}
	say(d.factors != 1, "factors %d", d.factors)
	say(d.require != "NONE", "REQUIRE %s", d.require)
	for _, name := range slices.Sorted(maps.Keys(d.limits)) {
		say(true, "%s %s", name, d.limits[name])
	}
	say(d.expire != "DEFAULT", "PASSWORD EXPIRE %s", d.expire)
	for _, p := range policies {
		value, ok := d.policy[p.name]
		say(ok && value != "DEFAULT", "%s %s", p.name, value)
	}
	say(d.expired, "expired")
	say(d.locked, "locked")
	say(d.attribute != "", "ATTRIBUTE %s", d.attribute)
	say(len(d.roles) > 0, "DEFAULT ROLE %s", strings.Join(d.roles, ", "))
	say(d.demanding, "demands, which the table has")
	say(len(d.unread) > 0, "not understood: %q", d.unread)
	return []string{strings.Join(made, "; ")}
}

func readWay(w authentication) string {
	switch {
	case w.hidden:
		return w.plugin + " (hidden)"
	case w.isPassword():
		return w.plugin
	case w.has:
		return w.plugin + " " + literal(w.stored)
	}
	return w.plugin + " without a text"
}

// readHoldings are the statements that make another account alike.
func readHoldings(h *holdings) []string {
	const clone = "`clone`@`%`"
	var made []string
	for _, list := range [][]change{roleChanges(newHoldings(), h, clone), proxyChanges(newHoldings(), h, clone), changes(newHoldings(), h, clone)} {
		for _, c := range list {
			made = append(made, c.statement)
		}
	}
	if len(h.defaults) > 0 {
		made = append(made, "default roles "+strings.Join(h.defaults, ", "))
	}
	if len(h.unread) > 0 {
		made = append(made, fmt.Sprintf("not understood: %q", h.unread))
	}
	return made
}

// TestWhatServersShowIsRead holds what we make of the servers' words against what we made of it before.
func TestWhatServersShowIsRead(t *testing.T) {
	paths, err := filepath.Glob(shownFolder + "/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			again := readAgain(string(data))
			if *reread {
				err = os.WriteFile(path, []byte(again), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !*reread && again != string(data) {
				t.Errorf("the code makes something else of it (run with -reread, and read the difference):\n%s", firstDifference(again, string(data)))
			}
		})
	}
}

// readAgain is a file with what the code makes of it now.
func readAgain(text string) string {
	var b strings.Builder
	var s *shown
	flush := func() {
		if s != nil {
			s.made = s.read()
			b.WriteString(s.String())
		}
		s = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		inner, isInner := strings.CutPrefix(line, "\t")
		who, query, isQuestion := strings.Cut(line, ": SHOW ")
		switch {
		case isInner && strings.HasPrefix(inner, "=> "):
		case isInner && s != nil:
			s.lines = append(s.lines, inner)
		case isQuestion:
			flush()
			s = &shown{who: who, query: "SHOW " + query}
		default:
			flush()
			b.WriteString(line + "\n")
		}
	}
	flush()
	return b.String()
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d\n%s\nwas\n%s", i+1, x[i], y[i])
		}
	}
	return "one of them is longer"
}

// TestWhatRealServersShow asks a real server, and holds its answers against those of its file, if there is one.
func TestWhatRealServersShow(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, s *mysqltest.Server) {
		x := newExhibition(t, s)
		path := filepath.Join(shownFolder, x.server()+".txt")
		old, err := os.ReadFile(path)
		if err != nil && !*record {
			t.Skipf("%v: record it, with -record", err)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s\nRecorded by TestWhatRealServersShow. Hashes and the names of the test's own are replaced.\n", x.server())
		for _, spec := range specimens {
			if spec.on != nil && !spec.on(x.facts.dialect) || spec.forGood && !*record {
				continue
			}
			text := x.show(t, spec)
			if text == "" { // this server lacks a plug-in that another had
				text = section(string(old), spec.name)
			}
			b.WriteString(text)
			if !*record && !strings.Contains(string(old), text) {
				t.Errorf("it shows something else now:\n%s", text)
			}
		}
		if *record {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// section is what a file says of a specimen.
func section(file, name string) string {
	start := strings.Index(file, "\n== "+name+"\n")
	if start < 0 {
		return ""
	}
	if end := strings.Index(file[start+1:], "\n== "); end >= 0 {
		return file[start : start+1+end]
	}
	return file[start:]
}

// An exhibition is a real server on which specimens are shown.
type exhibition struct {
	*conn
	target *mysqltest.Server
	facts  *facts
	roots  *x509.CertPool
	prefix string // of all names of the test's own
}

func newExhibition(t *testing.T, s *mysqltest.Server) *exhibition {
	t.Helper()
	x := &exhibition{target: s, prefix: "q" + strings.ToLower(rand.Text()[:7])}
	if len(s.CA) > 0 {
		x.roots = x509.NewCertPool()
		x.roots.AppendCertsFromPEM(s.CA)
	}
	x.conn = x.session(t, s.AdminUser, s.AdminPassword)
	var err error
	if x.facts, err = x.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *exhibition) server() string {
	return strings.ToLower(strings.ReplaceAll(x.facts.String(), " ", "-"))
}

// session logs in as rotations do.
func (x *exhibition) session(t *testing.T, user, password string) *conn {
	t.Helper()
	c, err := connect(t.Context(), database.Login{
		Host: x.target.Host, Port: x.target.Port, Database: Driver.Database, User: user, Password: password,
		TLS: &tls.Config{RootCAs: x.roots, ServerName: x.target.Host}, Report: new(rotation.Report),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*conn)
}

// own puts the test's names into a statement.
func (x *exhibition) own(statement string) string {
	return strings.NewReplacer("`%d", "`"+x.prefix+"_d", "%d", "`"+x.prefix+"_d`", "'%r", "'"+x.prefix+"_r", "%r", "'"+x.prefix+"_r'",
		"%a", "'"+x.prefix+"_a'@'%'", "%b", "'"+x.prefix+"_b'@'%'", "%c", "'"+x.prefix+"_c'@'%'").Replace(statement)
}

// show makes a specimen, asks for it in all ways, and removes it.
func (x *exhibition) show(t *testing.T, spec specimen) string {
	t.Helper()
	x.clear(t)
	defer x.clear(t)
	text := "\n== " + spec.name + "\n"
	if !x.make(t, spec.make) {
		return ""
	}
	for _, statement := range spec.make {
		text += statement + ";\n"
	}
	a := account{x.prefix + "_a", "%"}
	if !spec.closed {
		own := x.session(t, a.user, "Specimen-1")
		text += x.ask(t, own, "the account itself", "SHOW CREATE USER CURRENT_USER()") + x.ask(t, own, "the account itself", "SHOW GRANTS")
		_ = own.Close()
	}
	for _, w := range x.witnesses(t, spec.everyway) {
		text += x.ask(t, w.conn, w.name, "SHOW CREATE USER "+a.String()) + x.ask(t, w.conn, w.name, "SHOW GRANTS FOR "+a.String())
	}
	return text
}

// scene is what specimens have rights on.
func (x *exhibition) scene() []string {
	return []string{
		"CREATE DATABASE %d", "CREATE TABLE %d.t (n int, `m ``TO``` int)", "CREATE PROCEDURE %d.p() SELECT 1",
		"CREATE FUNCTION %d.f() RETURNS int DETERMINISTIC RETURN 1",
		"CREATE USER '" + x.prefix + "_low'@'%' IDENTIFIED BY 'Specimen-1'", "GRANT CREATE USER ON *.* TO '" + x.prefix + "_low'@'%'",
	}
}

// clear removes all that the test has made.
func (x *exhibition) clear(t *testing.T) {
	t.Helper()
	statements := []string{"DROP DATABASE IF EXISTS %d", "DROP USER IF EXISTS %a, %b, %c, '" + x.prefix + "_low'@'%'"}
	if x.facts.maria || x.facts.since(8, 0, 0) {
		statements = append(statements, "DROP ROLE IF EXISTS %r, '%r TO x'")
	}
	for _, s := range statements {
		if err := x.exec(context.WithoutCancel(t.Context()), x.own(s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// A witness is a session that looks at others' accounts.
type witness struct {
	name string
	*conn
}

// witnesses are the administrator; and, to show what a session's rights and settings change, others.
func (x *exhibition) witnesses(t *testing.T, all bool) []witness {
	t.Helper()
	list := []witness{{"an administrator", x.conn}}
	if !all {
		return list
	}
	settings := []string{"sql_mode = 'ANSI_QUOTES'", "sql_quote_show_create = 0", "sql_mode = 'NO_BACKSLASH_ESCAPES'"}
	if x.facts.since(8, 0, 17) {
		settings = append(settings, "print_identified_with_as_hex = 1")
	}
	for _, setting := range settings {
		w := witness{"an administrator with " + setting, x.session(t, x.target.AdminUser, x.target.AdminPassword)}
		if err := w.exec(t.Context(), "SET SESSION "+setting); err != nil {
			t.Fatal(err)
		}
		list = append(list, w)
	}
	low := witness{"an administrator with CREATE USER alone", x.session(t, x.prefix+"_low", "Specimen-1")}
	if _, err := low.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return append(list, low)
}

// ask is a question and its answer.
func (x *exhibition) ask(t *testing.T, c *conn, who, query string) string {
	t.Helper()
	if who == "the account itself" {
		if _, err := c.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := c.column(t.Context(), query)
	if err != nil {
		lines = []string{"error " + err.Error()}
	}
	s := shown{who: who, query: x.scrub(query)}
	for _, line := range lines {
		s.lines = append(s.lines, x.scrub(line))
	}
	s.made = s.read()
	return s.String()
}

// hashes are what plug-ins keep of passwords, and what stands for it in the files.
var hashes = []struct {
	is    *regexp.Regexp
	stand string
}{
	{regexp.MustCompile(`(?s)'\$A\$...\$(?:[^'\\]|\\.|'')*'`), `'$$A$$005$$salt\'s \\ and hash'`},
	{regexp.MustCompile(`(?s)'\$5\$(?:[^'\\]|\\.|'')*'`), `'$$5$$salt\'s \\ and hash'`},
	{regexp.MustCompile(`0x2441[0-9A-F]*`), `0x24412430303524`},
	{regexp.MustCompile(`'\*[0-9A-F]{40}'`), `'*0123456789ABCDEF0123456789ABCDEF01234567'`},
}

func (x *exhibition) scrub(line string) string {
	for _, h := range hashes {
		line = h.is.ReplaceAllString(line, h.stand)
	}
	return strings.ReplaceAll(line, x.prefix, "spec")
}
