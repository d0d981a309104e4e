package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/framework/rotation"
	"github.com/seed492efc12/rotor/scripts/gotest"
)

// remediesTitle begins the list of the remedies that a test has executed.
const remediesTitle = `
### Remedies that were executed

A test made the mistake, did what the message says, word for word, and saw the rotation succeed: databasetest.Run those that take an edit of a
secret or a setting, the drivers' own tests those that take statements, functiontest.RunRemedies those that are of no database. After one of Unknown,
Secrets Manager tries again by itself, and the log has what a report needs.

| class | on real servers | on imitations |
|---|---|---|
`

// remedies writes for each class on which servers its remedy was executed, and
// which classes' were executed nowhere.
func remedies(points []gotest.Point) (string, error) {
	ran := map[rotation.Class]map[string]map[string]bool{} // by "true" for real servers and "false", by title
	for _, p := range points {
		if p.Kind != "remedy/executed" || p.Fields["engine"] == "memory" {
			continue
		}
		class, real := rotation.Class(rotation.Prefix+p.Fields["class"]), p.Fields["real"]
		if class.Remedy() == "" || real != "true" && real != "false" {
			return "", fmt.Errorf("a remedy of the class %q, real=%q", class, real)
		}
		if ran[class] == nil {
			ran[class] = map[string]map[string]bool{"true": {}, "false": {}}
		}
		ran[class][real][p.Fields["server"]] = true
	}
	var b strings.Builder
	b.WriteString(remediesTitle)
	var never []string
	for _, class := range slices.Sorted(maps.Keys(rotation.Classes())) {
		servers, ok := ran[class]
		if !ok {
			never = append(never, short(class))
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", short(class), list(servers["true"]), list(servers["false"]))
	}
	fmt.Fprintf(&b, "\nExecuted by no test: those of %s.\n", strings.Join(never, ", "))
	return b.String(), nil
}

func short(c rotation.Class) string { return strings.TrimPrefix(string(c), rotation.Prefix) }

func list(titles map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(titles)), ", ")
}
