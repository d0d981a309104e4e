package oracletest

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"strings"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A session is the server's side of a connection.
type session struct {
	server *Server
	user   string // "" until the login
	schema string // where unqualified names are looked for
	roles  map[string]bool
}

func (c *session) run(socket net.Conn) {
	if conn := c.transport(socket); conn != nil {
		c.serve(conn)
	}
}

// transport begins TLS if the client does and the server can.
func (c *session) transport(socket net.Conn) net.Conn {
	p := &peeked{Conn: socket}
	first, err := p.peek()
	if err != nil {
		return nil
	}
	const handshake = 22 // the first byte of TLS
	switch config := c.server.config; {
	case first != handshake:
		return p
	case config.Mute:
		return nil
	case config.TLS == servertest.TLSOff:
		_, _ = socket.Write([]byte("\x00\x08\x00\x00\x0b\x00\x00\x00")) // a RESEND packet of the listener's protocol
		_, _ = io.Copy(io.Discard, p)                                   // to close with bytes unread would reset the connection
		return nil
	}
	return tls.Server(p, c.server.tls)
}

// A peeked connection has had its first byte looked at.
type peeked struct {
	net.Conn
	first []byte
}

func (p *peeked) peek() (byte, error) {
	p.first = make([]byte, 1)
	_, err := p.Conn.Read(p.first)
	return p.first[0], err
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.first) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

func (c *session) serve(conn net.Conn) {
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	for {
		var q request
		if in.Decode(&q) != nil {
			return
		}
		r := c.answer(q)
		if out.Encode(r) != nil || c.user == "" {
			_ = conn.Close()
			return
		}
	}
}

func (c *session) answer(q request) reply {
	if c.user == "" {
		return reply{Error: c.authenticate(q)}
	}
	servertest.Record("oracle", true, q.SQL)
	r, err := c.server.execute(c, q.SQL, q.Binds)
	if e, ok := err.(*sqlError); ok {
		return reply{Error: e}
	}
	if err != nil {
		return reply{Error: raise(600, "the stand-in: %v", err)}
	}
	return r
}

// authenticate logs in, or says why not.
func (c *session) authenticate(q request) *sqlError {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	err := c.login(q)
	if err != nil {
		s.log.Addf(servertest.LoginRefused+"%s (%d)", q.User, err.Code)
		return err
	}
	s.log.Addf(servertest.LoginAccepted+"%s", c.user)
	return nil
}

func (c *session) login(q request) *sqlError {
	cat := c.server.catalog
	switch {
	case c.server.refusal != nil:
		return c.server.refusal
	case q.SID != "" && q.SID != SID:
		return raise(12505, "TNS:listener does not currently know of SID given in connect descriptor")
	case q.SID == "" && !strings.EqualFold(q.Service, Service):
		return raise(12514, "TNS:listener does not currently know of service requested in connect descriptor")
	}
	name := strings.ToUpper(q.User)
	if quoted, ok := strings.CutPrefix(q.User, `"`); ok {
		name = strings.TrimSuffix(quoted, `"`)
	}
	refused := raise(1017, "invalid username/password; logon denied")
	u := cat.users[name]
	if u == nil || u.authentication != "PASSWORD" {
		return refused
	}
	p := cat.profiles[u.profile]
	switch {
	case u.locked:
		return raise(28000, "The account is locked.")
	case q.Password != u.password && (u.rollover == "" || q.Password != u.rollover):
		if u.failed++; p.failedLogins > 0 && u.failed >= p.failedLogins {
			u.locked, u.timed, u.lockDate = true, true, cat.now()
		}
		return refused
	case u.expired:
		return raise(28001, "the password has expired")
	case p.sessions > 0 && c.server.open(name) >= p.sessions:
		return raise(2391, "exceeded simultaneous SESSIONS_PER_USER limit")
	}
	u.failed = 0
	roles := cat.defaultRoles(name)
	if !cat.holds(name, roles, "CREATE SESSION") {
		return raise(1045, "user %s lacks CREATE SESSION privilege; logon denied", name)
	}
	c.user, c.schema, c.roles = name, name, roles
	return nil
}

// open counts the sessions of a user.
func (s *Server) open(name string) (n int) {
	for c := range s.sessions {
		if c.user == name {
			n++
		}
	}
	return n
}
