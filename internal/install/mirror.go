package install

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mirror is the address of Debian's archive that this machine's apt uses, "" if it uses none: ROTOR_DEBIAN, or what the
// apt sources below a root say (sources.list(5), both of its styles).
func mirror(root string) string {
	if m := os.Getenv("ROTOR_DEBIAN"); m != "" {
		return m
	}
	system := fields(filepath.Join(root, "etc/os-release"), "=")
	if len(system) == 0 || strings.Trim(system[0]["ID"], `"`) != "debian" {
		return "" // its mirror has another archive
	}
	release := strings.Trim(system[0]["VERSION_CODENAME"], `"`)
	var found []string
	for _, e := range aptSources(root) {
		own := slices.ContainsFunc(e.suites, func(s string) bool {
			return s == release || s == "stable" || s == "testing" || s == "sid" || s == "unstable"
		})
		if own && slices.Contains(e.components, "main") {
			found = append(found, e.uris...)
		}
	}
	// Others have suites of the same name. The archive's own folder is called debian on every mirror but a few.
	for _, uri := range found {
		if strings.HasSuffix(strings.TrimSuffix(uri, "/"), "/debian") {
			return uri
		}
	}
	return strings.Join(found[:min(1, len(found))], "")
}

// An aptSource is what matters of an entry in apt's sources.
type aptSource struct{ uris, suites, components []string }

// aptSources reads the entries for binary packages. Files that are not there have none.
func aptSources(root string) []aptSource {
	var all []aptSource
	lists, _ := filepath.Glob(filepath.Join(root, "etc/apt/sources.list.d/*.list"))
	for _, path := range append([]string{filepath.Join(root, "etc/apt/sources.list")}, lists...) {
		for _, line := range lines(path) {
			if e, ok := oneLine(line); ok {
				all = append(all, e)
			}
		}
	}
	stanzas, _ := filepath.Glob(filepath.Join(root, "etc/apt/sources.list.d/*.sources"))
	for _, path := range stanzas {
		for _, f := range fields(path, ":") {
			if slices.Contains(strings.Fields(f["Types"]), "deb") && f["Enabled"] != "no" && f["Enabled"] != "false" {
				all = append(all, aptSource{strings.Fields(f["URIs"]), strings.Fields(f["Suites"]), strings.Fields(f["Components"])})
			}
		}
	}
	return all
}

// oneLine reads "deb [ options ] uri suite component...".
func oneLine(line string) (aptSource, bool) {
	rest, ok := strings.CutPrefix(line, "deb ")
	if !ok {
		return aptSource{}, false
	}
	if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
		_, rest, _ = strings.Cut(rest, "]")
	}
	f := strings.Fields(rest)
	if len(f) < 3 {
		return aptSource{}, false
	}
	return aptSource{uris: f[:1], suites: f[1:2], components: f[2:]}, true
}

// fields reads paragraphs of "name: value" lines, where a line that starts with a space goes on with the value above.
func fields(path, separator string) []map[string]string {
	var all []map[string]string
	current, last := map[string]string{}, ""
	for _, line := range append(lines(path), "") {
		name, value, ok := strings.Cut(line, separator)
		switch {
		case strings.TrimSpace(line) == "":
			if len(current) > 0 {
				all = append(all, current)
			}
			current = map[string]string{}
		case line[0] == ' ' || line[0] == '\t':
			current[last] += " " + strings.TrimSpace(line)
		case ok:
			last = strings.TrimSpace(name)
			current[last] = strings.TrimSpace(value)
		}
	}
	return all
}

// lines are a file's lines without comments, none if it cannot be read.
func lines(path string) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	var all []string
	for s := bufio.NewScanner(file); s.Scan(); {
		if !strings.HasPrefix(strings.TrimSpace(s.Text()), "#") {
			all = append(all, strings.TrimRight(s.Text(), " \t\r"))
		}
	}
	return all
}
