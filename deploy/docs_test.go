package deploy_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/rotation"
)

const deployPage = "../docs/deploy.md"

var (
	classRow = regexp.MustCompile("(?m)^\\| `(Rotation\\.\\w+)` \\| (.+) \\| (.+) \\|$")
	tableRow = regexp.MustCompile("(?m)^\\| (`[^|]+) \\|([^|]*)\\|.*\\|$")
	quoted   = regexp.MustCompile("`([^`]+)`")
)

func TestTheDeployPageHasEveryClassWithItsRemedy(t *testing.T) {
	said := map[rotation.Class]string{}
	for _, row := range classRow.FindAllStringSubmatch(read(t, deployPage), -1) {
		said[rotation.Class(row[1])] = row[3]
	}
	for class, remedy := range rotation.Classes() {
		if said[class] != remedy {
			t.Errorf("%s: the page says %q, the code %q", class, said[class], remedy)
		}
		delete(said, class)
	}
	for class := range said {
		t.Errorf("%s is no class", class)
	}
}

func TestTheDeployPageHasEveryParameterWithItsDefault(t *testing.T) {
	_, part, _ := strings.Cut(read(t, deployPage), "\n## Parameters\n")
	part, _, _ = strings.Cut(part, "\n## ")
	said := map[string]string{}
	for _, row := range tableRow.FindAllStringSubmatch(part, -1) {
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			said[name[1]] = strings.Trim(row[2], "` ")
		}
	}
	defaults := map[string]string{}
	for name, p := range parse(t, read(t, functionsTemplate)).at("Parameters").fields() {
		defaults[name] = p.at("Default").text()
	}
	for _, name := range slices.Sorted(maps.Keys(merged(said, defaults))) {
		page, onPage := said[name]
		template, inTemplate := defaults[name]
		if page != template || !onPage || !inTemplate {
			t.Errorf("%s: the page says %q (%v), the template %q (%v)", name, page, onPage, template, inTemplate)
		}
	}
}
