package postgrestest

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/framework/local/localserver"
	"github.com/seed492efc12/rotor/framework/local/localtls"
)

//go:embed supervise.sh
var supervise string

// Two patiences: a server starts in half a second and stops in a tenth, on an idle machine.
const (
	startPatience = time.Minute
	stopPatience  = 30 * time.Second
)

// attempts is how often a server is started on another port, when something else took the port meanwhile.
const attempts = 3

// Start makes a new database cluster and runs a server on it, on a free loopback port. It returns when the server
// accepts connections. The server's files are in a temporary folder, which ends with the server.
func (i Installation) Start(config Config) (*Server, error) {
	ca, err := localtls.New()
	if err != nil {
		return nil, err
	}
	blank := func(folder, password string) error { return localserver.Write(folder, "password", password) }
	return i.start(config, ca, rand.Text(), blank)
}

// A preparation puts what a server starts from into its folder: the first superuser's password, or finished data.
type preparation func(folder, password string) error

// start runs a server on the data that prepare puts into a folder.
func (i Installation) start(config Config, ca *localtls.CA, password string, prepare preparation) (*Server, error) {
	for attempt := 1; ; attempt++ {
		run, err := i.launch(config, ca, password, prepare)
		if err == nil {
			return run.server(i, config, ca, password), nil
		}
		if attempt == attempts || !errors.Is(err, errPortTaken) {
			return nil, fmt.Errorf("starting PostgreSQL %s: %w", i.Version, err)
		}
	}
}

// errPortTaken is the one failure that another port mends.
var errPortTaken = errors.New("the port is taken")

// A running is a real server's process and its log.
type running struct {
	folder string
	port   int
	leash  io.Closer // closing it ends the server: see supervise.sh
	log    *localserver.Log
	ended  chan struct{}
}

// launch starts the process and waits until it accepts connections.
func (i Installation) launch(config Config, ca *localtls.CA, password string, prepare preparation) (*running, error) {
	folder, err := newFolder(config, ca)
	if err != nil {
		return nil, err
	}
	if err := prepare(folder, password); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	r, err := i.spawn(folder, config)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := r.awaitReady(); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

// newFolder makes the folder that a server lives in, with everything but its data.
func newFolder(config Config, ca *localtls.CA) (folder string, err error) {
	if folder, err = os.MkdirTemp("", "rotor-postgres-"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	certificate, err := ca.Faulty(config.Certificate, Host, "localhost")
	if err != nil {
		return "", err
	}
	return folder, errors.Join(
		localserver.GiveAway(folder),
		localserver.Write(folder, "server.crt", string(certificate.CertPEM)),
		localserver.Write(folder, "server.key", string(certificate.KeyPEM)),
		localserver.Write(folder, "pg_hba.conf", hba(config)),
	)
}

// hba is the content of pg_hba.conf: passwords only, and TLS as configured.
func hba(config Config) string {
	kind := map[TLSMode]string{TLSRequired: "hostssl", TLSOptional: "host", TLSOff: "hostnossl"}[config.TLS]
	lines := append(config.HBA[:len(config.HBA):len(config.HBA)], kind+" all all "+Host+"/32 "+config.encryption())
	return strings.Join(lines, "\n") + "\n"
}

// spawn runs supervise.sh, which holds the server.
func (i Installation) spawn(folder string, config Config) (*running, error) {
	port, err := localserver.FreePort()
	if err != nil {
		return nil, err
	}
	log, err := localserver.NewLog(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	arguments := []string{"-c", supervise, "supervise.sh", folder, i.Bin, config.encryption()}
	cmd := exec.Command("sh", append(arguments, serverArguments(folder, port, config)...)...)
	cmd.Dir = folder
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + folder}
	cmd.Stdout, cmd.Stderr = log.File(), log.File()
	if err := localserver.Demote(cmd); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	r := &running{folder: folder, port: port, leash: leash, log: log, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		cmd.Wait() // how it ended is in the log
	}()
	return r, nil
}

// serverArguments are postgres's command line: small, forgetful, talkative, and closed to all but verified TCP.
func serverArguments(folder string, port int, config Config) []string {
	settings := map[string]string{
		"listen_addresses":        Host,
		"port":                    fmt.Sprint(port),
		"unix_socket_directories": "",
		"hba_file":                filepath.Join(folder, "pg_hba.conf"),
		"ssl":                     "on",
		"ssl_cert_file":           filepath.Join(folder, "server.crt"),
		"ssl_key_file":            filepath.Join(folder, "server.key"),
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
	if config.TLS == TLSOff {
		settings["ssl"] = "off"
	}
	maps.Copy(settings, config.Settings)
	var arguments []string
	for _, name := range sortedKeys(settings) {
		arguments = append(arguments, "-c", name+"="+settings[name])
	}
	return arguments
}

// awaitReady returns when the server's log says that it accepts connections: asking by a login would count as one,
// and would fail where the certificate is meant to be bad.
func (r *running) awaitReady() error {
	deadline := time.Now().Add(startPatience)
	for time.Now().Before(deadline) {
		select {
		case <-r.ended:
			text := r.log.Since(0)
			if strings.Contains(text, "could not bind") {
				return fmt.Errorf("%w:\n%s", errPortTaken, text)
			}
			return fmt.Errorf("the server ended:\n%s", text)
		case <-time.After(5 * time.Millisecond):
		}
		if readyLine.MatchString(r.log.Since(0)) {
			return nil
		}
	}
	return fmt.Errorf("the server was not ready after %v:\n%s", startPatience, r.log.Since(0))
}

// stop ends the server and waits until its files are gone. What it logged stays readable. The supervisor, who may be
// another user, empties the folder, but cannot remove it where the temporary folder is not open to all.
func (r *running) stop() error {
	err := r.leash.Close()
	select {
	case <-r.ended:
	case <-time.After(stopPatience):
		return fmt.Errorf("PostgreSQL on port %d did not stop within %v", r.port, stopPatience)
	}
	return errors.Join(err, os.RemoveAll(r.folder), r.log.Close())
}
