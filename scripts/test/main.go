// Command test runs go test, prints what it prints, and says at the end on which
// servers the tests ran and what was not covered: what passes in silence is
// taken for tested.
//
//	go run ./scripts/test [module ...] -- [arguments of go test]
//
// Without a module it is the present folder's. It fails if go test fails in one
// of them; with ROTOR_REQUIRE_SERVERS=1 also if a test missed a server.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/seed492efc12/rotor/scripts/gotest"
)

func main() {
	if !run(os.Args[1:], os.Stdout) {
		os.Exit(1)
	}
}

// run reports whether all is well.
func run(arguments []string, out io.Writer) (ok bool) {
	modules, flags := split(arguments)
	ok = true
	s := newSummary()
	for i, module := range modules {
		if i > 0 {
			fmt.Fprintf(out, "in %s:\n", module)
		}
		p := newPrinter(out, verbose(flags))
		err := gotest.Run(module, nil, func(e gotest.Event) { p.event(e); s.event(module, e) }, flags...)
		p.end()
		if err != nil {
			ok = false
			fmt.Fprintln(out, err)
		}
	}
	s.write(out)
	if os.Getenv("ROTOR_REQUIRE_SERVERS") == "1" && len(s.missing) > 0 {
		fmt.Fprintln(out, "FAIL: servers are missing, and ROTOR_REQUIRE_SERVERS=1")
		ok = false
	}
	return ok
}

// split parts modules from what go test gets.
func split(arguments []string) (modules, flags []string) {
	modules = arguments
	if at := slices.Index(arguments, "--"); at >= 0 {
		modules, flags = arguments[:at], arguments[at+1:]
	}
	if len(modules) == 0 {
		modules = []string{"."}
	}
	return modules, flags
}

// verbose reports whether go test is to show what passes.
func verbose(flags []string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return f == "-v" || f == "-v=true" || f == "-test.v" || f == "--v" })
}
