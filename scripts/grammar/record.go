package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

// again are tests that send nothing new, or something else each time: a fault at every point, what any rotator does, and
// worlds made at random.
var again = func() string {
	patterns := []string{"TestARotationDoesWhatItsTrialSays"}
	for depth := 1; depth <= 3; depth++ { // a suite, servers or versions, a strategy
		patterns = append(patterns, "TestConformance"+strings.Repeat("/.", depth)+"/(CrashAnywhere|AsAnyRotator)")
	}
	return strings.Join(patterns, "|")
}()

// record runs the drivers' tests on their imitations, which write into the folder what they are sent.
func record(folder string, chosen []engine) error {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	variables := []string{"ROTOR_RECORD_STATEMENTS=" + absolute, "ROTOR_TEST_SWEEP=",
		"ROTOR_REQUIRE_SERVERS=", "ROTOR_TEST_SERVERS=mysql"} // none of PostgreSQL's, which stands in for Redshift
	flags := []string{"-count=1", "-vet=off", "-skip", again}
	for _, e := range chosen {
		variables = append(variables, "ROTOR_TEST_"+strings.ToUpper(e.name)+"=")
		flags = append(flags, "./rotators/"+e.name)
	}
	failed := ""
	err = gotest.Run(".", variables, func(event gotest.Event) {
		if event.Action == "fail" {
			failed += fmt.Sprintf("\n%s %s", event.Package, event.Test)
		}
	}, flags...)
	if err != nil {
		return fmt.Errorf("recording statements: %w%s", err, failed)
	}
	return nil
}

// digits differ from test to test.
var digits = regexp.MustCompile(`\d+`)

// key is the same for statements that differ in what a test makes up alone.
func (e engine) key(statement string) string {
	return digits.ReplaceAllString(e.tag.ReplaceAllString(statement, "~"), "0")
}

// load reads what was recorded of an engine: what the driver sent, each form once, and what made the worlds: each form
// once too, and all that has names of what the driver sent.
func (e engine) load(folder string) (driver, worlds []string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, e.name+"-*.jsonl"))
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(files)
	seen, tags := map[string]bool{}, map[string]bool{"": true}
	var made []string
	for _, file := range files {
		all, err := statements(file)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range all {
			switch key := e.key(s.Text); {
			case !s.Driver:
				made = append(made, s.Text)
			case !seen[key]:
				seen[key] = true
				driver = append(driver, s.Text)
				for _, tag := range e.tag.FindAllString(s.Text, -1) {
					tags[tag] = true
				}
			}
		}
	}
	if len(driver) == 0 {
		return nil, nil, fmt.Errorf("%s: no statement was recorded in %s", e.name, folder)
	}
	for _, text := range made {
		if key := e.key(text); tags[e.tag.FindString(text)] || !seen[key] {
			seen[key] = true
			worlds = append(worlds, text)
		}
	}
	return driver, worlds, nil
}

// statements reads a file that servertest.Record has written.
func statements(path string) (all []servertest.Statement, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s servertest.Statement
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		all = append(all, s)
	}
	return all, lines.Err()
}
