package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/scripts/engines"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

// A page about tests that are gone would prove nothing.
func TestEveryTestThatIsNamedExists(t *testing.T) {
	for _, p := range promises {
		for _, e := range p.evidence {
			dir, name, _ := strings.Cut(e.test, " ")
			if !has(t, filepath.Join("../..", dir), name) {
				t.Errorf("%s: there is no %s in %s", p.title, name, dir)
			}
		}
	}
}

// Each engine keeps each promise that a driver or a function can break, by a test of its own.
func TestEveryEngineHasEvidence(t *testing.T) {
	for folder, wanted := range map[string][]*promise{
		"rotators":  {&neverLockedOut, &noFewerRights, &saysWhatToDo, &honestTrial},
		"functions": {&neverLockedOut, &noRefusedLogin, &neverSeen, &holdsUnderLoad},
		"*":         {&verifiedTLS},
	} {
		for _, p := range wanted {
			for _, e := range engines.All() {
				like := p.of(folder, "postgres")
				if len(p.of(folder, e.Name)) == 0 {
					t.Errorf("%q has no test of %s/%s: write one, and add {%q, \"what it shows\"} to that promise in scripts/guarantees/promises.go; postgres has %q", p.title, folder, e.Name, folder+"/"+e.Name+" TestName", like)
				}
			}
		}
	}
}

// of is the promise's evidence from an engine's folder.
func (p *promise) of(folder, engine string) (tests []string) {
	for _, e := range p.evidence {
		dir, _, _ := strings.Cut(e.test, " ")
		if ok, _ := filepath.Match(folder+"/"+engine, dir); ok {
			tests = append(tests, e.test)
		}
	}
	return tests
}

// The page in docs is of the promises as they are.
func TestThePageNamesEveryTest(t *testing.T) {
	page, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range promises {
		_, section, _ := strings.Cut(string(page), "\n## "+p.title+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, e := range p.evidence {
			if !strings.Contains(section, strings.TrimSuffix(e.row(""), " |")) {
				t.Errorf("docs/guarantees.md does not name %s: run make guarantees, or add below %q, once it has passed: %s", e.test, p.title, e.row("real servers, or imitations"))
			}
		}
	}
}

func has(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}

func point(engine, server string, real bool, n string) gotest.Point {
	return gotest.Point{Kind: "killed", Fields: map[string]string{"engine": engine, "server": server, "strategy": "single-user", "real": fmt.Sprint(real), "points": n, "modes": "2"}}
}

var killed = table{"Points.", []column{{"killed", "points", "kills"}}}

// What our own servers said is no evidence of what others would say: it stands in a table of its own.
func TestRealServersAndImitationsHaveATableEach(t *testing.T) {
	var b strings.Builder
	err := killed.write(&b, []gotest.Point{point("oracle", "Oracle 19", false, "5"), point("mysql", "MySQL 8.0.33", true, "7"), point("memory", "memory", false, "1")}, allFaults)
	if err != nil {
		t.Fatal(err)
	}
	want := `
Points.

On real servers:

| engine | server | strategy | kills |
|---|---|---|--:|
| mysql | MySQL 8.0.33 | single-user | 14 |

Our code against our reading of the manual (imitations):

| engine | server | strategy | kills |
|---|---|---|--:|
| oracle | Oracle 19 | single-user | 10 |
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// A table without a real server would be a promise that nobody else has tried.
func TestATableWithoutRealServersIsNoPage(t *testing.T) {
	var b strings.Builder
	for _, points := range [][]gotest.Point{nil, {point("oracle", "Oracle 19", false, "5")}} {
		if err := killed.write(&b, points, allFaults); err == nil {
			t.Errorf("%v made a page", points)
		}
	}
}

func TestAServerOfASubtestIsItsTests(t *testing.T) {
	r := newResults()
	for _, line := range []string{`SERVER imitation "Redshift"`, `SERVER real "PostgreSQL 15.18"`} {
		r.read(gotest.Event{Action: "output", Package: importPath + "rotators/redshift", Test: "TestX/wire/y", Output: "    pool.go:72: " + line + "\n"})
	}
	if got := r.servers["rotators/redshift TestX"].String(); got != "real servers, imitations" {
		t.Errorf("got %q of %v", got, r.servers)
	}
}

func TestALineThatDoesNotSayWhetherItsServerIsRealIsAnError(t *testing.T) {
	p := point("mysql", "MySQL 8.0.33", true, "7")
	delete(p.Fields, "real")
	if err := killed.write(&strings.Builder{}, []gotest.Point{p}, allFaults); err == nil {
		t.Error("it made a page")
	}
}

func TestAPageOfAPartialRunSaysSo(t *testing.T) {
	var b strings.Builder
	if err := killed.write(&b, nil, fatalFaults); err != nil || !strings.Contains(b.String(), "Not in this run") {
		t.Errorf("got %q, %v", b.String(), err)
	}
	for _, bad := range []sweeping{"", "some"} {
		if run(t.TempDir()+"/page", bad, "") == nil {
			t.Errorf("-sweep %q was taken", bad)
		}
	}
}

func TestRemediesThatWereExecutedAreListed(t *testing.T) {
	executed := func(class, server, real string) gotest.Point {
		return gotest.Point{Kind: "remedy/executed", Fields: map[string]string{"engine": "mysql", "class": class, "server": server, "real": real, "points": "1"}}
	}
	text, err := remedies([]gotest.Point{executed("TLS", "MySQL 9.7.4", "true"), executed("TLS", "Oracle 19", "false"), executed("TLS", "MariaDB 11.8", "true"), executed("TLS", "MySQL 9.7.4", "true")})
	if err != nil || !strings.Contains(text, "\n| TLS | MariaDB 11.8, MySQL 9.7.4 | Oracle 19 |\n") || !strings.Contains(text, "Executed by no test: those of AccessDenied, AccountLocked,") {
		t.Errorf("%v, got\n%s", err, text)
	}
	for _, bad := range []gotest.Point{executed("TSL", "MySQL 9.7.4", "true"), executed("TLS", "MySQL 9.7.4", "")} {
		if _, err := remedies([]gotest.Point{bad}); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
