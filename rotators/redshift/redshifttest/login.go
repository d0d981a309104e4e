package redshifttest

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// errGone ends a connection whose client went away.
var errGone = errors.New("the client is gone")

// login takes a connection from its first byte to the point where it may send statements.
func (s *session) login() error {
	startup, encrypted, err := s.startup()
	if err != nil {
		return err
	}
	s.user, s.program = startup.Parameters["user"], startup.Parameters["application_name"]
	s.server.mu.Lock()
	refusal := s.server.refusal
	s.server.mu.Unlock()
	switch {
	case refusal != nil:
		return refusal
	case !encrypted && s.server.config.TLS != servertest.TLSOff:
		return refuse("28000", `no pg_hba.conf entry for host "%s", user "%s", database "%s", SSL off`, servertest.Host, s.user, startup.Parameters["database"])
	}
	if err := s.authenticate(); err != nil {
		return err
	}
	if err := s.authorize(startup.Parameters["database"]); err != nil {
		return err
	}
	s.types = pgtype.NewMap()
	s.types.RegisterType(&pgtype.Type{Name: "abstime", OID: abstimeOID, Codec: pgtype.TextCodec{}})
	s.send(&pgproto3.AuthenticationOk{},
		&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UNICODE"},
		&pgproto3.ParameterStatus{Name: "server_version", Value: "8.0.2"},
		&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	return nil
}

func (s *session) startup() (*pgproto3.StartupMessage, bool, error) {
	encrypted := false
	for {
		s.backend = pgproto3.NewBackend(s.conn, s.conn)
		received, err := s.backend.ReceiveStartupMessage()
		if err != nil {
			return nil, false, errGone
		}
		switch m := received.(type) {
		case *pgproto3.StartupMessage:
			return m, encrypted, nil
		case *pgproto3.SSLRequest:
			if encrypted = s.server.config.TLS != servertest.TLSOff; !encrypted {
				_, _ = s.conn.Write([]byte("N"))
				continue
			}
			_, _ = s.conn.Write([]byte("S"))
			s.conn = tls.Server(s.conn, s.server.tls)
		default:
			return nil, false, errGone
		}
	}
}

// authenticate asks for the MD5 of the kept hash and a salt. A user who is missing or expired fails like one with
// another password: Redshift has one code for all.
func (s *session) authenticate() error {
	if s.server.config.Digest {
		_, _ = s.conn.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 13})
		return errGone
	}
	var salt [4]byte
	rand.Read(salt[:])
	s.send(&pgproto3.AuthenticationMD5Password{Salt: salt})
	if err := s.backend.Flush(); err != nil {
		return errGone
	}
	if err := s.backend.SetAuthType(pgproto3.AuthTypeMD5Password); err != nil {
		return err
	}
	reply, err := s.backend.Receive()
	if err != nil {
		return errGone
	}
	m, ok := reply.(*pgproto3.PasswordMessage)
	u, known := s.server.committed().users[s.user]
	if !ok || !known || u.hash == "" || u.expired() || m.Password != "md5"+md5Hex(strings.TrimPrefix(u.hash, "md5")+string(salt[:])) {
		s.server.log.Addf(servertest.LoginRefused+"%s", s.user)
		return refuse("28000", "password authentication failed for user %q", s.user)
	}
	s.server.log.Addf(servertest.LoginAccepted+"%s", s.user)
	return nil
}

// authorize checks what the user may, once it is proved to be it.
func (s *session) authorize(database string) error {
	c := s.server.committed()
	if _, ok := c.objects[object{kind: "database", name: database}]; !ok {
		return refuse("3D000", "database %q does not exist", database)
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	open := 0
	for other := range s.server.sessions {
		if other.loggedIn && other.user == s.user {
			open++
		}
	}
	if u := c.users[s.user]; u.limit >= 0 && !u.super && open >= u.limit {
		return refuse("53300", "too many connections for user %q", s.user)
	}
	s.loggedIn, s.database = true, database
	return nil
}

func (u user) expired() bool {
	until, err := time.Parse(time.DateTime+"-07", u.validUntil)
	return err == nil && until.Before(time.Now())
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
