package mysqltest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// An Installation is a MariaDB server found on this machine.
type Installation struct {
	Version string // "10.11.19"
	Server  string // the binary mariadbd
	Scripts string // the folder with mysql_system_tables.sql
	Plugins string // the folder of loadable plug-ins, or ""
}

// Find finds MariaDB where Debian, Red Hat and Homebrew put it, and on PATH.
func Find() (Installation, bool) {
	for _, binary := range candidates() {
		version, err := serverVersion(binary)
		if err != nil {
			continue // there is none, or it is MySQL
		}
		prefix := filepath.Dir(filepath.Dir(binary))
		scripts, ok := firstWith("mysql_system_tables.sql",
			"/usr/share/mysql", "/usr/share/mariadb", filepath.Join(prefix, "share/mysql"), filepath.Join(prefix, "share/mariadb"))
		if !ok {
			continue
		}
		plugins, _ := firstWith("auth_ed25519.so", append(cacheFolders(),
			"/usr/lib/mysql/plugin", "/usr/lib64/mariadb/plugin", filepath.Join(prefix, "lib/plugin"))...)
		return Installation{Version: version, Server: binary, Scripts: scripts, Plugins: plugins}, true
	}
	return Installation{}, false
}

func candidates() []string {
	paths := []string{"/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/opt/homebrew/opt/mariadb/bin/mariadbd", "/usr/local/opt/mariadb/bin/mariadbd"}
	if path, err := exec.LookPath("mariadbd"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			paths = append(paths, real)
		}
	}
	return paths
}

// cacheFolders agrees with scripts/servers.sh. Root's own cache is left out: see [demote].
func cacheFolders() []string {
	if folder := os.Getenv("ROTOR_SERVERS"); folder != "" {
		return []string{filepath.Join(folder, "mariadb-plugins")}
	}
	var folders []string
	if folder, err := os.UserCacheDir(); err == nil && os.Geteuid() != 0 {
		folders = append(folders, filepath.Join(folder, "rotor", "servers", "mariadb-plugins"))
	}
	return append(folders, "/var/cache/rotor/servers/mariadb-plugins")
}

// firstWith is the first of some folders that has a file.
func firstWith(file string, folders ...string) (string, bool) {
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, file)); err == nil {
			return folder, true
		}
	}
	return "", false
}

// serverVersion asks the binary.
func serverVersion(binary string) (string, error) {
	if _, err := os.Stat(binary); err != nil {
		return "", err
	}
	out, err := exec.Command(binary, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking for the version: %w", err)
	}
	match := versionLine.FindSubmatch(out)
	if match == nil {
		return "", fmt.Errorf("unexpected version line %q", out)
	}
	return string(match[1]), nil
}

// versionLine is what mariadbd --version prints, such as "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for ...".
var versionLine = regexp.MustCompile(`Ver (\d+\.\d+\.\d+)-MariaDB`)
