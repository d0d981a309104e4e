package documentdbtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/internal/install"
	"github.com/seed492efc12/rotor/internal/servertest"
	"github.com/seed492efc12/rotor/local/localtls"
)

// admin is the administrator that a new server has, and its only user.
const admin = "root user"

// patience bounds what is asked of a server: an election takes a second or two.
const patience = time.Minute

// start starts a MongoDB server or replica set with files of its own. It returns when a primary takes writes and, if
// there are others, they have what it has.
func start(i install.Server, c Config) (*Server, error) {
	ca, files, err := servertest.Certificate(c.Certificate)
	if err != nil {
		return nil, err
	}
	files[pemFile] = files[servertest.CertFile] + files[servertest.KeyFile]
	files[caFile], files[keyFile] = string(ca.PEM()), rand.Text()+rand.Text()
	files[configFile] = configuration(c)
	s := &Server{Engine: "mongo", AuthSource: "admin", Server: servertest.Server{
		Title: "MongoDB " + i.Version, Version: i.Version, Real: true, Ours: true,
		Host: servertest.Host, TLS: c.TLS, AdminUser: admin, AdminPassword: rand.Text(), CountLogins: countLogins,
	}}
	s.Halt = s.halt
	if s.TLS == servertest.TLSOff {
		s.Title += ", without TLS"
	} else {
		s.CA = ca.PEM()
	}
	if err := s.launch(program(i, files), c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Begin()
	return s, nil
}

// launch starts the processes, and makes of them what the configuration says.
func (s *Server) launch(p servertest.Program, c Config) error {
	count := 1
	if c.ReplicaSet {
		count = 3
		s.Title += ", replica set of three"
	}
	if err := s.spawn(p, count); err != nil {
		return err
	}
	s.Port, s.Journal = s.members[0].Port, &journal{members: s.members}
	if c.Certificate != localtls.NoFault {
		return nil // it cannot be asked anything
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !c.ReplicaSet {
		return s.first(ctx)
	}
	if err := s.initiate(ctx); err != nil {
		return err
	}
	if err := s.first(ctx); err != nil {
		return err
	}
	return s.calm(ctx)
}

// spawn starts members, all at once.
func (s *Server) spawn(p servertest.Program, count int) error {
	type result struct {
		run *servertest.Process
		err error
	}
	results := make(chan result)
	for range count {
		go func() {
			run, err := p.Start()
			results <- result{run, err}
		}()
	}
	var errs []error
	for range count {
		r := <-results
		if errs = append(errs, r.err); r.err == nil {
			s.members = append(s.members, r.run)
		}
	}
	return errors.Join(errs...)
}

// first makes the administrator. MongoDB lets whoever comes from the host itself do that while there are no users.
// Source: MongoDB manual, "Localhost Exception".
func (s *Server) first(ctx context.Context) error {
	client, err := s.Stranger(s.Port)
	if err != nil {
		return err
	}
	defer func() { _ = disconnect(client) }()
	command := bson.D{{Key: "createUser", Value: s.AdminUser}, {Key: "pwd", Value: s.AdminPassword}, {Key: "roles", Value: bson.A{"root"}}}
	for {
		err := client.Database("admin").RunCommand(ctx, command).Err()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !isLost(err) { // an election goes on for a while
			return fmt.Errorf("making the administrator: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// halt ends all members.
func (s *Server) halt() error {
	var errs []error
	for _, m := range s.members {
		errs = append(errs, m.Stop())
	}
	return errors.Join(errs...)
}

// Names of the files in a member's folder.
const (
	configFile = "mongod.conf"
	pemFile    = "server.pem"
	caFile     = "ca.pem"
	keyFile    = "key"
)

func program(i install.Server, files map[string]string) servertest.Program {
	argv, env := i.Command("mongod")
	return servertest.Program{
		Name: i.Product, Files: files, Prepare: "mkdir data", Env: env, Signal: "KILL",
		Command: func(_ string, port int) []string {
			return slices.Concat(argv, []string{"--config", configFile, "--port", fmt.Sprint(port)})
		},
		Ready: func(output string) bool { return strings.Contains(output, `"Waiting for connections"`) },
		Taken: func(output string) bool { return strings.Contains(output, "Address already in use") },
	}
}

// configuration is the configuration file: small, talkative, and closed to all but TCP. Logins cost the least that
// MongoDB takes.
func configuration(c Config) string {
	settings := map[string]string{
		"net.bindIp":                                   servertest.Host,
		"net.unixDomainSocket.enabled":                 "false",
		"net.tls.mode":                                 map[servertest.TLS]string{servertest.TLSRequired: "requireTLS", servertest.TLSOptional: "preferTLS", servertest.TLSOff: "disabled"}[c.TLS],
		"storage.dbPath":                               "data",
		"operationProfiling.slowOpThresholdMs":         "-1", // all are slow, and logged
		"security.authorization":                       "enabled",
		"setParameter.scramIterationCount":             "5000",
		"setParameter.scramSHA256IterationCount":       "5000",
		"setParameter.diagnosticDataCollectionEnabled": "false",
		"storage.wiredTiger.engineConfig.cacheSizeGB":  "0.25",
	}
	if c.TLS != servertest.TLSOff {
		maps.Copy(settings, map[string]string{
			"net.tls.certificateKeyFile":                  pemFile,
			"net.tls.CAFile":                              caFile,
			"net.tls.allowConnectionsWithoutCertificates": "true",
			"setParameter.tlsWithholdClientCertificate":   "true", // the members' certificate is a server's
		})
	}
	if c.ReplicaSet {
		maps.Copy(settings, map[string]string{"replication.replSetName": replicaSet, "replication.oplogSizeMB": "16", "security.keyFile": keyFile})
	}
	maps.Copy(settings, c.Settings)
	var text, parameters strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if parameter, ok := strings.CutPrefix(name, "setParameter."); ok {
			fmt.Fprintf(&parameters, "  %s: %q\n", parameter, settings[name])
			continue
		}
		fmt.Fprintf(&text, "%s: %q\n", name, settings[name])
	}
	return text.String() + "setParameter:\n" + parameters.String()
}
