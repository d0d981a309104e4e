package documentdbtest

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A cluster is the imitation of an Amazon DocumentDB cluster: what its sessions share.
type cluster struct {
	config   Config
	release  release
	tls      *tls.Config // nil without TLS
	log      servertest.MemoryLog
	listener *servertest.Listener

	mu          sync.Mutex
	users       map[identity]*account
	roles       map[identity]definition // besides the built-in ones
	collections map[string][]bson.D     // by database.collection
	term        int                     // how often the primary has moved: sessions from before are with a secondary
	faults      []*Fault
}

// An identity is a user's or a role's: a name in a database.
type identity struct{ name, database string }

// StartWire starts the imitation of DocumentDB. As a cluster, it listens as a cluster endpoint does, which leads to the
// primary.
func StartWire(config Config) (*Server, error) {
	version := cmp.Or(config.Version, "5.0")
	release, ok := releases()[version]
	if !ok {
		return nil, fmt.Errorf("there is no imitation of DocumentDB %s", version)
	}
	c := &cluster{config: config, release: release, users: map[identity]*account{}, roles: map[identity]definition{}, collections: map[string][]bson.D{}}
	s := &Server{Engine: "documentdb", AuthSource: "admin", wire: c, Server: servertest.Server{
		Title: "DocumentDB " + version, Version: release.version, Ours: true, Host: servertest.Host, TLS: config.TLS, AdminUser: admin, AdminPassword: rand.Text(),
		Journal: &c.log, CountLogins: countLogins,
	}}
	if config.ReplicaSet {
		s.Title += ", cluster"
	}
	if err := c.store(identity{admin, "admin"}, s.AdminPassword, []identity{{"root", "admin"}}); err != nil {
		return nil, err
	}
	if s.TLS != servertest.TLSOff {
		var err error
		if c.tls, s.CA, err = servertest.ImitationTLS(config.Options); err != nil {
			return nil, err
		}
	}
	var err error
	if c.listener, err = servertest.Listen(); err != nil {
		return nil, err
	}
	c.listener.Serve(c.accept)
	s.Port, s.Halt = c.listener.Port(), c.listener.Close
	return s, nil
}

// accept serves one connection, which stays with the member that is the primary now.
func (c *cluster) accept(conn net.Conn) {
	c.mu.Lock()
	s := &session{cluster: c, raw: conn, conn: conn, term: c.term}
	c.mu.Unlock()
	if c.tls != nil {
		s.conn = tls.Server(conn, c.tls)
	}
	s.serve()
	s.note(idEnded, attributes{})
}

// stepDown makes another member the primary. Connections stay open.
func (c *cluster) stepDown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.term++
}

// note adds a line to the log, in the form of mongod's.
func (s *session) note(id int, a attributes) {
	a.Remote = s.raw.RemoteAddr().String()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // a password is to be found as it is
	if err := e.Encode(line{ID: id, Ctx: "conn", Attr: a}); err != nil {
		panic(err) // it holds nothing that cannot be JSON
	}
	s.log.Addf("%s", bytes.TrimSpace(text.Bytes()))
}
