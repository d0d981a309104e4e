package postgrestest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
)

// superuser is the role that a new cluster has.
const superuser = "postgres"

// An installation is a real server's files, with how to start it.
type installation struct{ install.Server }

// start makes a new database cluster and runs a server on it, on a free loopback port. It returns when the server
// accepts connections. The server's files are in a temporary folder, which ends with the server.
func start(files install.Server, config Config) (*Server, error) {
	i := installation{files}
	ca, err := localtls.New()
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	p := servertest.Program{
		Files:   map[string]string{"password": password},
		Prepare: i.command("initdb", "-D", "data", "-U", superuser, "--pwfile=password", "--auth="+config.encryption(), "--encoding=UTF8", "--no-locale", "--wal-segsize=1", "--no-sync") + " >/dev/null && rm password",
	}
	return i.run(p, config, ca, password)
}

// run runs a server on the data that the program makes.
func (i installation) run(p servertest.Program, config Config, ca *localtls.CA, password string) (*Server, error) {
	files, err := servertest.CertificateOf(ca, config.Certificate)
	if err != nil {
		return nil, err
	}
	files["pg_hba.conf"] = hba(config)
	maps.Copy(files, p.Files)
	p.Name, p.Files, p.Signal = "postgres", files, "QUIT" // QUIT is PostgreSQL's immediate shutdown
	argv, env := i.Command("postgres")
	p.Env = env
	p.Command = func(folder string, port int) []string {
		return slices.Concat(argv, []string{"-D", "data"}, arguments(folder, port, config))
	}
	p.Ready = readyLine.MatchString
	p.Taken = func(output string) bool { return strings.Contains(output, "could not bind") }
	run, err := p.Start()
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL %s: %w", i.Version, err)
	}
	return i.server(run, config, ca, password), nil
}

// command is a program of the server's as a shell reads it.
func (i installation) command(program string, arguments ...string) string {
	argv, _ := i.Command(program)
	return "'" + strings.Join(append(argv, arguments...), "' '") + "'"
}

// server describes a running server.
func (i installation) server(run *servertest.Process, config Config, ca *localtls.CA, password string) *Server {
	s := &Server{
		Server: servertest.Server{
			Title: "PostgreSQL " + i.Version, Version: i.Version, Real: true, Ours: true,
			Host: servertest.Host, Port: run.Port, CA: ca.PEM(), TLS: config.TLS, AdminUser: superuser, AdminPassword: password,
			Journal: run.Log, CountLogins: countLogins, Halt: run.Stop,
		},
		Database: "postgres", Major: major(i.Version),
	}
	s.standby = func() (*Server, error) { return i.startStandby(s, run.Folder, config, ca) }
	s.Begin()
	return s
}

// hba is the content of pg_hba.conf: passwords only, and TLS as configured.
func hba(config Config) string {
	kind := map[servertest.TLS]string{servertest.TLSRequired: "hostssl", servertest.TLSOptional: "host", servertest.TLSOff: "hostnossl"}[config.TLS]
	lines := append(slices.Clone(config.HBA), kind+" all all "+servertest.Host+"/32 "+config.encryption())
	return strings.Join(lines, "\n") + "\n"
}

// arguments are postgres's command line: small, forgetful, talkative, and closed to all but verified TCP.
func arguments(folder string, port int, config Config) []string {
	settings := map[string]string{
		"listen_addresses":        servertest.Host,
		"port":                    fmt.Sprint(port),
		"unix_socket_directories": "",
		"hba_file":                filepath.Join(folder, "pg_hba.conf"),
		"ssl":                     "on",
		"ssl_cert_file":           filepath.Join(folder, servertest.CertFile),
		"ssl_key_file":            filepath.Join(folder, servertest.KeyFile),
		"password_encryption":     config.encryption(),

		"log_statement":          "all",
		"log_connections":        "on",
		"log_disconnections":     "on",
		"log_destination":        "stderr",
		"log_line_prefix":        logPrefix,
		"log_timezone":           "UTC",
		"timezone":               "UTC",
		"fsync":                  "off",
		"synchronous_commit":     "off",
		"shared_buffers":         "16MB",
		"max_connections":        "40",
		"max_wal_senders":        "2",
		"autovacuum":             "off",
		"jit":                    "off",
		"max_wal_size":           "64MB",
		"min_wal_size":           "8MB",
		"authentication_timeout": "20s",
	}
	if config.TLS == servertest.TLSOff {
		settings["ssl"] = "off"
	}
	maps.Copy(settings, config.Settings)
	var line []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		line = append(line, "-c", name+"="+settings[name])
	}
	return line
}
