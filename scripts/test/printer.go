package main

import (
	"io"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/scripts/gotest"
)

// A printer prints of events what go test prints without -json: of a package that
// passes one line, and of one that does not all that its failing tests said, and
// those that had no chance to end.
type printer struct {
	out      io.Writer
	verbose  bool
	packages map[string]*transcript // of those under way
}

// A transcript is what a package under way has said.
type transcript struct {
	tests []*said
	own   []string // the package's own lines
}

// said is what one test has said.
type said struct {
	test  string
	lines []string
	ended bool
	bad   bool
}

func newPrinter(out io.Writer, verbose bool) *printer {
	return &printer{out: out, verbose: verbose, packages: map[string]*transcript{}}
}

func (p *printer) event(e gotest.Event) {
	switch {
	case e.Action == "build-output" || e.Package == "": // of no test: now or never
		p.print(e.Output)
	case p.verbose:
		p.print(e.Output)
	case e.Action == "output" && e.Test == "":
		s := p.of(e.Package)
		s.own = append(s.own, e.Output)
	case e.Action == "output":
		s := p.of(e.Package).of(e.Test)
		s.lines = append(s.lines, e.Output)
	case e.Ended() && e.Test != "":
		s := p.of(e.Package).of(e.Test)
		s.ended, s.bad = true, e.Action == "fail"
		if !s.bad {
			s.lines = nil // nobody will ask
		}
	case e.Ended():
		p.finish(e)
	}
}

// end prints what is left of packages that never ended.
func (p *printer) end() {
	for name := range p.packages {
		p.finish(gotest.Event{Action: "fail", Package: name})
	}
}

// finish prints a package that has ended.
func (p *printer) finish(e gotest.Event) {
	s := p.of(e.Package)
	delete(p.packages, e.Package)
	if e.Action != "fail" {
		for _, line := range s.own {
			if isResult(line) {
				p.print(line)
			}
		}
		return
	}
	for _, t := range s.tests {
		if t.bad || !t.ended {
			p.print(strings.Join(withoutFrames(t.lines), ""))
		}
	}
	p.print(strings.Join(s.own, ""))
}

func (p *printer) print(text string) { _, _ = io.WriteString(p.out, text) }

func (p *printer) of(name string) *transcript {
	if p.packages[name] == nil {
		p.packages[name] = &transcript{}
	}
	return p.packages[name]
}

func (s *transcript) of(test string) *said {
	for _, t := range s.tests {
		if t.test == test {
			return t
		}
	}
	t := &said{test: test}
	s.tests = append(s.tests, t)
	return t
}

// isResult reports whether a line is that by which go test tells how a package
// ended that did not fail.
func isResult(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "?   \t") || strings.HasPrefix(line, "\t")
}

// withoutFrames are the lines without those that only -v prints.
func withoutFrames(lines []string) (kept []string) {
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		if word == "===" && slices.Contains([]string{"RUN", "PAUSE", "CONT", "NAME"}, strings.Fields(rest + " .")[0]) {
			continue
		}
		kept = append(kept, line)
	}
	return kept
}
