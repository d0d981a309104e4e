package engines

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// root is the project's folder.
const root = "../../"

func TestEveryRotatorAndEveryFunctionIsInTheTable(t *testing.T) {
	for _, folder := range []string{"rotators", "functions"} {
		entries, err := os.ReadDir(root + folder)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, e := range entries {
			if e.IsDir() && e.Name() != "internal" {
				found = append(found, e.Name())
			}
		}
		want := Names()
		slices.Sort(want)
		if !slices.Equal(found, want) {
			t.Errorf("%s has %v, the table %v", folder, found, want)
		}
	}
}

func TestTheReadmeHasTheTable(t *testing.T) {
	page, err := os.ReadFile(root + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), Table()) {
		t.Errorf("README.md does not have this table:\n%s", Table())
	}
}

// What .ci/run cannot have a real server of, a container shows where there is one.
func TestTheWorkflowHasAContainerForWhatCannotBeInstalled(t *testing.T) {
	page, err := os.ReadFile(root + ".github/workflows/ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range All() {
		job := strings.Contains(string(page), "\n  "+e.Name+":\n")
		want := e.Evidence() == "imitation" && e.Name != "redshift" // AWS gives out no image
		if job != want {
			t.Errorf("%s: a job of its own: %v, want %v", e.Name, job, want)
		}
		if job && (!strings.Contains(string(page), e.Live+": ") || !strings.Contains(string(page), "./rotators/"+e.Name+"/...")) {
			t.Errorf("%s: its job does not run its tests on its container", e.Name)
		}
	}
}

func TestNoFunctionLinksTheTable(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", root+"functions/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "rotor/internal/") || strings.Contains(line, "rotor/scripts/") {
			t.Errorf("a function links %s", line)
		}
	}
}
