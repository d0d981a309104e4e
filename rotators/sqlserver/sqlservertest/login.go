package sqlservertest

import (
	"crypto/tls"
	"encoding/binary"
	"errors"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// errHangUp ends a connection without a word.
var errHangUp = errors.New("the server hangs up")

// What client and server say of encryption.
// Source: MS-TDS 2.2.6.5.
const (
	encryptOff    = 0
	encryptOn     = 1
	encryptNot    = 2
	encryptDemand = 3

	optionEncryption = 1
	optionEnd        = 0xFF
)

// maxFailures is how many wrong passwords in a row lock a login with
// CHECK_POLICY.
const maxFailures = 5

// open takes a connection from its first byte to the point where it may send
// statements.
func (s *session) open() error {
	kind, body, err := readMessage(s.conn)
	if err != nil || kind != packetPrelogin {
		return errHangUp
	}
	if err := s.encrypt(wanted(body)); err != nil {
		return err
	}
	if kind, body, err = readMessage(s.conn); err != nil || kind != packetLogin {
		return errHangUp
	}
	l, err := readLogin(body)
	if err != nil {
		return err
	}
	var r reply
	failures := s.admit(l)
	for _, f := range failures {
		r.failure(f)
	}
	if len(failures) > 0 {
		s.server.log.Addf(servertest.LoginRefused+"%s: %v", l.user, failures[0])
		r.done(tokenDone, doneError, 0)
		_ = writeMessage(s.conn, packetReply, r.b) // the connection ends anyway
		return errHangUp
	}
	s.server.log.Addf(servertest.LoginAccepted+"%s", l.user)
	if to := s.server.config.Route; to != 0 {
		r.routing(servertest.Host, to)
	} else {
		r.inDatabase(s.database.name, "master")
	}
	r.welcome()
	r.done(tokenDone, 0, 0)
	return writeMessage(s.conn, packetReply, r.b)
}

// wanted is what the client says of encryption.
func wanted(body []byte) byte {
	for at := 0; at+5 <= len(body) && body[at] != optionEnd; at += 5 {
		if offset := int(binary.BigEndian.Uint16(body[at+1:])); body[at] == optionEncryption && offset < len(body) {
			return body[offset]
		}
	}
	return encryptNot
}

// encrypt answers the prelogin and, if both can, goes on with TLS.
func (s *session) encrypt(client byte) error {
	config := s.server.config
	answer := byte(encryptOn)
	switch {
	case config.TLS == servertest.TLSOff:
		answer = encryptNot
	case client == encryptNot && config.DemandTLS:
		answer = encryptDemand
	case client == encryptNot:
		answer = encryptNot
	}
	prelogin := []byte{0, 0, 11, 0, 6, optionEncryption, 0, 17, 0, 1, optionEnd, 16, 0, 0x10, 0, 0, 0, answer}
	if err := writeMessage(s.conn, packetReply, prelogin); err != nil || answer == encryptNot {
		return err
	}
	h := &handshakeConn{Conn: s.conn}
	secured := tls.Server(h, s.server.tls)
	if err := secured.Handshake(); err != nil {
		_ = h.flush() // what is wrong
		return err
	}
	if err := h.flush(); err != nil {
		return err
	}
	h.raw, s.conn = true, secured
	return nil
}

// A loginRequest is what LOGIN7 says.
type loginRequest struct{ user, password, database, program string }

// readLogin reads LOGIN7.
// Source: MS-TDS 2.2.6.4.
func readLogin(body []byte) (l loginRequest, err error) {
	field := func(at int) []byte {
		if at+4 > len(body) {
			err = errMalformed
			return nil
		}
		offset, n := int(binary.LittleEndian.Uint16(body[at:])), 2*int(binary.LittleEndian.Uint16(body[at+2:]))
		if offset+n > len(body) {
			err = errMalformed
			return nil
		}
		return body[offset : offset+n]
	}
	var password []byte
	for _, b := range field(44) {
		b ^= 0xA5
		password = append(password, b<<4|b>>4)
	}
	l = loginRequest{user: utf16Text(field(40)), password: utf16Text(password), program: utf16Text(field(48)), database: utf16Text(field(68))}
	return l, err
}

// admit finds out who logs in and into which database. A server names a database
// that cannot be opened, and then says that the login failed.
func (s *session) admit(l loginRequest) []*sqlError {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.name, s.program = l.user, l.program
	if len(s.server.refusals) > 0 {
		return s.server.refusals
	}
	c := s.server.catalog
	d := c.database(l.database)
	if d != nil && d.contained {
		if u := d.user(l.user); u != nil && u.contained {
			if u.password != l.password || !d.connects(u) {
				return []*sqlError{failed(18456, "", l.user)}
			}
			s.database, s.user = d, u
			return nil
		}
	}
	who := c.login(l.user)
	if refusal := who.authenticate(l); refusal != nil {
		return []*sqlError{refusal}
	}
	s.login = who
	if d == nil || d.offline || s.enter(l.database) != nil {
		return []*sqlError{
			{4060, 11, "Cannot open database \"" + l.database + "\" requested by the login. The login failed."},
			failed(codeFailed, "", l.user),
		}
	}
	return nil
}

const codeFailed = 18456

func failed(number int32, reason, user string) *sqlError {
	return &sqlError{number, 14, "Login failed for user '" + user + "'." + reason}
}

// authenticate checks a password. A login that does not exist fails like one
// with another password; the state of a login shows only to who knows it.
func (l *login) authenticate(r loginRequest) *sqlError {
	switch {
	case l == nil || l.kind != "S":
		return failed(codeFailed, "", r.user)
	case l.locked:
		return failed(18486, " because the account is currently locked out. The system administrator can unlock it.", r.user)
	case l.password != r.password:
		l.failures++
		l.locked = l.policy && l.failures >= maxFailures
		return failed(codeFailed, "", r.user)
	case l.disabled:
		return failed(18470, " Reason: The account is disabled.", r.user)
	case l.mustSet:
		return failed(18488, " Reason: The password of the account must be changed.", r.user)
	case l.expired:
		return failed(18487, " Reason: The password of the account has expired.", r.user)
	}
	l.failures = 0
	return nil
}
