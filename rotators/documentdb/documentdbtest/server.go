package documentdbtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// A Server is a running server, or replica set. It may be used from many goroutines.
type Server struct {
	Engine        string // what a secret's engine is: mongo or documentdb
	Host          string
	Port          int
	CA            []byte // PEM of what signed the server's certificate; empty if the system has to know it, or without TLS
	AdminUser     string // has the role root
	AdminPassword string
	AuthSource    string // of the administrator
	ReplicaSet    string // its name, if there is one
	Real          bool   // not the wire-level server

	origin  string
	plain   bool
	wire    *cluster // nil unless wire-level
	closing sync.Once

	admins sync.Mutex
	admin  *mongo.Client // the tests' own session
}

// Name says what the server is, for people.
func (s *Server) Name() string { return s.origin }

// Wire says whether the server is this package's own, so that it has a log, steps down and takes faults.
func (s *Server) Wire() bool { return s.wire != nil }

// Plain says whether the server has no TLS.
func (s *Server) Plain() bool { return s.plain }

// Close ends the server. More calls do nothing more.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.admins.Lock()
		defer s.admins.Unlock()
		if s.admin != nil {
			_ = disconnect(s.admin)
		}
		if s.wire != nil {
			s.wire.close()
		}
	})
	return nil
}

func disconnect(c *mongo.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.Disconnect(ctx)
}

// Connect logs in, with verified TLS if the server has any. The primary of a replica set is looked for. The client is
// the caller's to disconnect.
func (s *Server) Connect(ctx context.Context, user, password, authSource string) (*mongo.Client, error) {
	o := options.Client().SetHosts([]string{net.JoinHostPort(s.Host, strconv.Itoa(s.Port))}).
		SetAuth(options.Credential{AuthSource: authSource, Username: user, Password: password, PasswordSet: true}).
		SetMaxPoolSize(1).SetRetryWrites(false).SetDirect(s.ReplicaSet == "").
		SetServerMonitoringMode(options.ServerMonitoringModePoll).SetServerSelectionTimeout(5 * time.Second)
	if s.ReplicaSet != "" {
		o.SetReplicaSet(s.ReplicaSet)
	}
	if !s.plain {
		config, err := s.clientTLS()
		if err != nil {
			return nil, err
		}
		o.SetTLSConfig(config)
	}
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, err
	}
	if err := client.Database("admin").RunCommand(ctx, bson.D{{Key: "connectionStatus", Value: 1}}).Err(); err != nil {
		_ = disconnect(client)
		return nil, err
	}
	return client, nil
}

// clientTLS verifies the server against its own CA.
func (s *Server) clientTLS() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(s.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(s.CA) {
			return nil, errors.New("the server's CA holds no certificate")
		}
	}
	return config, nil
}

// Run runs a command as the administrator, on the primary.
func (s *Server) Run(ctx context.Context, database string, command bson.D) (bson.M, error) {
	s.admins.Lock()
	defer s.admins.Unlock()
	out, err := s.run(ctx, database, command)
	var ce mongo.CommandError
	if s.admin != nil && (mongo.IsNetworkError(err) || errors.As(err, &ce) && ce.Code == notPrimary) {
		// The server hung up, or is not any more what it was when the session began.
		_ = disconnect(s.admin)
		s.admin = nil
		return s.run(ctx, database, command)
	}
	return out, err
}

func (s *Server) run(ctx context.Context, database string, command bson.D) (out bson.M, err error) {
	if s.admin == nil {
		if s.admin, err = s.Connect(ctx, s.AdminUser, s.AdminPassword, s.AuthSource); err != nil {
			return nil, err
		}
	}
	err = s.admin.Database(database).RunCommand(ctx, command).Decode(&out)
	return out, err
}
