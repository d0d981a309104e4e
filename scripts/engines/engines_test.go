package engines

import (
	"fmt"
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
			if e.IsDir() && e.Name() != "internal" && e.Name() != "watcher" { // which is no engine's
				found = append(found, e.Name())
			}
		}
		want := Names()
		slices.Sort(want)
		if !slices.Equal(found, want) {
			t.Errorf("%s has %v, the table in engines.go %v: each folder is a row, and each row a folder", folder, found, want)
		}
	}
}

// A row has all that tools and tests take from it, and the folders that it names have what each engine's have.
func TestEveryRowIsWhole(t *testing.T) {
	for _, e := range All() {
		says := func(ok bool, format string, args ...any) {
			if !ok {
				t.Errorf("%s: %s", e.Name, fmt.Sprintf(format, args...))
			}
		}
		test := "rotators/" + e.Name + "/" + e.Name + "test"
		says(e.Client != "", "its row in engines.go has no Client: name the module of the database's client library")
		says(strings.HasPrefix(e.Live, "ROTOR_TEST_"), "its row has no Live: name the variable that %s reads, ROTOR_TEST_%s", test, strings.ToUpper(e.Name))
		says(strings.Contains(e.Try, e.Live+"="), "its row has no Try: say in live.go how to get a server, and to run its tests there with %s", e.Live)
		says(len(e.Products) > 0, "its row has no Products")
		for _, name := range []string{test, "functions/" + e.Name + "/events"} {
			_, err := os.Stat(root + name)
			says(err == nil, "there is no %s: see that of postgres", name)
		}
		for _, p := range e.Products {
			says(p.Name != "" && p.Title != "", "a product in its row lacks a Name or a Title")
			says(p.Install != "" || p.Imitated, "%s has neither Install nor Imitated: what do its tests run on?", p.Name)
			says(p.Install == "" || len(p.Real()) > 0, "internal/install/table.go has no server whose name begins with %q", p.Install+"-")
			says(p.Install == "" || p.Example != nil, "%s has real servers and no Example: the demo and the benchmarks need one", p.Name)
		}
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
		image := strings.Contains(e.Try, "docker run ")
		if want := e.Evidence() == "imitation" && image; job != want {
			t.Errorf("%s has a job of its own in .github/workflows/ci.yml: %v, want %v. An engine has one if its tests run on imitations alone and live.go knows an image; see that of sqlserver", e.Name, job, want)
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
		_, internal, ok := strings.Cut(strings.TrimSpace(line), "rotor/internal/")
		if ok && !slices.Contains([]string{"emf", "fleet", "watcher"}, internal) || strings.Contains(line, "rotor/scripts/") {
			t.Errorf("a function links %s", line)
		}
	}
}
