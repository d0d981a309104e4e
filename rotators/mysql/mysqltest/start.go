package mysqltest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// admin is the administrator that a new server has, and its only account that can log in.
const admin = "admin"

// shared starts a server as most tests want it.
func shared(i install.Server) (*Server, error) { return start(i, Config{}) }

// start makes a new server with files of its own, on a free loopback port. It returns when the server accepts
// connections. The server's files are in a temporary folder, which ends with the server.
func start(i install.Server, config Config) (*Server, error) {
	ca, files, err := servertest.Certificate(config.Certificate)
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	files["init.sql"] = accounts(i.Product, password)
	argv, env := i.Command(program(i.Product))
	run, err := servertest.Program{
		Name: i.Product, Files: files, Prepare: prepare(i, argv), Seed: seed(i), Env: env, Signal: "KILL", LogFile: "general",
		Command: func(folder string, port int) []string {
			return slices.Concat(argv, arguments(i.Product, folder, port, config))
		},
		Ready: func(output string) bool { return strings.Contains(output, "ready for connections") },
		Taken: func(output string) bool { return strings.Contains(output, "Bind on TCP/IP port") },
	}.Start()
	if err != nil {
		return nil, err
	}
	s := &Server{Server: servertest.Server{
		Title: install.Title(i.Name), Version: i.Version, Real: true, Ours: true,
		Host: servertest.Host, Port: run.Port, TLS: config.TLS, AdminUser: admin, AdminPassword: password,
		Journal: run.Log, CountLogins: countLogins, Halt: run.Stop,
	}, product: i.Product, newest: servertest.IsNewest(i.Name)}
	if s.TLS != servertest.TLSOff {
		s.CA = ca.PEM()
	}
	s.Title = fmt.Sprintf("%s %s", titles[i.Product], i.Version)
	s.Begin()
	return s, nil
}

// titles are the products' names for people.
var titles = map[string]string{MySQL: "MySQL", MariaDB: "MariaDB"}

// program is the server's binary.
func program(product string) string {
	if product == MariaDB {
		return "mariadbd"
	}
	return "mysqld"
}

// accounts is the file that a new server executes, one statement a line: the administrator is the only account that
// can log in.
func accounts(product, password string) string {
	lines := []string{
		"CREATE USER " + admin + "@'%' IDENTIFIED BY '" + password + "'",
		"GRANT ALL ON *.* TO " + admin + "@'%' WITH GRANT OPTION",
	}
	if product == MariaDB {
		lines = append(lines, "INSERT INTO mysql.proxies_priv VALUES ('%', '"+admin+"', '', '', 1, '', NOW())", "FLUSH PRIVILEGES")
	} else {
		lines = append(lines, "GRANT PROXY ON ''@'' TO "+admin+"@'%' WITH GRANT OPTION", "DROP USER root@localhost")
	}
	return strings.Join(lines, ";\n") + ";\n"
}

// prepare makes the data. For MariaDB it is what mariadb-install-db does, without the help tables and without its
// accounts: some of them have no password.
func prepare(i install.Server, argv []string) string {
	server := quoted(argv...)
	if i.Product == MySQL {
		return server + ` --datadir="$PWD/data" --tmpdir="$PWD" --initialize-insecure --innodb-redo-log-capacity=8M --innodb-flush-log-at-trx-commit=0`
	}
	// Their names begin with mysql_ or mariadb_.
	scripts := quoted(i.Scripts) + "/m*_"
	return `mkdir data; { echo 'create database mysql;' && echo 'use mysql;' && cat ` + scripts + `system_tables.sql ` + scripts + `performance_tables.sql || echo 'no scripts;'; } | ` +
		server + ` --bootstrap --datadir="$PWD/data" --tmpdir="$PWD" --log-warnings=0 --innodb-log-file-size=4M --innodb-flush-log-at-trx-commit=0`
}

// seed keeps the data beside a server's own files: it has no account that could log in but root, who has no password and
// goes with init.sql.
func seed(i install.Server) string {
	if i.System {
		return ""
	}
	return i.Dir + "/initialized"
}

// quoted is for a shell. The paths have no quotes.
func quoted(words ...string) string { return "'" + strings.Join(words, "' '") + "'" }

// arguments are the server's command line: small, forgetful, talkative, and closed to all but TCP.
func arguments(product, folder string, port int, config Config) []string {
	settings := map[string]string{
		"datadir":                        folder + "/data",
		"init-file":                      folder + "/init.sql",
		"bind-address":                   servertest.Host,
		"port":                           fmt.Sprint(port),
		"socket":                         folder + "/data/s",
		"tmpdir":                         folder, // a server that starts removes what others keep in one that they share
		"pid-file":                       folder + "/pid",
		"skip-name-resolve":              "1",
		"character-set-server":           "utf8mb4",
		"general-log":                    "1",
		"general-log-file":               folder + "/general",
		"innodb-buffer-pool-size":        "8M",
		"innodb-flush-log-at-trx-commit": "0",
		"innodb-doublewrite":             "0",
		"key-buffer-size":                "1M",
		"performance-schema":             "0",
		"max-connections":                "60",
	}
	if product == MySQL {
		maps.Copy(settings, map[string]string{"mysqlx": "OFF", "secure-file-priv": "", "skip-log-bin": "", "innodb-redo-log-capacity": "8M"})
	} else {
		maps.Copy(settings, map[string]string{"innodb-log-file-size": "4M", "aria-pagecache-buffer-size": "8M"})
	}
	maps.Copy(settings, encryption(product, folder, config))
	maps.Copy(settings, config.Settings)
	var line []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		line = append(line, "--"+name+"="+settings[name])
	}
	return line
}

// encryption is how a server offers TLS, or offers none.
func encryption(product, folder string, config Config) map[string]string {
	switch {
	case config.TLS != servertest.TLSOff:
		return map[string]string{"ssl-cert": folder + "/" + servertest.CertFile, "ssl-key": folder + "/" + servertest.KeyFile}
	case product == MariaDB:
		return map[string]string{"ssl": "0"}
	}
	return map[string]string{"tls-version": ""}
}
