package main

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/scripts/engines"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

func TestWithoutAServerItSaysHowToGetOne(t *testing.T) {
	for _, e := range engines.All() {
		_, err := prepare(e.Name, func(string) string { return "" })
		how := "make live ENGINE=" + e.Name
		if e.Try == "" {
			how = "go doc ./rotators/" + e.Name
		}
		if err == nil || !strings.Contains(err.Error(), e.Live+" is not set") || !strings.Contains(err.Error(), how) {
			t.Errorf("%s: got %v", e.Name, err)
		}
	}
	if _, err := prepare("oracel", func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "oracle") {
		t.Errorf("got %v", err)
	}
}

// What an engine's example says is read, and so hidden.
func TestEveryExampleIsRead(t *testing.T) {
	for _, e := range engines.All() {
		examples := regexp.MustCompile("(?m)^"+e.Live+"='(.*)' make live").FindAllStringSubmatch(e.Try, -1)
		if len(examples) == 0 && e.Try != "" {
			t.Errorf("%s has no example", e.Name)
		}
		for _, x := range examples {
			if host, password := parse(x[1]); host == "" || !slices.Contains([]string{"rotor-live-1", "Rotor-live-1", "PASSWORD"}, password) {
				t.Errorf("%s: got %q and %q", x[1], host, password)
			}
		}
	}
}

func TestTheHostAndThePasswordAreRead(t *testing.T) {
	for value, want := range map[string][2]string{
		`{"engine":"documentdb","host":"db.example.com","port":27017,"username":"u","password":"p/:@\"x"}`: {"db.example.com", `p/:@"x`},
		`sqlserver://sa:p%40ss%2Fword@db.example.com:1433?insecure=true`:                                   {"db.example.com", "p@ss/word"},
		`oracle://system:secret@[2001:db8::1]:1521/FREEPDB1`:                                               {"2001:db8::1", "secret"},
		`root:p:a@ss(w)/ord@tcp(db.example.com:3306)/?tls=false`:                                           {"db.example.com", "p:a@ss(w)/ord"},
		`root@tcp(db.example.com)/`:                                                                        {"db.example.com", ""},
		`host=db.example.com user=postgres password='pass \'word' sslmode=disable`:                         {"db.example.com", "pass 'word"},
		`nothing of the kind`:    {"", ""},
		`postgres://u:p%zz@host`: {"", ""},
	} {
		if host, password := parse(value); host != want[0] || password != want[1] {
			t.Errorf("%s: got %q and %q", value, host, password)
		}
	}
	if _, err := newHider("secret without a form"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsHidden(t *testing.T) {
	h, err := newHider(`sqlserver://sa:p%40ss%22word@db.invalid:1433`)
	if err != nil {
		t.Fatal(err)
	}
	got := h.hide(`dial db.invalid:1433: p@ss"word, p%40ss%22word, p@ss\"word, member-1.abc.eu-west-1.docdb.amazonaws.com:27017, localhost`)
	if want := `dial [host]:1433: [password], [password], [password], [host]:27017, localhost`; got != want {
		t.Errorf("got %s", got)
	}
	local, err := newHider(`postgres://u:secret@127.0.0.1/`)
	if err != nil {
		t.Fatal(err)
	}
	if got := local.hide("127.0.0.1: secret"); got != "127.0.0.1: [password]" {
		t.Errorf("got %s", got)
	}
}

// said are events of go test: a test's name, and what it did.
func said(r *report, events ...[3]string) {
	for _, e := range events {
		r.event(gotest.Event{Test: e[0], Action: e[1], Output: e[2], Elapsed: 1.5})
	}
}

func TestWhatAReportTells(t *testing.T) {
	e, err := engines.Find("sqlserver")
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHider("sqlserver://sa:secret-1@db.invalid:1433")
	if err != nil {
		t.Fatal(err)
	}
	r := newReport(e, h, io.Discard)
	on := "    pool.go:80: SERVER real \"SQL Server 16.0 at db.invalid\"\n"
	said(r,
		[3]string{"TestGood", "run"}, [3]string{"TestGood/existing", "output", on}, [3]string{"TestGood/existing", "pass"}, [3]string{"TestGood", "pass"},
		[3]string{"TestBad/existing", "output", on}, [3]string{"TestBad/existing/part", "output", "    bad_test.go:7: db.invalid said | secret-1\n"},
		[3]string{"TestBad/existing/part", "fail"}, [3]string{"TestBad/existing", "fail"}, [3]string{"TestBad", "fail"},
		[3]string{"TestLeft/existing", "output", on}, [3]string{"TestLeft/existing", "output", "    a_test.go:9: not covered: no log\n"}, [3]string{"TestLeft/existing", "skip"},
		[3]string{"TestLeft", "pass"},
		[3]string{"TestImitation", "output", "    a_test.go:9: SERVER imitation \"SQL Server\"\n"}, [3]string{"TestImitation", "pass"},
		[3]string{"TestCut/existing", "output", on})
	page := r.page()
	for _, want := range []string{
		"# Rotor on SQL Server 16.0\n", "| engine | sqlserver, by github.com/microsoft/go-mssqldb", "1 passed, 2 failed, 1 skipped",
		"| TestGood/existing | pass | 1.5 |  |", `| TestBad/existing | fail | 1.5 | [host] said \| [password] |`, "| TestLeft/existing | skip | 1.5 | not covered: no log |",
		"or one of their own, 1 passed, 0 failed", "## TestBad/existing/part\n\n```\n    bad_test.go:7: [host] said | [password]\n```", "| TestCut/existing | fail | 0.0 |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report does not have %q:\n%s", want, page)
		}
	}
	for _, none := range []string{"db.invalid", "secret-1"} {
		if strings.Contains(page, none) {
			t.Errorf("the report has %q", none)
		}
	}
}

func TestAReportOfNothing(t *testing.T) {
	e, _ := engines.Find("oracle")
	r := newReport(e, hider{strings.NewReplacer()}, io.Discard)
	r.event(gotest.Event{Action: "output", Output: "it does not compile\n"})
	if page := r.page(); !strings.Contains(page, "it does not compile") || !strings.Contains(page, "no test ran on it") {
		t.Errorf("got %s", page)
	}
}
