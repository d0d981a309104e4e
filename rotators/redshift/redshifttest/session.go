package redshifttest

import (
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed492efc12/rotor/internal/catalogquery"
	"github.com/seed492efc12/rotor/internal/servertest"
)

// A session is one connection.
type session struct {
	server   *wireServer
	conn     net.Conn // the socket, or TLS on it
	backend  *pgproto3.Backend
	user     string
	program  string // what the client calls itself
	database string
	loggedIn bool // guarded by server.mu
	types    *pgtype.Map
	keepCase bool // enable_case_sensitive_identifier

	explicit, failed bool     // of the transaction
	block            bool     // it began with BEGIN
	work             *catalog // what the transaction sees, once it has changed something
	readOnly         bool

	prepared map[string]*prepared
	bound    *portal
	skipping bool // after an error in the extended protocol, until Sync
}

// A prepared is a prepared statement, a portal one with its arguments.
type prepared struct {
	source     string
	parameters []uint32
}

type portal struct {
	*prepared
	arguments []string
}

func (s *session) run() {
	defer s.rollback()
	if err := s.login(); err != nil {
		s.fail(err)
		return
	}
	s.ready()
	for {
		message, err := s.backend.Receive()
		if err != nil || !s.handle(message) {
			return
		}
	}
}

func (s *session) send(messages ...pgproto3.BackendMessage) {
	for _, m := range messages {
		s.backend.Send(m)
	}
}

func (s *session) fail(err error) {
	if errors.Is(err, errGone) {
		return
	}
	told, ok := errors.AsType[*sqlError](err)
	if !ok {
		told = raise("XX000", "%v", err)
	}
	s.server.log.Addf("error: %v", told)
	s.send(told.response())
	if told.fatal {
		_ = s.backend.Flush() // the connection ends anyway
	}
}

func (s *session) ready() {
	status := byte('I')
	switch {
	case s.failed:
		status = 'E'
	case s.explicit:
		status = 'T'
	}
	s.send(&pgproto3.ReadyForQuery{TxStatus: status})
	_ = s.backend.Flush() // a client that is gone shows in the next Receive
}

// handle answers one message. It returns false at the end of the connection.
func (s *session) handle(message pgproto3.FrontendMessage) bool {
	switch m := message.(type) {
	case *pgproto3.Terminate:
		return false
	case *pgproto3.Query:
		s.simple(m.String)
	case *pgproto3.Sync:
		s.skipping = false
		s.ready()
	case *pgproto3.Flush:
		_ = s.backend.Flush()
	default:
		if s.skipping {
			return true
		}
		if err := s.extended(message); err != nil {
			s.skipping, s.failed = true, s.explicit
			s.fail(err)
		}
	}
	return true
}

// simple runs the statements of one Query message, in one transaction unless they say otherwise.
func (s *session) simple(source string) {
	defer s.ready()
	s.server.log.Addf("statement: %s", source)
	servertest.Record("redshift", s.program == "rotor", source)
	tokens, err := lex(source)
	if err != nil {
		s.fail(err)
		return
	}
	statements := split(tokens)
	alone := !s.explicit && len(statements) > 1 && !statements[0][0].is("begin")
	if alone {
		s.explicit = true
	}
	for _, statement := range statements {
		if err := s.one(source, statement, len(statements)); err != nil {
			s.failed = s.explicit
			s.fail(err)
			break
		}
	}
	if alone && s.failed {
		s.rollback()
	} else if alone {
		s.commit()
	}
}

// one runs one of the statements of a text.
func (s *session) one(source string, tokens []token, of int) error {
	if isQuery(tokens) && of == 1 {
		q, err := Prepare(source)
		if err != nil {
			return err
		}
		s.send(describe(q))
		return s.answer(q, nil)
	}
	tag, err := s.execute(source, tokens)
	if err == nil {
		s.send(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	}
	return err
}

// extended answers the messages of the extended query protocol, for unnamed statements and portals.
func (s *session) extended(message pgproto3.FrontendMessage) error {
	switch m := message.(type) {
	case *pgproto3.Parse:
		s.prepared[m.Name] = &prepared{m.Query, m.ParameterOIDs}
		s.send(&pgproto3.ParseComplete{})
	case *pgproto3.Bind:
		return s.bind(m)
	case *pgproto3.Describe:
		return s.describe()
	case *pgproto3.Execute:
		return s.executePortal()
	case *pgproto3.Close:
		s.send(&pgproto3.CloseComplete{})
	default:
		return refuse("08P01", "unexpected message %T", message)
	}
	return nil
}

func (s *session) bind(m *pgproto3.Bind) error {
	p := s.prepared[m.PreparedStatement]
	if p == nil {
		return raise("26000", "prepared statement %q does not exist", m.PreparedStatement)
	}
	s.bound = &portal{prepared: p}
	for _, value := range m.Parameters {
		s.bound.arguments = append(s.bound.arguments, string(value)) // all are text
	}
	s.send(&pgproto3.BindComplete{})
	return nil
}

// query reads what is bound, if it is a query.
func (s *session) query() (*catalogquery.Query, error) {
	tokens, err := lex(s.bound.source)
	if err != nil || !isQuery(tokens) {
		return nil, err
	}
	return Prepare(s.bound.source)
}

func (s *session) describe() error {
	q, err := s.query()
	if q == nil {
		s.send(&pgproto3.NoData{})
		return err
	}
	s.send(describe(q))
	return err
}

func (s *session) executePortal() error {
	s.server.log.Addf("execute: %s, with %q", s.bound.source, s.bound.arguments)
	servertest.Record("redshift", s.program == "rotor", s.bound.source)
	q, err := s.query()
	switch {
	case err != nil:
		return err
	case q != nil:
		return s.answer(q, s.bound.arguments)
	case len(s.bound.arguments) > 0:
		return raise("42601", `syntax error at or near "$1"`) // a statement that is no query takes no parameters
	}
	tokens, err := lex(s.bound.source)
	if err != nil {
		return err
	}
	tag, err := s.execute(s.bound.source, tokens)
	if err == nil {
		s.send(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	}
	return err
}

// execute runs a statement that is no query.
func (s *session) execute(source string, tokens []token) (tag string, err error) {
	p := &parser{source: source, tokens: tokens, fold: !s.keepCase}
	ends := p.take("commit") || p.take("rollback") || p.take("end")
	if s.failed && !ends {
		return "", raise("25P02", "current transaction is aborted")
	}
	if ends {
		return s.end(strings.ToUpper(tokens[0].text)), p.end()
	}
	if p.take("begin") {
		s.explicit, s.block = true, true
		s.readOnly = p.take("read", "only")
		_ = p.take("read", "write")
		return "BEGIN", p.end()
	}
	if p.take("set", "enable_case_sensitive_identifier", "to", "true") {
		s.keepCase = true
		return "SET", p.end()
	}
	if deny := s.server.config.Deny; deny != "" && strings.Contains(source, deny) {
		return "", denied("permission denied")
	}
	act, err := parse(p)
	if err != nil {
		return "", err
	}
	if err := p.end(); err != nil {
		return "", err
	}
	if s.block && s.server.config.GrantsAlone && tokens[0].is("grant") {
		return "", raise("25001", "GRANT cannot run inside a transaction block")
	}
	return strings.ToUpper(tokens[0].text), s.change(act)
}

// change runs an action in the session's transaction, or in one of its own.
func (s *session) change(act action) error {
	if s.readOnly || s.server.config.ReadOnly {
		return raise("25006", "transaction is read-only")
	}
	if s.work == nil {
		select {
		case s.server.writer <- struct{}{}:
		case <-time.After(10 * time.Second):
			return raise("55P03", "lock timeout")
		}
		s.work = s.server.committed().clone()
	}
	err := act(s.work, s)
	switch {
	case s.explicit:
	case err != nil:
		s.rollback()
	default:
		s.commit()
	}
	return err
}

func (s *session) view() *catalog {
	if s.work != nil {
		return s.work
	}
	return s.server.committed()
}

func (s *session) end(command string) (tag string) {
	if s.failed || command == "ROLLBACK" {
		s.rollback()
		return "ROLLBACK"
	}
	s.commit()
	return "COMMIT"
}

func (s *session) commit() {
	if s.work != nil {
		s.server.commit(s.work)
	}
	s.rollback()
}

func (s *session) rollback() {
	if s.work != nil {
		<-s.server.writer
	}
	s.work, s.explicit, s.block, s.failed, s.readOnly = nil, false, false, false, false
}
