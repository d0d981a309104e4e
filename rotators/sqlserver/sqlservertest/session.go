package sqlservertest

import (
	"errors"
	"net"

	"github.com/seed492efc12/rotor/internal/servertest"
)

// A session is one connection.
type session struct {
	server   *wireServer
	conn     net.Conn // the socket, or TLS on it
	name     string   // as whom it logged in
	login    *login   // nil for a contained user
	database *database
	user     *user
	locks    []string
	silent   bool
	program  string // what the client calls itself
}

func (s *session) run() {
	if err := s.open(); err != nil {
		return
	}
	for {
		kind, body, err := readMessage(s.conn)
		if err != nil {
			return
		}
		if kind == packetAttention && !s.silent {
			var r reply
			r.done(tokenDone, doneAttention, 0)
			if writeMessage(s.conn, packetReply, r.b) != nil {
				return
			}
			continue
		}
		if !s.silent && !s.answer(kind, body) {
			return
		}
	}
}

// errSilence leaves a request without an answer.
var errSilence = errors.New("the server does not answer")

// answer answers one request. It returns false at the end of the connection.
func (s *session) answer(kind byte, body []byte) bool {
	var r reply
	request, err := readRequest(kind, body)
	done := tokenDone
	if request.rpc {
		done = tokenDoneProc
	}
	var rows [][]value
	var columns int
	if err == nil {
		columns, rows, err = s.handle(request, &r)
	}
	switch {
	case errors.Is(err, errHangUp):
		return false
	case errors.Is(err, errSilence):
		s.silent = true
		return true
	}
	if err != nil {
		told, ok := errors.AsType[*sqlError](err)
		if !ok {
			told = raise(50000, "%v", err)
		}
		s.server.log.Addf("error: %v", told)
		r.failure(told)
		r.done(byte(done), doneError, 0)
	} else {
		if columns > 0 {
			r.rows(columns, rows)
		}
		r.done(byte(done), doneCount, len(rows))
	}
	return writeMessage(s.conn, packetReply, r.b) == nil
}

// handle runs a request under the server's lock: one at a time.
func (s *session) handle(request request, r *reply) (columns int, rows [][]value, err error) {
	tokens, err := lex(request.source)
	s.server.log.Addf("statement of %s: %s", s.name, masked(request.source, tokens))
	servertest.Record("sqlserver", s.program == "rotor", request.source)
	if err != nil {
		return 0, nil, err
	}
	if err := s.server.intervene(request.source); err != nil {
		return 0, nil, err
	}
	p := &parser{source: request.source, tokens: tokens}
	if p.take("declare") {
		resource, err := p.appLock(request)
		if err != nil {
			return 0, nil, err
		}
		return s.appLock(resource)
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if asksCatalog(tokens) {
		return s.query(request)
	}
	before := s.database
	if err := s.execute(p); err != nil {
		return 0, nil, err
	}
	if s.database != before {
		r.inDatabase(s.database.name, before.name)
	}
	return 0, nil, nil
}
