// Command sbom writes dist/<function>.cdx.json for built functions: a CycloneDX
// bill of the modules that each bootstrap links, read out of the bootstrap by
// cyclonedx-gomod. It fails if one names other modules than
// docs/dependencies.txt does. The same bootstrap gives the same bytes.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	tool := flag.String("tool", "cyclonedx-gomod", "the `command` to run")
	dist := flag.String("dist", "dist", "the folder of the built functions")
	arch := flag.String("goarch", "arm64", "the GOARCH that they were built for")
	version := flag.String("version", "", "the release's, if it is one")
	flag.Parse()
	listed, err := os.ReadFile("docs/dependencies.txt")
	if err != nil {
		log.Fatal(err)
	}
	for _, function := range flag.Args() {
		bill, err := read(*tool, *arch, *version, filepath.Join(*dist, function, "bootstrap"))
		if err == nil {
			err = compare(bill, modules(string(listed), function))
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(*dist, function+".cdx.json"), bill, 0o644)
		}
		if err != nil {
			log.Fatalf("sbom of %s: %v", function, err)
		}
	}
}

// read makes a bootstrap's bill, without a time and a serial number.
func read(tool, arch, version, bootstrap string) ([]byte, error) {
	cmd := exec.Command(tool, "bin", "-json", "-std", "-noserial", "-notimestamp", "-version", version, bootstrap)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch) // of the package URLs
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running %s: %w\n%s", tool, err, errs.Bytes())
	}
	return withoutTool(out.Bytes())
}

// withoutTool takes the sums of the tool's own executable away, which differ from
// machine to machine. Its name and version stay.
func withoutTool(bill []byte) ([]byte, error) {
	var document, metadata map[string]json.RawMessage
	if err := json.Unmarshal(bill, &document); err != nil {
		return nil, fmt.Errorf("reading the bill: %w", err)
	}
	if err := json.Unmarshal(document["metadata"], &metadata); err != nil {
		return nil, fmt.Errorf("reading the bill's metadata: %w", err)
	}
	var tools []struct {
		Vendor  string `json:"vendor"`
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	err := json.Unmarshal(metadata["tools"], &tools)
	if err == nil {
		metadata["tools"], err = json.Marshal(tools)
	}
	if err == nil {
		document["metadata"], err = json.Marshal(metadata)
	}
	if err != nil {
		return nil, fmt.Errorf("rewriting the bill's tools: %w", err)
	}
	clean, err := json.MarshalIndent(document, "", "  ")
	return append(clean, '\n'), err
}

// modules are those that docs/dependencies.txt lists below a function.
func modules(listed, function string) (lines []string) {
	of := ""
	for line := range strings.Lines(listed) {
		line = strings.TrimSuffix(line, "\n")
		if module, indented := strings.CutPrefix(line, "  "); !indented {
			of = line
		} else if of == function {
			lines = append(lines, module)
		}
	}
	return lines
}

// compare tells whether a bill names these modules, the standard library and
// nothing else.
func compare(bill []byte, want []string) error {
	var document struct {
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(bill, &document); err != nil {
		return fmt.Errorf("reading the bill's components: %w", err)
	}
	var got []string
	standard := false
	for _, c := range document.Components {
		if c.Name == "std" {
			standard = true
			continue
		}
		got = append(got, c.Name+" "+c.Version)
	}
	more, fewer := without(got, want), without(want, got)
	if len(more)+len(fewer) > 0 || !standard {
		return fmt.Errorf("the bill and docs/dependencies.txt differ (make dependencies?): only the bill has %q, it lacks %q; standard library: %t", more, fewer, standard)
	}
	return nil
}

// without is what is in a and not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(one string) bool { return slices.Contains(b, one) })
}
