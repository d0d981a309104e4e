// Command live runs the tests of an engine on a server of yours, and writes a report
// that can be attached to an issue: what passed, what failed and what was skipped,
// without the server's name and without a password.
//
//	ROTOR_TEST_SQLSERVER=URL go run ./scripts/live sqlserver
//
// The variable is that of the engine's row in scripts/engines; without it, the
// command prints how to get a server. The tests make users, databases and roles
// whose names have random letters, and drop them. They change nothing that
// was there. Faults are not swept, unless ROTOR_TEST_SWEEP says so.
//
// Its status is 0 if all tests passed or were skipped and some ran on the server, 1
// if not, and 2 if they could not be run.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed492efc12/rotor/scripts/engines"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

func main() {
	out := flag.String("o", "", "the `file` of the report (live-ENGINE.md)")
	filter := flag.String("run", "", "`tests` to run, as go test has it; all when empty")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "live: name one engine:", strings.Join(engines.Names(), ", "))
		os.Exit(2)
	}
	t, err := prepare(flag.Arg(0), os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(2)
	}
	t.root, t.file, t.filter = ".", cmp.Or(*out, "live-"+t.engine.Name+".md"), *filter
	if err := t.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

// A task is an engine whose tests are to run on a server.
type task struct {
	engine engines.Engine
	hide   hider
	root   string // the project's folder
	file   string // of the report
	filter string // which tests; all if it is empty
	sweep  string // which faults are put at every point
}

// prepare reads which server is meant.
func prepare(name string, env func(string) string) (t task, err error) {
	if t.engine, err = engines.Find(name); err != nil {
		return t, err
	}
	value := env(t.engine.Live)
	if value == "" {
		return t, fmt.Errorf("%s is not set: it names the server to test, and an administrator of it. %s", t.engine.Live, example(t.engine))
	}
	if t.hide, err = newHider(value); err != nil {
		return t, fmt.Errorf("reading %s: %w. %s", t.engine.Live, err, example(t.engine))
	}
	t.sweep = cmp.Or(env("ROTOR_TEST_SWEEP"), "none")
	return t, nil
}

// example says how to get a server of an engine.
func example(e engines.Engine) string {
	if e.Try == "" {
		return fmt.Sprintf("`go doc ./rotators/%[1]s/%[1]stest` says in which form.", e.Name)
	}
	return "For example:\n\n" + e.Try
}

// run runs the tests and writes the report. The error says what was not well.
func (t task) run(out io.Writer) error {
	fmt.Fprintf(out, "The tests of rotators/%s run on the server that %s names. They make users, databases and roles there whose\n"+
		"names have random letters, and drop them. This takes some minutes.\n\n", t.engine.Name, t.engine.Live)
	r := newReport(t.engine, t.hide, out)
	arguments := []string{"-count=1", "-timeout=2h", "./rotators/" + t.engine.Name}
	if t.filter != "" {
		arguments = append(arguments, "-run", t.filter)
	}
	ran := gotest.Run(t.root, []string{"ROTOR_TEST_SWEEP=" + t.sweep, "ROTOR_REQUIRE_SERVERS="}, r.event, arguments...)
	if err := os.WriteFile(t.file, []byte(r.page()), 0o644); err != nil {
		return errors.Join(ran, err)
	}
	fmt.Fprintf(out, "\n%s. %s can be attached to an issue.\n", r.result(), t.file)
	if ran == nil && len(r.here()) == 0 {
		return fmt.Errorf("no test ran on the server: %s", t.file)
	}
	return ran
}
