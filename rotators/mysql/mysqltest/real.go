package mysqltest

import (
	"context"
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

// Two patiences: a server starts in a second and stops in a tenth, on an idle machine.
const (
	startPatience = time.Minute
	stopPatience  = 30 * time.Second
)

// attempts is how often a server is started on another port, when something else took the port meanwhile.
const attempts = 3

// admin is the administrator that a new server has, and its only account that can log in.
const admin = "admin"

// Start makes a new MariaDB server with files of its own, on a free loopback port. It returns when the server accepts
// connections. The server's files are in a temporary folder, which ends with the server.
func (i Installation) Start(config Config) (*Server, error) {
	ca, err := localtls.New()
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	for attempt := 1; ; attempt++ {
		run, err := i.launch(config, ca, password)
		if err == nil {
			return run.server(i, config, ca, password)
		}
		if attempt == attempts || !errors.Is(err, errPortTaken) {
			return nil, fmt.Errorf("starting MariaDB %s: %w", i.Version, err)
		}
	}
}

// errPortTaken is the one failure that another port mends.
var errPortTaken = errors.New("the port is taken")

// A running is a real server's process and its logs.
type running struct {
	folder  string
	port    int
	leash   io.Closer        // closing it ends the server: see supervise.sh
	output  *localserver.Log // what the process prints
	general *localserver.Log // statements and logins
	ended   chan struct{}
}

// server describes a running real server.
func (r *running) server(i Installation, config Config, ca *localtls.CA, password string) (*Server, error) {
	s := &Server{
		Host: Host, Port: r.port, AdminUser: admin, AdminPassword: password,
		Real: true, tls: !config.NoTLS, log: r.general, halt: r.stop,
	}
	if s.tls {
		s.CA = ca.PEM()
	}
	s.Version, s.origin = i.Version+"-MariaDB", fmt.Sprintf("MariaDB %s (real)", i.Version)
	s.started = s.Mark()
	if config.Certificate != localtls.NoFault {
		return s, nil // which cannot be asked
	}
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	if err := s.describe(ctx, "real"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.started = s.Mark()
	return s, nil
}

// launch starts the process and waits until it accepts connections.
func (i Installation) launch(config Config, ca *localtls.CA, password string) (*running, error) {
	folder, err := newFolder(config, ca, password)
	if err != nil {
		return nil, err
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
func newFolder(config Config, ca *localtls.CA, password string) (folder string, err error) {
	if folder, err = os.MkdirTemp("", "rotor-mariadb-"); err != nil {
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
		localserver.Write(folder, "init.sql", "CREATE USER "+admin+"@'%' IDENTIFIED BY '"+password+"';\n"+
			"GRANT ALL ON *.* TO "+admin+"@'%' WITH GRANT OPTION;\n"+
			"INSERT INTO mysql.proxies_priv VALUES ('%', '"+admin+"', '', '', 1, '', NOW());\nFLUSH PRIVILEGES;\n"),
	)
}

// spawn runs supervise.sh, which holds the server.
func (i Installation) spawn(folder string, config Config) (*running, error) {
	port, err := localserver.FreePort()
	if err != nil {
		return nil, err
	}
	r := &running{folder: folder, port: port, ended: make(chan struct{})}
	if r.output, err = localserver.NewLog(filepath.Join(folder, "output")); err != nil {
		return nil, err
	}
	if r.general, err = localserver.NewLog(filepath.Join(folder, "general")); err != nil {
		return nil, errors.Join(err, r.output.Close())
	}
	arguments := []string{"-c", supervise, "supervise.sh", folder, i.Server, i.Scripts}
	cmd := exec.Command("sh", append(arguments, i.serverArguments(folder, port, config)...)...)
	cmd.Dir = folder
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + folder}
	cmd.Stdout, cmd.Stderr = r.output.File(), r.output.File()
	err = localserver.Demote(cmd)
	if err == nil {
		r.leash, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, r.output.Close(), r.general.Close())
	}
	go func() {
		defer close(r.ended)
		_ = cmd.Wait() // how it ended is in the log
	}()
	return r, nil
}

// serverArguments are mariadbd's command line: small, forgetful, talkative, and closed to all but TCP.
func (i Installation) serverArguments(folder string, port int, config Config) []string {
	settings := map[string]string{
		"bind-address":                   Host,
		"port":                           fmt.Sprint(port),
		"socket":                         filepath.Join(folder, "data", "s"),
		"pid-file":                       filepath.Join(folder, "pid"),
		"skip-name-resolve":              "1",
		"ssl-cert":                       filepath.Join(folder, "server.crt"),
		"ssl-key":                        filepath.Join(folder, "server.key"),
		"character-set-server":           "utf8mb4",
		"general-log":                    "1",
		"general-log-file":               filepath.Join(folder, "general"),
		"innodb-buffer-pool-size":        "8M",
		"innodb-log-file-size":           "4M",
		"innodb-flush-log-at-trx-commit": "0",
		"innodb-doublewrite":             "0",
		"aria-pagecache-buffer-size":     "8M",
		"key-buffer-size":                "1M",
		"performance-schema":             "0",
		"max-connections":                "60",
	}
	if i.Plugins != "" {
		settings["plugin-dir"] = i.Plugins
	}
	if config.NoTLS {
		delete(settings, "ssl-cert")
		delete(settings, "ssl-key")
		settings["ssl"] = "0"
	}
	maps.Copy(settings, config.Settings)
	var arguments []string
	for _, name := range sortedKeys(settings) {
		arguments = append(arguments, "--"+name+"="+settings[name])
	}
	return arguments
}

// awaitReady returns when the server says that it accepts connections: asking by a login would count as one, and would
// fail where the certificate is meant to be bad.
func (r *running) awaitReady() error {
	deadline := time.Now().Add(startPatience)
	for time.Now().Before(deadline) {
		text := r.output.Since(0)
		select {
		case <-r.ended:
			if text = r.output.Since(0); strings.Contains(text, "Bind on TCP/IP port") {
				return fmt.Errorf("%w:\n%s", errPortTaken, text)
			}
			return fmt.Errorf("the server ended:\n%s", text)
		case <-time.After(5 * time.Millisecond):
		}
		if strings.Contains(text, "ready for connections") {
			return nil
		}
	}
	return fmt.Errorf("the server was not ready after %v:\n%s", startPatience, r.output.Since(0))
}

// stop ends the server and waits until its files are gone. What it logged stays readable.
func (r *running) stop() error {
	err := r.leash.Close()
	select {
	case <-r.ended:
	case <-time.After(stopPatience):
		return fmt.Errorf("MariaDB on port %d did not stop within %v", r.port, stopPatience)
	}
	return errors.Join(err, r.output.Close(), r.general.Close())
}
