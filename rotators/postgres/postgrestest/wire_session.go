package postgrestest

import (
	"errors"
	"net"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// A wireSession is one connection. All but loggedIn belongs to its own goroutine.
type wireSession struct {
	server   *wireServer
	socket   net.Conn // what the server closes to end the session
	conn     net.Conn // the same, or TLS on it
	backend  *pgproto3.Backend
	process  uint32
	loggedIn bool // guarded by server.mu

	user     string
	database string
	settings map[string]string
	types    *pgtype.Map
	tx       *transaction // nil between statements, outside BEGIN

	prepared map[string]*prepared
	portals  map[string]*portal
	skipping bool // after an error in the extended protocol, until Sync
}

// run serves the connection until either side ends it.
func (s *wireSession) run() {
	defer s.server.forget(s)
	defer s.close()
	if err := s.login(); err != nil {
		s.fail(err, "")
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

// close ends the transaction before the connection: a client that waits for the end finds its effects undone.
func (s *wireSession) close() {
	if s.tx != nil {
		s.rollback()
	}
	s.conn.Close()
	s.socket.Close()
}

// logf writes to the server's log.
func (s *wireSession) logf(code, level, format string, arguments ...any) {
	s.server.log.add(s.process, code, level, format, arguments...)
}

// fail tells the client and the log of an error. The statement is logged with it, as log_min_error_statement has it.
func (s *wireSession) fail(err error, statement string) {
	if errors.Is(err, errNoLogin) {
		return
	}
	told, ok := errors.AsType[*sqlError](err)
	if !ok {
		told = raise("XX000", "%v", err)
	}
	s.logf(told.code, told.severity(), "%s", told.message)
	if statement != "" {
		s.logf(told.code, "STATEMENT", "%s", statement)
	}
	s.backend.Send(told.response())
	if told.fatal {
		s.backend.Flush() // the connection ends anyway
	}
}

// notice tells the client something that is no error.
func (s *wireSession) notice(severity, code, message string) {
	s.backend.Send(&pgproto3.NoticeResponse{Severity: severity, SeverityUnlocalized: severity, Code: code, Message: message})
}

// ready tells the client that it may send the next statement, and in what state its transaction is.
func (s *wireSession) ready() {
	s.backend.Send(&pgproto3.ReadyForQuery{TxStatus: s.status()})
	s.backend.Flush() // a client that is gone shows in the next Receive
}

// handle answers one message. It returns false at the end of the connection.
func (s *wireSession) handle(message pgproto3.FrontendMessage) bool {
	switch m := message.(type) {
	case *pgproto3.Terminate:
		return false
	case *pgproto3.Query:
		s.skipping = false
		s.simpleQuery(m.String)
		return true
	case *pgproto3.Sync:
		s.skipping = false
		s.finishImplicit()
		s.ready()
		return true
	case *pgproto3.Flush:
		s.backend.Flush()
		return true
	}
	if s.skipping {
		return true
	}
	if statement, err := s.extended(message); err != nil {
		s.skipping = true
		s.markFailed()
		s.fail(err, statement)
	}
	return true
}

// simpleQuery runs the statements of one Query message, in one transaction unless they say otherwise
// (the manual's section 54.2.2.1).
func (s *wireSession) simpleQuery(source string) {
	defer s.ready()
	defer s.finishImplicit()
	s.logf("00000", "LOG", "statement: %s", source)
	tokens, err := lex(source)
	if err != nil {
		s.markFailed()
		s.fail(err, source)
		return
	}
	statements := splitStatements(tokens)
	if len(statements) == 0 {
		s.backend.Send(&pgproto3.EmptyQueryResponse{})
	}
	for _, statement := range statements {
		if err := s.simpleStatement(source, statement); err != nil {
			s.markFailed()
			s.fail(err, source)
			return
		}
	}
}

// simpleStatement runs one statement and sends its rows as text.
func (s *wireSession) simpleStatement(source string, tokens []token) error {
	p, err := s.plan(source, tokens, nil)
	if err != nil {
		return err
	}
	if len(p.parameters) > 0 {
		return raise("42P02", "there is no parameter $1")
	}
	done, err := s.execute(p, nil)
	if err != nil {
		return err
	}
	if p.columns != nil {
		s.backend.Send(describe(p.columns, nil))
	}
	return s.sendResult(p, done, nil)
}

// sendResult sends rows and the command tag. The formats are those of the Bind message.
func (s *wireSession) sendResult(p *plan, done result, formats []int16) error {
	for _, row := range done.rows {
		values := make([][]byte, len(row))
		for i, value := range row {
			encoded, err := s.types.Encode(p.columns[i].oid, formatOf(formats, i), value, []byte{})
			if err != nil {
				return raise("XX000", "encoding column %q: %v", p.columns[i].name, err)
			}
			values[i] = encoded
		}
		s.backend.Send(&pgproto3.DataRow{Values: values})
	}
	s.backend.Send(&pgproto3.CommandComplete{CommandTag: []byte(done.tag)})
	return nil
}

// formatOf is the format code of the i-th value: none means text for all, one stands for all.
func formatOf(formats []int16, i int) int16 {
	switch len(formats) {
	case 0:
		return pgtype.TextFormatCode
	case 1:
		return formats[0]
	}
	return formats[i]
}

// describe is the description of result rows.
func describe(columns []column, formats []int16) *pgproto3.RowDescription {
	description := &pgproto3.RowDescription{}
	for i, c := range columns {
		description.Fields = append(description.Fields, pgproto3.FieldDescription{
			Name: []byte(c.name), DataTypeOID: c.oid, DataTypeSize: -1, TypeModifier: -1, Format: formatOf(formats, i),
		})
	}
	return description
}
