package mysqltest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"errors"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// Capabilities that the server offers.
// Source: MySQL Internals, "Capabilities Flags".
const (
	clientLongPassword     = 1 << 0
	clientConnectWithDB    = 1 << 3
	clientProtocol41       = 1 << 9
	clientSSL              = 1 << 11
	clientTransactions     = 1 << 13
	clientSecureConnection = 1 << 15
	clientPluginAuth       = 1 << 19
	clientConnectAttrs     = 1 << 20
	clientLenencAuth       = 1 << 21
)

const nativePlugin = "mysql_native_password"

// login runs the connection phase. An error is the end of the session, and has been answered.
func (s *wireSession) login() error {
	challenge := make([]byte, 20)
	rand.Read(challenge)
	for i := range challenge {
		challenge[i] = challenge[i]%90 + 33 // no NUL
	}
	if err := s.write(s.greeting(challenge)); err != nil {
		return err
	}
	answer, err := s.read()
	if err == nil {
		answer, err = s.upgrade(answer)
	}
	if err != nil {
		return err
	}
	user, response, database := parseAnswer(answer)
	s.wire.log.add(s.id, "Connect", "%s@%s on %s using %s", user, "127.0.0.1", database, s.transport())
	if c := s.authenticate(user, response, challenge); c != nil {
		s.wire.log.add(s.id, "Connect", "%s", refusal(c))
		return errors.Join(c, s.fail(c))
	}
	if c := s.mayOpen(database); c != nil {
		return errors.Join(c, s.fail(c))
	}
	return s.ok()
}

// refusal is how the log says it: all of them in the words that countLogins knows.
func refusal(c *code) string {
	if c.number == 1045 {
		return c.message
	}
	return "Access denied: " + c.message
}

// greeting is HandshakeV10.
func (s *wireSession) greeting(challenge []byte) []byte {
	capabilities := uint32(clientLongPassword | clientConnectWithDB | clientProtocol41 | clientSSL | clientTransactions |
		clientSecureConnection | clientPluginAuth | clientConnectAttrs | clientLenencAuth)
	if s.config.TLS == servertest.TLSOff {
		capabilities &^= clientSSL
	}
	b := append([]byte{10}, wireVersion...)
	b = little.AppendUint32(append(b, 0), s.id)
	b = append(append(b, challenge[:8]...), 0)
	b = little.AppendUint16(b, uint16(capabilities))
	b = append(b, 45, 2, 0) // utf8mb4, autocommit
	b = little.AppendUint16(b, uint16(capabilities>>16))
	b = append(append(b, 21), make([]byte, 10)...)
	b = append(append(b, challenge[8:]...), 0)
	return append(append(b, nativePlugin...), 0)
}

// upgrade turns TLS on if the client asks for it, and returns its next packet.
func (s *wireSession) upgrade(answer []byte) ([]byte, error) {
	if len(answer) < 32 {
		return nil, errors.New("a short packet")
	}
	if little.Uint32(answer)&clientSSL != 0 {
		secure := tls.Server(s.conn, s.wire.tls)
		if err := secure.Handshake(); err != nil {
			return nil, err
		}
		s.conn, s.secure = secure, true
		return s.read()
	}
	return answer, nil
}

func (s *wireSession) transport() string {
	if s.secure {
		return "SSL/TLS"
	}
	return "TCP/IP"
}

// parseAnswer reads HandshakeResponse41.
func parseAnswer(b []byte) (user string, response []byte, database string) {
	flags := little.Uint32(b)
	user, b = cutText(b[32:])
	n := int(b[0])
	response, b = b[1:1+n], b[1+n:]
	if flags&clientConnectWithDB != 0 {
		database, _ = cutText(b)
	}
	return user, response, database
}

// authenticate finds the account and checks the password.
func (s *wireSession) authenticate(user string, response, challenge []byte) *code {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.match(user)
	switch {
	case a == nil || a.require == "SSL" && !s.secure || a.password == "" && len(response) > 0,
		a.password != "" && !bytes.Equal(response, scramble(a.password, challenge)):
		return raise(1045, "Access denied for user '%s'@'127.0.0.1' (using password: YES)", user)
	case a.locked:
		return raise(3118, "Access denied for user '%s'@'127.0.0.1'. Account is locked.", user)
	case a.expired:
		return raise(1862, "Your password has expired. To log in you must change it using a client that supports expired passwords.")
	}
	s.account = a
	return nil
}

// scramble is SHA1(password) XOR SHA1(challenge + SHA1(SHA1(password))).
// Source: MySQL Internals, "Secure Password Authentication".
func scramble(password string, challenge []byte) []byte {
	one := sha1.Sum([]byte(password))
	two := sha1.Sum(one[:])
	three := sha1.Sum(append(bytes.Clone(challenge), two[:]...))
	out := make([]byte, len(one))
	for i := range one {
		out[i] = one[i] ^ three[i]
	}
	return out
}
