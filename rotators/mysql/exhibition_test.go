package mysql

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"regexp"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/rotators/mysql/mysqltest"
)

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
	return c
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

// hashes are what plug-ins keep of passwords, and what stands for it in the files. A salt has all of ASCII, and how a
// server quotes it depends on the mode: what ends it is the hash, of 43 letters.
var hashes = []struct {
	is    *regexp.Regexp
	stand string
}{
	{regexp.MustCompile(`(?s)'\$A\$...\$.{20,60}?[./0-9A-Za-z]{43}'`), `'$$A$$005$$salt\'s \\ and hash'`},
	{regexp.MustCompile(`(?s)'\$5\$.{20,60}?\$[./0-9A-Za-z]{43}'`), `'$$5$$salt\'s \\ and hash'`},
	{regexp.MustCompile(`0x2441[0-9A-F]*`), `0x24412430303524`},
	{regexp.MustCompile(`'\*[0-9A-F]{40}'`), `'*0123456789ABCDEF0123456789ABCDEF01234567'`},
}

func (x *exhibition) scrub(line string) string {
	for _, h := range hashes {
		line = h.is.ReplaceAllString(line, h.stand)
	}
	return strings.ReplaceAll(line, x.prefix, "spec")
}
