package postgrestest

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// An Installation is a real PostgreSQL found on this machine.
type Installation struct {
	Major   int
	Version string // "18.4"
	Bin     string // the folder of initdb and postgres
}

// Installations finds the real PostgreSQL servers on this machine, one for each major version, the newest last.
// It looks where scripts/servers.sh puts them, where Debian, Red Hat and Homebrew do, and on PATH; earlier finds win.
func Installations() []Installation {
	var found []Installation
	for _, bin := range candidates() {
		version, err := serverVersion(bin)
		if err != nil {
			continue // no server here: the folder holds something else, or a client only
		}
		known := slices.ContainsFunc(found, func(i Installation) bool { return i.Major == major(version) })
		if !known {
			found = append(found, Installation{Major: major(version), Version: version, Bin: bin})
		}
	}
	slices.SortFunc(found, func(a, b Installation) int { return cmp.Compare(a.Major, b.Major) })
	return found
}

// candidates are the folders that may hold a server.
func candidates() []string {
	var folders []string
	patterns := append(cachePatterns(),
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
	)
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		folders = append(folders, matches...)
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			folders = append(folders, filepath.Dir(real))
		}
	}
	return folders
}

// cachePatterns agrees with scripts/servers.sh. Root's own cache is left out: see [demote].
func cachePatterns() []string {
	if folder := os.Getenv("ROTOR_SERVERS"); folder != "" {
		return []string{filepath.Join(folder, "postgres-*", "bin")}
	}
	var patterns []string
	if folder, err := os.UserCacheDir(); err == nil && os.Geteuid() != 0 {
		patterns = append(patterns, filepath.Join(folder, "rotor", "servers", "postgres-*", "bin"))
	}
	return append(patterns, "/var/cache/rotor/servers/postgres-*/bin")
}

// serverVersion asks the binary. A folder without initdb is no installation.
func serverVersion(bin string) (string, error) {
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return "", err
	}
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking for the version: %w", err)
	}
	match := versionLine.FindSubmatch(out)
	if match == nil {
		return "", fmt.Errorf("unexpected version line %q", out)
	}
	return string(match[1]), nil
}

// versionLine is what postgres --version prints, such as "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+\S*)`)

// major is the number that a version starts with.
func major(version string) int {
	digits := regexp.MustCompile(`^\d+`).FindString(version)
	n, _ := strconv.Atoi(digits) // no digits: 0, which no server is
	return n
}
