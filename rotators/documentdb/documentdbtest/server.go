package documentdbtest

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A Server is a running server, or replica set. It may be used from many goroutines. Its administrator has the role root.
type Server struct {
	servertest.Server
	Engine     string // what a secret's engine is: mongo or documentdb
	AuthSource string // of the administrator
	ReplicaSet string // its name, if clients have to look for the primary

	members []*servertest.Process // of a replica set that was started here
	wire    *cluster              // nil unless it is the imitation

	admins sync.Mutex
	admin  *mongo.Client // the tests' own session
}

// app is what the tests' own sessions call themselves. Logins and Open leave them out.
const app = "documentdbtest"

// Close ends the server. More calls do nothing more.
func (s *Server) Close() error {
	s.forget()
	return s.Server.Close()
}

// forget ends the tests' own session.
func (s *Server) forget() {
	s.admins.Lock()
	defer s.admins.Unlock()
	if s.admin != nil {
		_ = disconnect(s.admin)
		s.admin = nil
	}
}

func disconnect(c *mongo.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.Disconnect(ctx)
}

// Connect logs in, with verified TLS if the server has any. The primary of a replica set is looked for. The client is
// the caller's to disconnect.
func (s *Server) Connect(ctx context.Context, user, password, authSource string) (*mongo.Client, error) {
	if s.ReplicaSet == "" {
		return s.Direct(ctx, user, password, authSource)
	}
	return s.login(ctx, s.clientOptions(s.Port).SetReplicaSet(s.ReplicaSet), user, password, authSource)
}

// Direct is Connect to the server at Port, whatever it is and becomes.
func (s *Server) Direct(ctx context.Context, user, password, authSource string) (*mongo.Client, error) {
	return s.login(ctx, s.clientOptions(s.Port).SetDirect(true), user, password, authSource)
}

func (s *Server) login(ctx context.Context, o *options.ClientOptions, user, password, authSource string) (*mongo.Client, error) {
	o.SetMaxPoolSize(1).SetAuth(options.Credential{AuthSource: authSource, Username: user, Password: password, PasswordSet: true})
	client, err := s.open(o)
	if err != nil {
		return nil, err
	}
	if err := client.Database("admin").RunCommand(ctx, bson.D{{Key: "connectionStatus", Value: 1}}).Err(); err != nil {
		_ = disconnect(client)
		return nil, err
	}
	return client, nil
}

// Stranger is a client that does not log in, of the server at the port alone. It is the caller's to disconnect.
func (s *Server) Stranger(port int) (*mongo.Client, error) {
	return s.open(s.clientOptions(port).SetDirect(true))
}

func (s *Server) clientOptions(port int) *options.ClientOptions {
	return options.Client().SetHosts([]string{net.JoinHostPort(s.Host, strconv.Itoa(port))}).SetAppName(app).SetRetryWrites(false).
		SetServerMonitoringMode(options.ServerMonitoringModePoll).SetServerSelectionTimeout(10 * time.Second)
}

func (s *Server) open(o *options.ClientOptions) (*mongo.Client, error) {
	config, err := s.ClientTLS()
	if err != nil {
		return nil, err
	}
	if config != nil {
		config.ServerName = "" // members have names of their own
		o.SetTLSConfig(config)
	}
	return mongo.Connect(o)
}

// Run runs a command as the administrator, on the primary.
func (s *Server) Run(ctx context.Context, database string, command bson.D) (out bson.M, err error) {
	err = s.runInto(ctx, database, command, &out)
	return out, err
}

// runInto is Run for an answer of some shape.
func (s *Server) runInto(ctx context.Context, database string, command bson.D, out any) error {
	s.admins.Lock()
	defer s.admins.Unlock()
	err := s.try(ctx, database, command, out)
	if s.admin != nil && isLost(err) { // the server is not any more what it was when the session began
		_ = disconnect(s.admin)
		s.admin = nil
		return s.try(ctx, database, command, out)
	}
	return err
}

func (s *Server) try(ctx context.Context, database string, command bson.D, out any) (err error) {
	if s.admin == nil {
		if s.admin, err = s.Connect(ctx, s.AdminUser, s.AdminPassword, s.AuthSource); err != nil {
			return err
		}
	}
	return s.admin.Database(database).RunCommand(ctx, command).Decode(out)
}

// ChangesItself is a role by which a user of admin may change its own password, and what drops it again. On MongoDB it is
// made, and gives that action alone. DocumentDB has no such action: what may set a password there may set everybody's, and
// there is nothing to drop.
func (s *Server) ChangesItself(ctx context.Context, name string) (role, undo bson.D, err error) {
	if s.Engine == "documentdb" {
		return bson.D{{Key: "role", Value: "userAdminAnyDatabase"}, {Key: "db", Value: "admin"}}, nil, nil
	}
	_, err = s.Run(ctx, "admin", bson.D{{Key: "createRole", Value: name}, {Key: "roles", Value: bson.A{}}, {Key: "privileges", Value: bson.A{bson.D{
		{Key: "resource", Value: bson.D{{Key: "db", Value: "admin"}, {Key: "collection", Value: ""}}}, {Key: "actions", Value: bson.A{"changeOwnPassword"}}}}}})
	return bson.D{{Key: "role", Value: name}, {Key: "db", Value: "admin"}}, bson.D{{Key: "dropRole", Value: name}}, err
}

// isLost reports whether a primary is none any more, or gone.
func isLost(err error) bool {
	if ce, ok := errors.AsType[mongo.CommandError](err); ok {
		switch ce.Code {
		case 189, 10107, 11600, 11602, 13435: // PrimarySteppedDown, NotWritablePrimary and the like
			return true
		}
	}
	return mongo.IsNetworkError(err)
}
