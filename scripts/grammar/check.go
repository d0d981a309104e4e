package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
)

// A result is what came of one parser.
type result struct {
	read    []string // statements that it reads as they are meant
	unread  map[string]string
	used    []bool // which of its exceptions were needed
	faults  []string
	refused int // statements broken on purpose
}

// check has all readers of an engine, at once, read what its driver sent, and prints what came of it.
func (e engine) check(ctx context.Context, home, folder string) error {
	driver, worlds, err := e.load(folder)
	if err != nil {
		return err
	}
	readers, err := e.here()
	if err != nil {
		return err
	}
	results, errs := make([]result, len(readers)), make([]error, len(readers))
	var all sync.WaitGroup
	for i, r := range readers {
		all.Go(func() { results[i], errs[i] = e.consult(ctx, home, r, driver, worlds) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	fmt.Printf("%s: %d distinct statements\n", e.name, len(driver))
	var failures []error
	times := map[string]int{} // how often each statement was read
	for i, r := range readers {
		got := results[i]
		fmt.Printf("  %-15s read %d as they are meant, does not know %d (%d exceptions), refused %d broken on purpose\n",
			r.name, len(got.read), len(got.unread), len(r.unknown), got.refused)
		for _, s := range got.read {
			times[s]++
		}
		failures = append(failures, got.failures(e.name+", "+r.name, r)...)
	}
	for _, s := range driver {
		if times[s] == 0 && len(readers) > 0 {
			fmt.Printf("  read by nobody: %s\n", s)
		}
	}
	return errors.Join(failures...)
}

// here are the readers that this machine can have. One that it cannot is named.
func (e engine) here() (all []reader, err error) {
	for _, r := range e.readers {
		if r.platform == "" || r.platform == runtime.GOOS+"/"+runtime.GOARCH {
			all = append(all, r)
			continue
		}
		fmt.Printf("missing: %s (published for %s alone)\n", r.name, r.platform)
		if os.Getenv("ROTOR_REQUIRE_SERVERS") == "1" {
			err = fmt.Errorf("%s is missing, and ROTOR_REQUIRE_SERVERS=1", r.name)
		}
	}
	if len(all) == 0 && err == nil {
		fmt.Printf("%s: nobody reads its statements here\n", e.name)
	}
	return all, err
}

// consult has one parser read the statements, and then some that are broken.
func (e engine) consult(ctx context.Context, home string, r reader, driver, worlds []string) (got result, err error) {
	p, err := r.start(ctx, home)
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	made, err := p.words(worlds)
	if err != nil {
		return result{}, err
	}
	readings, err := p.read(driver)
	if err != nil {
		return result{}, err
	}
	v := e.learn(made)
	got = e.sort(r, driver, readings, v)
	return got, e.breakAll(p, v, &got)
}

// sort says what came of each statement.
func (e engine) sort(r reader, driver []string, readings []reading, v vocabulary) result {
	got := result{unread: map[string]string{}, used: make([]bool, len(r.unknown))}
	seen := map[string]bool{}
	for i, s := range driver {
		switch fault := e.fault(s, readings[i], v); {
		case readings[i].err != "":
			got.misses(s, readings[i].err, r)
			if strange := e.strange(s, readings[i], v); strange != "" {
				got.faults = append(got.faults, strange+": "+s)
			}
		case fault != "":
			got.faults = append(got.faults, fault+": "+s)
		default:
			got.read = append(got.read, s)
			for _, name := range readings[i].values("name") {
				seen[name] = true
			}
		}
	}
	got.faults = append(got.faults, e.soft(seen)...)
	return got
}

// misses notes a statement that the parser does not know.
func (got *result) misses(statement, why string, r reader) {
	got.unread[statement] = why
	known := false
	for i, x := range r.unknown {
		if x.form.MatchString(statement) {
			got.used[i], known = true, true
		}
	}
	if !known {
		got.faults = append(got.faults, "not understood ("+why+"): "+statement)
	}
}

// soft are the hard things that no name of a statement held.
func (e engine) soft(names map[string]bool) (faults []string) {
	for _, hard := range e.hard {
		found := false
		for name := range names {
			found = found || strings.Contains(name, hard)
		}
		if !found {
			faults = append(faults, fmt.Sprintf("no statement had a name with %q", hard))
		}
	}
	return faults
}

// failures are what is wrong.
func (got result) failures(where string, r reader) (all []error) {
	for _, fault := range got.faults {
		all = append(all, fmt.Errorf("%s: %s", where, fault))
	}
	for i, used := range got.used {
		if !used {
			all = append(all, fmt.Errorf("%s: the exception %s is not needed", where, r.unknown[i].form))
		}
	}
	return all
}
