package postgrestest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/xdg-go/scram"
)

// errNoLogin ends a connection that asked for no session: a cancel request, or a client that went away.
var errNoLogin = errors.New("no session was asked for")

// login takes a connection from its first byte to the point where it may send statements. The order of the checks is
// the real server's: only after the password has been proved does a client learn anything about the role.
func (s *wireSession) login() error {
	startup, encrypted, err := s.startup()
	if err != nil {
		return err
	}
	s.user, s.database = startup.Parameters["user"], startup.Parameters["database"]
	if s.database == "" {
		s.database = s.user
	}
	if err := s.admit(encrypted); err != nil {
		return err
	}
	if err := s.authenticate(); err != nil {
		return err
	}
	s.logf("00000", "LOG", "connection authorized: user=%s database=%s", s.user, s.database)
	if err := s.authorize(); err != nil {
		return err
	}
	s.initialize(startup.Parameters)
	return nil
}

// startup negotiates TLS and reads the startup message (the manual's section 54.2.1).
func (s *wireSession) startup() (message *pgproto3.StartupMessage, encrypted bool, err error) {
	host, port, _ := net.SplitHostPort(s.conn.RemoteAddr().String())
	s.logf("00000", "LOG", "connection received: host=%s port=%s", host, port)
	for {
		s.backend = pgproto3.NewBackend(s.conn, s.conn)
		received, err := s.backend.ReceiveStartupMessage()
		if err != nil {
			return nil, false, errNoLogin
		}
		switch m := received.(type) {
		case *pgproto3.StartupMessage:
			return m, encrypted, nil
		case *pgproto3.SSLRequest:
			if encrypted, err = s.offerTLS(); err != nil {
				return nil, false, errNoLogin
			}
		case *pgproto3.GSSEncRequest:
			if _, err := s.conn.Write([]byte("N")); err != nil {
				return nil, false, errNoLogin
			}
		default:
			return nil, false, errNoLogin
		}
	}
}

// offerTLS answers an SSLRequest.
func (s *wireSession) offerTLS() (bool, error) {
	if s.server.config.TLS == TLSOff {
		_, err := s.conn.Write([]byte("N"))
		return false, err
	}
	if _, err := s.conn.Write([]byte("S")); err != nil {
		return false, err
	}
	secured := tls.Server(s.conn, s.server.tls)
	if err := secured.Handshake(); err != nil {
		s.logf("08P01", "LOG", "could not accept SSL connection: %v", err)
		return false, err
	}
	s.conn = secured
	return true, nil
}

// admit checks what needs no password: that the server takes logins at all, and that this one comes by TLS.
func (s *wireSession) admit(encrypted bool) error {
	s.server.mu.Lock()
	refusal, sessions := s.server.refusal, len(s.server.sessions)
	s.server.mu.Unlock()
	switch {
	case refusal != nil:
		return refusal
	case s.user == "":
		return refuse("28000", "no PostgreSQL user name specified in startup packet")
	case sessions > s.server.number("max_connections", 40):
		return refuse("53300", "sorry, too many clients already").in("InitProcess")
	case !encrypted && s.server.config.TLS == TLSRequired:
		return refuse("28000", "no pg_hba.conf entry for host %q, user %q, database %q, no encryption",
			Host, s.user, s.database).in("ClientAuthentication")
	}
	return nil
}

// authenticate asks for the password. A role that is missing, has no password, or may not use it any more fails like
// one with another password.
func (s *wireSession) authenticate() error {
	verifier := ""
	c := s.server.committed()
	if r := c.roles[s.user]; r != nil && !expired(r.validUntil) {
		verifier = r.verifier
	}
	if c.roles[iamRole] != nil && c.isMember(s.user, iamRole) {
		return s.askPAM()
	}
	proved, err := false, error(nil)
	if s.server.config.MD5 && md5Form.MatchString(verifier) {
		proved, err = s.askMD5(verifier)
	} else {
		proved, err = s.askSCRAM(verifier)
	}
	if err != nil {
		return err
	}
	if !proved {
		return refuse("28P01", "password authentication failed for user %q", s.user).in("auth_failed")
	}
	return nil
}

// iamRole has the members who log in to Amazon RDS with a token of IAM, and with nothing else.
const iamRole = "rds_iam"

// askPAM refuses whatever the client sends, as RDS refuses passwords where it wants a token: its pg_hba.conf sends the
// members of rds_iam to PAM, which takes the password as it is.
func (s *wireSession) askPAM() error {
	s.backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if _, err := s.answer(pgproto3.AuthTypeCleartextPassword); err != nil {
		return err
	}
	return refuse("28000", "PAM authentication failed for user %q", s.user).in("auth_failed")
}

func expired(until pgtype.Timestamptz) bool {
	if !until.Valid || until.InfinityModifier == pgtype.Infinity {
		return false
	}
	return until.InfinityModifier == pgtype.NegativeInfinity || until.Time.Before(time.Now())
}

// askMD5 runs AuthenticationMD5Password.
func (s *wireSession) askMD5(verifier string) (proved bool, err error) {
	var salt [4]byte
	rand.Read(salt[:])
	s.backend.Send(&pgproto3.AuthenticationMD5Password{Salt: salt})
	reply, err := s.answer(pgproto3.AuthTypeMD5Password)
	if err != nil {
		return false, err
	}
	password, ok := reply.(*pgproto3.PasswordMessage)
	return ok && password.Password == "md5"+md5Hex(verifier[len("md5"):]+string(salt[:])), nil
}

// askSCRAM runs SCRAM-SHA-256 (RFC 7677). Without a verifier it goes through with one that no password fits, so that
// a client cannot tell a missing role from a wrong password.
func (s *wireSession) askSCRAM(verifier string) (proved bool, err error) {
	keys, ok := scramKeys(verifier)
	if !ok {
		keys, _ = scramKeys(scramVerifier(rand.Text()))
	}
	mechanism, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return keys, nil })
	if err != nil {
		return false, err
	}
	conversation := mechanism.NewConversation()
	s.backend.Send(&pgproto3.AuthenticationSASL{AuthMechanisms: []string{"SCRAM-SHA-256"}})
	reply, err := s.answer(pgproto3.AuthTypeSASL)
	if err != nil {
		return false, err
	}
	first, ok := reply.(*pgproto3.SASLInitialResponse)
	if !ok {
		return false, nil
	}
	challenge, err := conversation.Step(string(first.Data))
	if err != nil {
		return false, refuse("08P01", "malformed SCRAM message")
	}
	s.backend.Send(&pgproto3.AuthenticationSASLContinue{Data: []byte(challenge)})
	if reply, err = s.answer(pgproto3.AuthTypeSASLContinue); err != nil {
		return false, err
	}
	last, ok := reply.(*pgproto3.SASLResponse)
	if !ok {
		return false, nil
	}
	outcome, err := conversation.Step(string(last.Data))
	if err != nil {
		return false, nil // the proof does not fit
	}
	s.backend.Send(&pgproto3.AuthenticationSASLFinal{Data: []byte(outcome)})
	return true, nil
}

// answer sends what is waiting and receives the client's reply to it.
func (s *wireSession) answer(kind uint32) (pgproto3.FrontendMessage, error) {
	if err := s.backend.Flush(); err != nil {
		return nil, errNoLogin
	}
	if err := s.backend.SetAuthType(kind); err != nil {
		return nil, err
	}
	reply, err := s.backend.Receive()
	if err != nil {
		return nil, errNoLogin // clients without a password go away here
	}
	return reply, nil
}

// authorize checks what the role may, once it is proved to be it.
func (s *wireSession) authorize() error {
	committed := s.server.committed()
	r := committed.roles[s.user]
	switch {
	case r == nil: // dropped a moment ago
		return refuse("28000", "role %q does not exist", s.user).in("InitializeSessionUserId")
	case !r.login:
		return refuse("28000", "role %q is not permitted to log in", s.user).in("InitializeSessionUserId")
	case committed.databases[s.database] == nil:
		return refuse("3D000", "database %q does not exist", s.database).in("InitPostgres")
	case r.limit >= 0 && !r.super && s.server.sessionsOf(s.user) >= r.limit:
		return refuse("53300", "too many connections for role %q", s.user).in("InitializeSessionUserId")
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.loggedIn = true
	return nil
}

// sessionsOf counts the sessions that a role has open.
func (w *wireServer) sessionsOf(user string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for session := range w.sessions {
		if session.loggedIn && session.user == user {
			n++
		}
	}
	return n
}

// initialize sets the session up and tells the client about it.
func (s *wireSession) initialize(wanted map[string]string) {
	s.types = pgtype.NewMap()
	s.types.RegisterType(&pgtype.Type{Name: "void", OID: voidOID, Codec: pgtype.TextCodec{}})
	s.settings = s.initialSettings(wanted)
	s.backend.Send(&pgproto3.AuthenticationOk{})
	reported := map[string]string{}
	for _, name := range []string{
		"application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
		"integer_datetimes", "IntervalStyle", "is_superuser", "scram_iterations", "search_path", "server_encoding",
		"server_version", "session_authorization", "standard_conforming_strings", "TimeZone",
	} {
		reported[name] = s.setting(name)
	}
	for name, value := range s.server.config.Wire.Parameters {
		reported[name] = value
	}
	for _, name := range sortedKeys(reported) {
		s.backend.Send(&pgproto3.ParameterStatus{Name: name, Value: reported[name]})
	}
	s.backend.Send(&pgproto3.BackendKeyData{ProcessID: s.process, SecretKey: []byte{0, 0, 0, byte(s.process)}})
}
