package main

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/framework/serve"
	"github.com/seed492efc12/rotor/scripts/engines"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

// A report is what the tests said.
type report struct {
	engine engines.Engine
	hide   hider
	out    io.Writer // who waits
	tests  []*test   // as they began
	named  map[string]*test
	server string   // what the server is: its product and version
	lines  []string // of no test
}

// A test is one, or a part of one.
type test struct {
	name    string
	ended   string // pass, fail or skip
	seconds float64
	lines   []string
	onIt    bool // it has said that it runs on the server
}

func newReport(e engines.Engine, h hider, out io.Writer) *report {
	return &report{engine: e, hide: h, out: out, named: map[string]*test{}, server: "not known: no test ran on it"}
}

// event takes an event of go test.
func (r *report) event(e gotest.Event) {
	if e.Test == "" {
		if e.Output != "" {
			r.lines = append(r.lines, e.Output)
		}
		return
	}
	t := r.of(e.Test)
	switch {
	case e.Action == "output":
		r.heard(t, e.Output)
	case e.Ended():
		t.ended, t.seconds = e.Action, e.Elapsed
		if t.onIt {
			fmt.Fprintf(r.out, "%-4s %s (%.1f s)\n", t.ended, t.name, t.seconds)
		}
	}
}

// heard takes a line that a test printed. Of a server that is not started by the
// tests themselves they say where it is.
func (r *report) heard(t *test, line string) {
	if server, ok := gotest.ParseServer(line); ok {
		if title, _, found := strings.Cut(server.Title, " at "); found && server.Real {
			t.onIt, r.server = true, title
		}
		return
	}
	if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "=== ") && !strings.HasPrefix(text, "--- ") {
		t.lines = append(t.lines, strings.TrimRight(line, "\n"))
	}
}

func (r *report) of(name string) *test {
	if t := r.named[name]; t != nil {
		return t
	}
	t := &test{name: name, ended: "fail"} // unless it says otherwise
	r.tests, r.named[name] = append(r.tests, t), t
	return t
}

// here are the tests that ran on the server.
func (r *report) here() []*test {
	return slices.DeleteFunc(slices.Clone(r.tests), func(t *test) bool { return !t.onIt })
}

// parts are those of a test that ended so, without those that have such parts
// themselves.
func (r *report) parts(of, ended string) (some []*test) {
	for _, t := range r.tests {
		deeper := func(other *test) bool { return other.ended == ended && strings.HasPrefix(other.name, t.name+"/") }
		if t.ended == ended && strings.HasPrefix(t.name+"/", of) && !slices.ContainsFunc(r.tests, deeper) {
			some = append(some, t)
		}
	}
	return some
}

// why is the first fault that a test found, or the reason why it was skipped, which
// it said last; without its place in the source.
func (t *test) why() string {
	if len(t.lines) == 0 {
		return ""
	}
	at := len(t.lines) - 1
	if t.ended == "fail" {
		at = max(0, slices.IndexFunc(t.lines, func(line string) bool { return strings.Contains(line, ".go:") }))
	}
	line := strings.TrimSpace(t.lines[at])
	if _, text, ok := strings.Cut(line, ".go:"); ok {
		_, line, _ = strings.Cut(text, ": ")
	}
	return line
}

// result counts.
func (r *report) result() string {
	count := map[string]int{}
	for _, t := range r.here() {
		count[t.ended]++
	}
	return fmt.Sprintf("On %s: %d passed, %d failed, %d skipped", r.server, count["pass"], count["fail"], count["skip"])
}

// page is the report as Markdown, with nothing in it that tells which server it was.
func (r *report) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Rotor on %s\n\n| | |\n|---|---|\n", r.server)
	for _, row := range [][2]string{
		{"Rotor", serve.Version + ", " + commit()}, {"engine", r.engine.Name + ", by " + client(r.engine.Client)},
		{"server", r.server}, {"machine", runtime.GOOS + "/" + runtime.GOARCH + ", " + runtime.Version()},
		{"day", time.Now().UTC().Format(time.DateOnly)}, {"result", r.result()},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	b.WriteString("\n| test on the server | result | seconds | why |\n|---|---|---|---|\n")
	for _, t := range r.here() {
		fmt.Fprintf(&b, "| %s | %s | %.1f | %s |\n", cell(t.name), t.ended, t.seconds, cell(r.reasons(t)))
	}
	r.elsewhere(&b)
	r.failures(&b)
	return r.hide.hide(b.String())
}

// reasons say why a test or parts of it were skipped or failed, each once.
func (r *report) reasons(t *test) string {
	var all []string
	for _, ended := range []string{"fail", "skip"} {
		for _, p := range r.parts(t.name+"/", ended) {
			if text := p.why(); text != "" && !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return strings.Join(all, "; ")
}

// elsewhere counts the tests that take no server, or start one of their own.
func (r *report) elsewhere(b *strings.Builder) {
	count := map[string]int{}
	for _, t := range r.tests {
		within := func(other *test) bool { return other.onIt && strings.HasPrefix(other.name+"/", t.name+"/") }
		if !strings.Contains(t.name, "/") && !slices.ContainsFunc(r.tests, within) {
			count[t.ended]++
		}
	}
	fmt.Fprintf(b, "\nOf the tests that take no server, or one of their own, %d passed, %d failed and %d were skipped.\n", count["pass"], count["fail"], count["skip"])
}

// most bounds what is shown of one failure.
const most = 40

func (r *report) failures(b *strings.Builder) {
	failed := r.parts("", "fail")
	for _, t := range failed {
		fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n", t.name, strings.Join(t.lines[max(0, len(t.lines)-most):], "\n"))
	}
	if len(failed) == 0 && len(r.tests) == 0 {
		fmt.Fprintf(b, "\n## Nothing ran\n\n```\n%s```\n", strings.Join(r.lines[max(0, len(r.lines)-most):], ""))
	}
}

// cell is a text in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

// commit is that of the source, and whether it was changed.
func commit() string {
	head, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "commit not known"
	}
	text := "commit " + strings.TrimSpace(string(head))
	if changes, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changes) > 0 {
		text += ", changed"
	}
	return text
}

// client is the version of a client library that the tests link.
func client(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				return module + " " + d.Version
			}
		}
	}
	return module
}
