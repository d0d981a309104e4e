package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/scripts/gotest"
)

var update = flag.Bool("update", false, "write what is printed to testdata")

// testdata/*.json are what go test -json of Go 1.26 said of a module with a package each that passes with skipped tests,
// fails, panics, does not compile, does not pass vet, and has no tests; and of the first of these from the cache.
func read(t *testing.T, verbose bool, files ...string) (printed string, s *summary) {
	t.Helper()
	var out bytes.Buffer
	p := newPrinter(&out, verbose)
	s = newSummary()
	for _, file := range files {
		stream, err := os.Open("testdata/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := gotest.Read(stream, func(e gotest.Event) { p.event(e); s.event(file, e) }); err != nil {
			t.Fatal(err)
		}
		p.end()
		_ = stream.Close()
	}
	return out.String(), s
}

func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name + ".txt"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != got {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
}

func TestItPrintsWhatGoTestPrints(t *testing.T) {
	printed, _ := read(t, false, "all")
	wantGolden(t, "all", printed)
	for line, want := range map[string]bool{
		"ok  \texample.com/sample/good\t0.010s\n":             true,
		"?   \texample.com/sample/none\t[no test files]\n":    true,
		"FAIL\texample.com/sample/broken [build failed]\n":    true,
		"broken/a_test.go:3:28: undefined: undefined\n":       true,
		"        a_test.go:6: two is wrong\n":                 false, // of a subtest: four blanks less
		"    a_test.go:6: two is wrong\n":                     true,
		"panic: oh no [recovered, repanicked]\n":              true,
		"created by testing.(*T).Run in goroutine 22\n":       true,
		"nobody wants to know":                                false,
		"noise":                                               false,
		"=== RUN":                                             false,
		"PASS\n":                                              false,
		"vetted/a_test.go:3:40: fmt.Printf format %d has arg": true,
	} {
		if strings.Contains(printed, line) != want {
			t.Errorf("prints %q: %v", line, !want)
		}
	}
}

func TestVerboseShowsAll(t *testing.T) {
	printed, _ := read(t, true, "all")
	for _, text := range []string{"nobody wants to know", "noise", "=== RUN", "PASS\n"} {
		if !strings.Contains(printed, text) {
			t.Errorf("does not print %q", text)
		}
	}
}

func TestACachedPackageKeepsItsLine(t *testing.T) {
	if printed, _ := read(t, false, "cached"); printed != "ok  \texample.com/sample/good\t(cached)\n" {
		t.Errorf("printed %q", printed)
	}
}

// A package that ended in the middle of a test, as by os.Exit or a signal: nothing that it said is lost.
func TestAPackageWithoutAnEndIsPrinted(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&out, false)
	stream := `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestX","Output":"=== RUN   TestX\n"}
{"Action":"output","Package":"p","Test":"TestX","Output":"the last words\n"}
`
	if err := gotest.Read(strings.NewReader(stream), p.event); err != nil {
		t.Fatal(err)
	}
	p.end()
	if out.String() != "the last words\n" {
		t.Errorf("printed %q", out.String())
	}
}

func TestTheSummaryCountsWhatRanOnWhat(t *testing.T) {
	_, s := read(t, false, "all", "cached")
	var out bytes.Buffer
	s.write(&out)
	wantGolden(t, "summary", out.String())
	if len(s.missing) != 2 {
		t.Errorf("%d servers are missing", len(s.missing))
	}
}

func TestWithoutServersThereIsNoSummary(t *testing.T) {
	var out bytes.Buffer
	newSummary().write(&out)
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
}

func TestArgumentsAreParted(t *testing.T) {
	modules, flags := split([]string{".", "examples/x", "--", "-race", "./..."})
	if strings.Join(modules, " ") != ". examples/x" || strings.Join(flags, " ") != "-race ./..." {
		t.Errorf("got %q and %q", modules, flags)
	}
	if modules, _ := split([]string{"--", "./..."}); strings.Join(modules, " ") != "." {
		t.Errorf("got %q", modules)
	}
	if !verbose([]string{"-race", "-v"}) || verbose([]string{"-vet=off"}) {
		t.Error("-v is not told")
	}
}
