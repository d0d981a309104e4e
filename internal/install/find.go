package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Find finds a server on this machine by its name: in the cache first, then where Debian, Red Hat and Homebrew keep
// theirs, and on PATH. Any minor version of the series counts. The name need not be in the table: "postgres-14" is found
// where there is one. What is found has said its version: it runs here.
func Find(name string) (Server, bool) {
	p, ok := products[productOf(name)]
	if !ok {
		return Server{}, false
	}
	for _, folder := range caches() {
		if s, err := inspect(name, filepath.Join(folder, name)); err == nil {
			return s, true
		}
	}
	for _, binary := range p.candidates() {
		s := Server{Name: name, Product: productOf(name), Dir: filepath.Dir(filepath.Dir(binary)), System: true}
		if err := s.examine(binary); err == nil {
			return s, true
		}
	}
	return Server{}, false
}

// caches are the folders to look in, where [Fetch] puts servers or somebody else has put them. Root looks at no cache of
// its own below its home, which no other user may enter, and servers refuse to run as root.
func caches() []string {
	if os.Getenv("ROTOR_SERVERS") != "" || os.Geteuid() == 0 {
		return []string{Cache()}
	}
	return []string{Cache(), shared}
}

// shared is the cache that root fills for every user.
const shared = "/var/cache/rotor/servers"

// Cache is the folder where [Fetch] puts servers.
func Cache() string {
	if folder := os.Getenv("ROTOR_SERVERS"); folder != "" {
		if absolute, err := filepath.Abs(folder); err == nil {
			return absolute
		}
		return folder
	}
	if folder, err := os.UserCacheDir(); err == nil && os.Geteuid() != 0 {
		return filepath.Join(folder, "rotor", "servers")
	}
	return shared
}

// candidates are the main program's paths on this system.
func (p product) candidates() []string {
	var paths []string
	for _, pattern := range p.system {
		matches, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		paths = append(paths, matches...)
	}
	program := p.program
	if p.beside != "" {
		program = p.beside // what Debian's PATH has of PostgreSQL is a wrapper that has no such neighbour
	}
	if path, err := exec.LookPath(program); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			paths = append(paths, filepath.Join(filepath.Dir(real), p.program))
		}
	}
	return paths
}

// inspect takes an unpacked folder for a server. It is an error if the server does not run, or is of another series than
// the name says.
func inspect(name, dir string) (Server, error) {
	s := Server{Name: name, Product: productOf(name), Dir: dir}
	for _, folder := range []string{"bin", "usr/sbin", "usr/bin"} {
		binary := filepath.Join(dir, folder, products[s.Product].program)
		if _, err := os.Stat(binary); err == nil {
			s.loader = loaderIn(dir)
			return s, s.examine(binary)
		}
	}
	return s, fmt.Errorf("no %s in %s: %w", products[s.Product].program, dir, os.ErrNotExist)
}

// loaderIn is how to run programs with the libraries of a folder that has Debian's packages in it: by their own dynamic
// loader, so that the machine's libraries, older or newer, do not matter. Other folders need none.
func loaderIn(dir string) []string {
	loader := first(dir, "lib64/ld-linux*.so.*", "usr/lib64/ld-linux*.so.*", "lib/ld-linux*.so.*", "usr/lib/ld-linux*.so.*")
	if loader == "" {
		return nil
	}
	var libraries []string
	for _, pattern := range []string{"lib/private", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu*"} {
		matches, _ := filepath.Glob(filepath.Join(dir, pattern))
		libraries = append(libraries, matches...)
	}
	return []string{loader, "--library-path", strings.Join(libraries, ":")}
}

// examine fills in what a server says and where its files are, from the path of its main program.
func (s *Server) examine(binary string) error {
	p := products[s.Product]
	s.Bin = filepath.Dir(binary)
	if p.beside != "" && s.program(p.beside) == "" {
		return fmt.Errorf("no %s beside %s: %w", p.beside, binary, os.ErrNotExist)
	}
	var err error
	if s.Version, err = p.version(append(s.loader[:len(s.loader):len(s.loader)], binary)); err != nil {
		return err
	}
	if !isOf(s.Version, seriesOf(s.Name)) {
		return fmt.Errorf("%s is version %s, not %s", binary, s.Version, s.Name)
	}
	prefix := filepath.Dir(s.Bin)
	switch s.Product {
	case "mysql":
		s.Share = folderOf(prefix, "charsets/Index.xml", "share/mysql", "share")
		s.Plugins = folderOf(prefix, "component_validate_password.so", "lib/mysql/plugin", "lib64/mysql/plugin", "lib/plugin")
	case "mariadb":
		s.Share = folderOf(prefix, "charsets/Index.xml", "share/mysql", "share/mariadb", "share")
		s.Scripts = folderOf(prefix, "m*_system_tables.sql", "share/mysql", "share/mariadb", "share")
		s.Plugins = folderOf(prefix, "auth_ed25519.so", "lib/mysql/plugin", "lib64/mariadb/plugin", "lib64/mysql/plugin", "lib/plugin")
	}
	return nil
}

// folderOf is the first of some folders below a prefix that has a file, "" if none has.
func folderOf(prefix, file string, folders ...string) string {
	for _, folder := range folders {
		if first(filepath.Join(prefix, folder), file) != "" {
			return filepath.Join(prefix, folder)
		}
	}
	return ""
}

// first is the first file in a folder that some patterns match, "" if there is none.
func first(dir string, patterns ...string) string {
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, match := range matches {
			if _, err := os.Stat(match); err == nil { // not so for a link to nowhere
				return match
			}
		}
	}
	return ""
}

// version asks a program for its version.
func (p product) version(argv []string) (string, error) {
	if _, err := os.Stat(argv[len(argv)-1]); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:len(argv):len(argv)], p.asks...)...)
	cmd.Dir = "/"
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w%s", argv[len(argv)-1], err, lastWords(err))
	}
	match := p.says.FindSubmatch(out)
	if match == nil {
		return "", fmt.Errorf("asking %s for its version: it says %q", argv[len(argv)-1], out)
	}
	return string(match[1]), nil
}

// lastWords are the last line of what a program that failed said on standard error.
func lastWords(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + last
	}
	return ""
}
