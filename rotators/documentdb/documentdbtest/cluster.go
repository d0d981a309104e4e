package documentdbtest

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/framework/local/localtls"
)

const (
	replicaSet = "rs0"
	adminUser  = "root user"
)

// A cluster is what the members share: all but their connections.
type cluster struct {
	config Config
	tls    *tls.Config // nil without TLS
	log    journal

	mu          sync.Mutex
	users       map[identity]*account
	roles       map[identity]definition // besides the built-in ones
	collections map[string][]bson.D     // by database.collection
	members     []string                // addresses
	primary     int                     // index in members
	endpoints   []net.Listener
	sessions    map[*session]bool
	faults      []*Fault
	closed      bool
	serving     sync.WaitGroup
}

// An identity is a user's or a role's: a name in a database.
type identity struct{ name, database string }

// StartWire starts a wire-level server.
func StartWire(config Config) (*Server, error) {
	c := &cluster{config: config, users: map[identity]*account{}, roles: map[identity]definition{},
		collections: map[string][]bson.D{}, sessions: map[*session]bool{}}
	s := &Server{
		Engine: "mongo", Host: Host, AdminUser: adminUser, AdminPassword: rand.Text(), AuthSource: "admin",
		origin: config.name(), plain: config.Plain, wire: c,
	}
	if config.Flavour == DocumentDB {
		s.Engine = "documentdb"
	}
	if err := c.certify(s); err != nil {
		return nil, err
	}
	if err := c.store(identity{adminUser, "admin"}, s.AdminPassword, nil, []identity{{"root", "admin"}}); err != nil {
		return nil, err
	}
	if err := c.listen(s); err != nil {
		c.close()
		return nil, err
	}
	return s, nil
}

// certify gives the members a certificate.
func (c *cluster) certify(s *Server) error {
	if c.config.Plain {
		return nil
	}
	ca, err := localtls.New()
	if err != nil {
		return err
	}
	certificate, err := ca.Faulty(c.config.Certificate, Host, "localhost")
	if err != nil {
		return err
	}
	s.CA = ca.PEM()
	c.tls = &tls.Config{Certificates: []tls.Certificate{certificate.TLS}, MinVersion: tls.VersionTLS12}
	return nil
}

// listen opens the members' ports, and that of the cluster endpoint.
func (c *cluster) listen(s *Server) error {
	count := 1
	if c.config.ReplicaSet {
		count, s.ReplicaSet = 3, replicaSet
	}
	for i := range count {
		port, err := c.serve(func() int { return i })
		if err != nil {
			return err
		}
		c.members = append(c.members, net.JoinHostPort(Host, fmt.Sprint(port)))
		if i == 0 {
			s.Port = port
		}
	}
	if c.config.ReplicaSet && c.config.Flavour == DocumentDB {
		port, err := c.serve(c.primaryNow)
		if err != nil {
			return err
		}
		s.Port = port
	}
	return nil
}

// serve accepts connections for the member that is chosen for each.
func (c *cluster) serve(member func() int) (port int, err error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(Host, "0"))
	if err != nil {
		return 0, fmt.Errorf("listening: %w", err)
	}
	c.endpoints = append(c.endpoints, listener)
	c.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.accept(conn, member())
		}
	})
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// accept starts a session, unless the server is full or closing.
func (c *cluster) accept(conn net.Conn, member int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.fires("accept", func(f *Fault) bool { return f.Refuse }) != nil {
		_ = conn.Close()
		return
	}
	s := &session{cluster: c, raw: conn, conn: conn, member: member}
	if c.tls != nil {
		s.conn = tls.Server(conn, c.tls)
	}
	c.sessions[s] = true
	c.serving.Go(s.serve)
}

func (c *cluster) primaryNow() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.primary
}

func (c *cluster) close() {
	c.mu.Lock()
	c.closed = true
	for _, l := range c.endpoints {
		_ = l.Close()
	}
	for s := range c.sessions {
		_ = s.raw.Close()
	}
	c.mu.Unlock()
	c.serving.Wait()
}

// StepDown makes the next member the primary. As in MongoDB since 4.2, connections stay open.
func (s *Server) StepDown() {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	s.wire.primary = (s.wire.primary + 1) % len(s.wire.members)
}

// HangUp closes all connections.
func (s *Server) HangUp() {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	for open := range s.wire.sessions {
		_ = open.raw.Close()
	}
}

// Stop ends a member for good. It must not be the primary.
func (s *Server) Stop(member int) {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	_ = s.wire.endpoints[member].Close()
	for open := range s.wire.sessions {
		if open.member == member {
			_ = open.raw.Close()
		}
	}
}

// Primary is the address of the primary, Secondaries are the others.
func (s *Server) Primary() string {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	return s.wire.members[s.wire.primary]
}

// Secondaries are the addresses of the members that are not the primary.
func (s *Server) Secondaries() []string {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	return slices.Delete(slices.Clone(s.wire.members), s.wire.primary, s.wire.primary+1)
}

// Connections is how many are open.
func (s *Server) Connections() int {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	return len(s.wire.sessions)
}
