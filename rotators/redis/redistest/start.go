package redistest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
)

const (
	admin = "admin" // may do everything
	mate  = "mate"  // by whom the nodes log in at each other
	// master is the primary's name to a Sentinel.
	master = "main"
)

// Names of the files in a node's folder.
const (
	configFile = "server.conf"
	usersFile  = "users.acl"
	caFile     = "ca.pem"
)

// patience bounds what nodes take to know each other.
const patience = 30 * time.Second

// a starter starts the nodes of one server.
type starter struct {
	install  install.Server
	config   Config
	files    map[string]string // of each node
	password string
	server   *Server
}

func start(i install.Server, c Config) (*Server, error) {
	ca, files, err := servertest.Certificate(c.Certificate)
	if err != nil {
		return nil, err
	}
	files[caFile] = string(ca.PEM())
	s := &Server{product: i.Product, shape: c.Shape, newest: servertest.IsNewest(i.Name), Server: servertest.Server{
		Title: fmt.Sprintf("%s %s", titles[i.Product], i.Version), Version: i.Version, Real: true, Ours: true,
		Host: servertest.Host, TLS: c.TLS, AdminUser: admin, AdminPassword: rand.Text(), CountLogins: servertest.CountLogins,
	}}
	s.Halt = s.halt
	if name := shapes[c.Shape]; name != "" {
		s.Title += ", " + name
	}
	if s.TLS != servertest.TLSOff {
		s.CA = ca.PEM()
	} else {
		s.Title += ", without TLS"
	}
	s.starter = starter{install: i, config: c, files: files, password: rand.Text(), server: s}
	if err := s.starter.launch(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Begin()
	return s, nil
}

// clustered are the lines of a cluster's node.
var clustered = []string{"cluster-enabled yes", "cluster-require-full-coverage yes", "cluster-node-timeout 5000"}

// titles are the products' names for people.
var titles = map[string]string{Redis: "Redis", Valkey: "Valkey"}

func (st starter) launch() error {
	count, modes := 1, []string{}
	if st.config.Shape == Cluster {
		count, modes = 3, clustered
	}
	for range count {
		if err := st.node(modes...); err != nil {
			return err
		}
	}
	s := st.server
	s.Port = s.nodes[0].Port
	if st.config.Certificate != localtls.NoFault {
		return nil // it cannot be asked anything
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch st.config.Shape {
	case Cluster:
		if err := s.meet(ctx); err != nil {
			return err
		}
	case Replicated, Watched:
		if err := st.node(fmt.Sprintf("replicaof %s %d", servertest.Host, s.Port), "masteruser "+mate, "masterauth "+st.password); err != nil {
			return err
		}
		if err := s.linked(ctx, s.nodes[1]); err != nil {
			return err
		}
	}
	if st.config.Shape == Watched {
		if err := st.sentinel(); err != nil {
			return err
		}
	}
	var err error
	s.watch, err = watch(ctx, s)
	s.Journal = s.watch
	return err
}

// node starts one node, with lines of its own in the configuration.
func (st starter) node(lines ...string) error {
	files := maps.Clone(st.files)
	users := strings.Join([]string{
		"user default off",
		fmt.Sprintf("user %s on >%s ~* &* +@all", admin, st.server.AdminPassword),
		fmt.Sprintf("user %s on >%s ~* &* +@all", mate, st.password),
	}, "\n") + "\n"
	if st.config.NoFile {
		lines = append(lines, strings.Split(strings.TrimSpace(users), "\n")...)
	} else {
		files[usersFile] = users
		lines = append(lines, "aclfile "+usersFile)
	}
	lines = append(lines, "masteruser "+mate, "masterauth "+st.password)
	run, err := st.run(files, lines)
	if err == nil {
		st.server.nodes = append(st.server.nodes, run)
	}
	return err
}

// sentinel starts a Sentinel that watches the primary. The first one is asked.
func (st starter) sentinel() error {
	run, err := st.run(maps.Clone(st.files), []string{
		"user default off", "user " + admin + " on >" + st.server.AdminPassword + " ~* &* +@all",
		fmt.Sprintf("sentinel monitor %s %s %d 1", master, servertest.Host, st.server.Port),
		"sentinel auth-user " + master + " " + mate, "sentinel auth-pass " + master + " " + st.password,
		"sentinel sentinel-user " + admin, "sentinel sentinel-pass " + st.server.AdminPassword,
		"sentinel down-after-milliseconds " + master + " 1000", "sentinel failover-timeout " + master + " 5000",
	}, "--sentinel")
	if err == nil {
		st.server.sentinels = append(st.server.sentinels, run)
	}
	return err
}

// run starts a process.
func (st starter) run(files map[string]string, lines []string, options ...string) (*servertest.Process, error) {
	all := slices.Concat([]string{"bind " + servertest.Host, "protected-mode no", "loglevel notice", "daemonize no"}, lines)
	if len(options) == 0 {
		all = append(all, `save ""`, "appendonly no", "repl-diskless-sync-delay 0")
	}
	for name, value := range st.config.Settings {
		all = append(all, name+" "+value)
	}
	files[configFile] = strings.Join(all, "\n") + "\n"
	return st.exec(files, options...)
}

// exec starts a process with a configuration that is there.
func (st starter) exec(files map[string]string, options ...string) (*servertest.Process, error) {
	argv, env := st.install.Command(st.install.Product + "-server")
	return servertest.Program{
		Name: st.install.Product, Files: files, Env: env, Signal: "KILL",
		Command: func(folder string, port int) []string {
			return slices.Concat(argv, []string{configFile}, options, st.listening(folder, port))
		},
		Ready: func(output string) bool {
			return strings.Contains(output, "Ready to accept connections") || len(options) > 0 && strings.Contains(output, "Sentinel ID is")
		},
		Taken: func(output string) bool { return strings.Contains(output, "Address already in use") },
	}.Start()
}

// listening are the options that say where a process listens.
func (st starter) listening(folder string, port int) []string {
	options := []string{"--dir", folder}
	if st.config.Shape == Cluster {
		options = append(options, "--cluster-port", fmt.Sprint(port-20000), "--cluster-config-file", "nodes.conf")
	}
	if st.config.TLS == servertest.TLSOff {
		return append(options, "--port", fmt.Sprint(port))
	}
	return append(options, "--port", "0", "--tls-port", fmt.Sprint(port), "--tls-cert-file", servertest.CertFile, "--tls-key-file", servertest.KeyFile,
		"--tls-ca-cert-file", caFile, "--tls-auth-clients", "no", "--tls-replication", "yes", "--tls-cluster", "yes")
}
