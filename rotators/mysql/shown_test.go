package mysql

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
	nothing := newHoldings()
	first := changes(nothing, h, clone)
	has := nothing
	for _, c := range first {
		has = has.after(c, nothing)
	}
	var second []change // what is denied, where something is granted everywhere
	if len(h.denials()) > 0 {
		second = changes(has, h, clone)
	}
	for _, c := range slices.Concat(roleChanges(nothing, h, clone), proxyChanges(nothing, h, clone), first, second) {
		made = append(made, c.statement)
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
			return fmt.Sprintf("line %d is %q and was %q", i+1, x[i], y[i])
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
				t.Errorf("%s shows something else now: %s", spec.name, firstDifference(text, section(string(old), spec.name)))
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
