package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/scripts/gotest"
)

// A summary is what tests said of servers. Cached results count: go test repeats
// what they said.
type summary struct {
	servers map[gotest.Server]*tests
	missing map[string]*tests // by title
	skipped map[string]*tests // by reason
	last    map[string]string // what each test under way said last, by its full name
}

// tests are some, by their full names, and their packages.
type tests struct{ names, packages map[string]bool }

func newSummary() *summary {
	return &summary{servers: map[gotest.Server]*tests{}, missing: map[string]*tests{}, skipped: map[string]*tests{}, last: map[string]string{}}
}

func (s *summary) event(module string, e gotest.Event) {
	if e.Test == "" {
		return
	}
	pkg := module + " " + e.Package
	name := pkg + " " + e.Test
	switch e.Action {
	case "output":
		if server, ok := gotest.ParseServer(e.Output); ok {
			add(s.servers, server, pkg, name)
		}
		if title, ok := gotest.ParseMissing(e.Output); ok {
			add(s.missing, title, pkg, name)
		}
		if line := strings.TrimSpace(e.Output); !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, "=== ") {
			s.last[name] = line
		}
	case "skip":
		add(s.skipped, reason(s.last[name]), pkg, name)
	}
	if e.Ended() {
		delete(s.last, name)
	}
}

// reason is a logged line without its place in the source.
func reason(line string) string {
	if _, text, ok := strings.Cut(line, ".go:"); ok {
		_, text, _ = strings.Cut(text, ": ")
		return text
	}
	return line
}

func add[K comparable](to map[K]*tests, key K, pkg, name string) {
	if to[key] == nil {
		to[key] = &tests{map[string]bool{}, map[string]bool{}}
	}
	to[key].names[name], to[key].packages[pkg] = true, true
}

func (t *tests) String() string {
	return count(len(t.names), "test") + " in " + count(len(t.packages), "package")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// write prints it. Nothing was said where no test of a server was run.
func (s *summary) write(out io.Writer) {
	s.section(out, "On real servers:", true)
	s.section(out, "On imitations, which are our reading of a manual:", false)
	if len(s.missing) > 0 {
		fmt.Fprintln(out, "\nNOT COVERED, for want of a server (make servers brings it):")
		each(out, s.missing)
	}
	delete(s.skipped, "") // its parent says why
	skipped := maps.Clone(s.skipped)
	maps.DeleteFunc(skipped, func(reason string, _ *tests) bool { return strings.HasPrefix(reason, "MISSING ") })
	if len(skipped) > 0 {
		fmt.Fprintln(out, "\nSkipped:")
		each(out, skipped)
	}
}

func (s *summary) section(out io.Writer, title string, real bool) {
	some := map[string]*tests{}
	for server, on := range s.servers {
		if server.Real == real {
			some[server.Title] = on
		}
	}
	if len(some) > 0 {
		fmt.Fprintln(out, "\n"+title)
		each(out, some)
	}
}

func each(out io.Writer, all map[string]*tests) {
	widest := 0
	for name := range all {
		widest = max(widest, len(name))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(out, "  %-*s  %v\n", min(widest, 60), name, all[name])
	}
}
