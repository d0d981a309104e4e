package install

import (
	"regexp"
	"strings"
)

// A product is what all versions of a server have in common.
type product struct {
	title   string         // for people
	program string         // the main one
	asks    []string       // its options to say its version
	says    *regexp.Regexp // the version in what it says; it tells MySQL and MariaDB apart
	beside  string         // another program that a usable installation has in the same folder, or ""
	system  []string       // patterns of paths where systems keep the main program; PATH is looked at too
}

var products = map[string]product{
	"postgres": {
		title:   "PostgreSQL",
		program: "postgres",
		asks:    []string{"--version"},
		says:    regexp.MustCompile(`\(PostgreSQL\) (\d+\.\d+)`),
		beside:  "initdb", // else it is a client's folder
		system: []string{
			"/usr/lib/postgresql/*/bin/postgres",
			"/usr/pgsql-*/bin/postgres",
			"/opt/homebrew/opt/postgresql@*/bin/postgres",
			"/usr/local/opt/postgresql@*/bin/postgres",
		},
	},
	"mysql": {
		title:   "MySQL",
		program: "mysqld",
		asks:    []string{"--no-defaults", "--version"},
		says:    regexp.MustCompile(`Ver (\d+\.\d+\.\d+)(?:-\d\S*)? for`), // MariaDB has "-MariaDB" there
		system: []string{
			"/usr/sbin/mysqld",
			"/usr/libexec/mysqld",
			"/opt/homebrew/opt/mysql*/bin/mysqld",
			"/usr/local/opt/mysql*/bin/mysqld",
			"/usr/local/mysql*/bin/mysqld",
		},
	},
	"mariadb": {
		title:   "MariaDB",
		program: "mariadbd",
		asks:    []string{"--no-defaults", "--version"},
		says:    regexp.MustCompile(`Ver (\d+\.\d+\.\d+)-MariaDB`),
		system: []string{
			"/usr/sbin/mariadbd",
			"/usr/libexec/mariadbd",
			"/opt/homebrew/opt/mariadb*/bin/mariadbd",
			"/usr/local/opt/mariadb*/bin/mariadbd",
		},
	},
	"mongodb": {
		title:   "MongoDB",
		program: "mongod",
		asks:    []string{"--version"},
		says:    regexp.MustCompile(`db version v(\d+\.\d+\.\d+)`),
		system: []string{
			"/usr/bin/mongod",
			"/opt/homebrew/opt/mongodb-community*/bin/mongod",
			"/usr/local/opt/mongodb-community*/bin/mongod",
		},
	},
	"redis": {
		title:   "Redis",
		program: "redis-server",
		asks:    []string{"--version"},
		says:    regexp.MustCompile(`Redis server v=(\d+\.\d+\.\d+)`),
		system: []string{
			"/usr/bin/redis-server",
			"/usr/local/bin/redis-server",
			"/opt/homebrew/opt/redis*/bin/redis-server",
			"/usr/local/opt/redis*/bin/redis-server",
		},
	},
	"valkey": {
		title:   "Valkey",
		program: "valkey-server",
		asks:    []string{"--version"},
		says:    regexp.MustCompile(`(?:Valkey|Redis) server v=(\d+\.\d+\.\d+)`),
		system: []string{
			"/usr/bin/valkey-server",
			"/usr/local/bin/valkey-server",
			"/opt/homebrew/opt/valkey*/bin/valkey-server",
			"/usr/local/opt/valkey*/bin/valkey-server",
		},
	},
	"pgbouncer": {
		title:   "PgBouncer",
		program: "pgbouncer",
		asks:    []string{"--version"},
		says:    regexp.MustCompile(`PgBouncer (\d+\.\d+\.\d+)`),
		system: []string{
			"/usr/sbin/pgbouncer",
			"/usr/bin/pgbouncer",
			"/opt/homebrew/opt/pgbouncer/bin/pgbouncer",
			"/usr/local/opt/pgbouncer/bin/pgbouncer",
		},
	},
}

// productOf and seriesOf are the two halves of a server's name: "mysql" and "8.0".
func productOf(name string) string { p, _, _ := strings.Cut(name, "-"); return p }
func seriesOf(name string) string  { _, s, _ := strings.Cut(name, "-"); return s }

// isOf reports whether a version belongs to a series: 15.18 to 15, 8.0.33 to 8.0.
func isOf(version, series string) bool {
	return series != "" && (version == series || strings.HasPrefix(version, series+"."))
}
