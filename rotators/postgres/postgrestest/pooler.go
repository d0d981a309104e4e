package postgrestest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Known user is one whose password a pooler keeps.
type Known struct{ User, Password string }

// Pooler starts a PgBouncer before a server that was started here, for one test: what it returns is the same server by
// the pooler's port, with a certificate of its own. Mode is pool_mode: session, or transaction. It asks the server for
// the verifiers of whoever logs in, or keeps passwords of its own, which are known. Without a PgBouncer the test ends: see [servertest.Absent].
func Pooler(t testing.TB, s *Server, mode string, known ...Known) *Server {
	t.Helper()
	pooler, ok := servertest.Newest(servertest.Installed("pgbouncer", func(i install.Server) (*Server, error) { return startPooler(i, s, mode, known) }))
	if !ok {
		servertest.Absent(t, "PgBouncer")
	}
	p, err := pooler.Start()
	return servertest.ForTest(t, p, err)
}

func startPooler(i install.Server, s *Server, mode string, known []Known) (*Server, error) {
	ca, files, err := servertest.Certificate(0)
	if err != nil {
		return nil, err
	}
	files["users.txt"] = fmt.Sprintf("\"%s\" \"%s\"\n", s.AdminUser, s.AdminPassword)
	query := `auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename=\$1`
	for _, k := range known {
		files["users.txt"] += fmt.Sprintf("\"%s\" \"%s\"\n", k.User, k.Password)
		query = ""
	}
	files["server_ca.pem"] = string(s.CA)
	argv, env := i.Command("pgbouncer")
	run, err := servertest.Program{
		Name: "pgbouncer", Files: files, Env: env, Signal: "KILL",
		// The port is known only now, and the file has it.
		Prepare: "true",
		Command: func(folder string, port int) []string {
			script := `cat >pgbouncer.ini <<END` + "\n" + poolerSettings(s, mode, folder, query, port) + "END\n" + `exec "$@" pgbouncer.ini`
			return append([]string{"sh", "-c", script, "sh"}, argv...)
		},
		Ready: func(output string) bool { return strings.Contains(output, "process up") },
		Taken: func(output string) bool { return strings.Contains(output, "Address already in use") },
	}.Start()
	if err != nil {
		return nil, err
	}
	return &Server{
		Server: servertest.Server{
			Title: fmt.Sprintf("PgBouncer %s in %s mode before %s", i.Version, mode, s.Title), Version: s.Version, Real: true, Ours: true,
			Host: servertest.Host, Port: run.Port, CA: ca.PEM(), AdminUser: s.AdminUser, AdminPassword: s.AdminPassword,
			Journal: s.Journal, CountLogins: s.CountLogins, Halt: run.Stop,
		},
		Database: s.Database, Major: s.Major,
	}, nil
}

// poolerSettings is PgBouncer's configuration file.
func poolerSettings(s *Server, mode, folder, query string, port int) string {
	return fmt.Sprintf(`[databases]
* = host=%s port=%d
[pgbouncer]
listen_addr = %s
listen_port = %d
unix_socket_dir =
pool_mode = %s
auth_type = scram-sha-256
auth_file = %s/users.txt
auth_user = %s
%[8]s
client_tls_sslmode = require
client_tls_cert_file = %[6]s/server.crt
client_tls_key_file = %[6]s/server.key
server_tls_sslmode = verify-full
server_tls_ca_file = %[6]s/server_ca.pem
max_client_conn = 40
`, s.Host, s.Port, servertest.Host, port, mode, folder, s.AdminUser, query)
}
