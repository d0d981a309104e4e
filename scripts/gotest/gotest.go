// Package gotest runs go test for tools that read what it says: which tests
// passed, on which servers they ran, and what they covered.
//
// Tests tell by lines that they log, which go test keeps with a cached result:
//
//	SERVER real "MySQL 8.0.33"            the test runs on somebody else's software
//	SERVER imitation "SQL Server"         it runs on ours
//	MISSING "MySQL 9.7"                   it was to run on that, which is not here
//	GUARANTEE never-locked-out/store ...  see [ParsePoint]
package gotest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// An Event is a line of go test -json.
// Source: go doc test2json, go help buildjson.
type Event struct {
	Action  string
	Package string
	Test    string // "" for what concerns the package
	Output  string
	Elapsed float64 // seconds
	// ImportPath is what is built, for the actions build-output and build-fail.
	ImportPath string
}

// Ended reports whether the event is the end of a test or a package.
func (e Event) Ended() bool { return e.Action == "pass" || e.Action == "fail" || e.Action == "skip" }

// Run runs go test -json with more arguments in a module's folder, and hands
// each event to each. Variables, of the form name=value, are put into the
// environment. The error is that of the go command: some test failed, or it
// could not be built.
func Run(module string, variables []string, each func(Event), arguments ...string) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, arguments...)...)
	cmd.Dir, cmd.Stderr, cmd.Env = module, os.Stderr, append(os.Environ(), variables...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := Read(out, each)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test in %s: %w", module, err)
	}
	return readErr
}

// Read reads a stream of events. A line that is none is handed on as the output
// of no package: the go command prints such lines where a program that a test
// started writes to its standard output.
func Read(stream io.Reader, each func(Event)) error {
	in := bufio.NewReader(stream)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			var e Event
			if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
				e = Event{Action: "output", Output: line}
			}
			each(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// A Server is what a test ran on, or was to run on.
type Server struct {
	Real  bool
	Title string // "MySQL 8.0.33"
}

// ParseServer reads a line by which a test says what it runs on.
func ParseServer(line string) (s Server, ok bool) {
	if s.Title, ok = quoted(line, "SERVER real "); ok {
		s.Real = true
		return s, true
	}
	s.Title, ok = quoted(line, "SERVER imitation ")
	return s, ok
}

// ParseMissing reads a line by which a test says what is not there.
func ParseMissing(line string) (title string, ok bool) { return quoted(line, "MISSING ") }

// quoted is the quoted text at the end of a logged line that begins so, after
// the place in the source.
func quoted(line, start string) (text string, ok bool) {
	_, message, ok := strings.Cut(strings.TrimSpace(line), ".go:")
	if !ok {
		return "", false
	}
	_, message, _ = strings.Cut(message, ": ")
	rest, ok := strings.CutPrefix(message, start)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(rest)
	return text, err == nil
}

// A Point is a line that a test has logged about what it covered:
//
//	GUARANTEE never-locked-out/store engine=mysql server="MariaDB 10.11" real=true points=26 modes=4
type Point struct {
	Kind   string // "never-locked-out/store"
	Fields map[string]string
}

// ParsePoint reads such a line.
func ParsePoint(line string) (p Point, ok bool) {
	_, text, ok := strings.Cut(line, "GUARANTEE ")
	if !ok {
		return p, false
	}
	kind, text, _ := strings.Cut(strings.TrimSpace(text), " ")
	p = Point{kind, map[string]string{}}
	for text != "" {
		name, rest, _ := strings.Cut(text, "=")
		value, more, _ := strings.Cut(rest, " ")
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			value, more, _ = strings.Cut(quoted, `"`)
		}
		p.Fields[strings.TrimSpace(name)], text = value, strings.TrimSpace(more)
	}
	return p, true
}
