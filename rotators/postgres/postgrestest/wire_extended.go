package postgrestest

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A prepared is a prepared statement. Its plan is nil when it is empty.
type prepared struct {
	name   string
	source string
	plan   *plan
}

// A portal is a prepared statement with its arguments.
type portal struct {
	of        *prepared
	arguments []any
	formats   []int16 // of the result
}

// extended answers the messages of the extended query protocol (the manual's section 54.2.3). With an error it returns
// the statement that it is about.
func (s *wireSession) extended(message pgproto3.FrontendMessage) (statement string, err error) {
	switch m := message.(type) {
	case *pgproto3.Parse:
		return m.Query, s.parse(m)
	case *pgproto3.Bind:
		return "", s.bind(m)
	case *pgproto3.Describe:
		return "", s.describe(m)
	case *pgproto3.Execute:
		return s.executePortal(m)
	case *pgproto3.Close:
		if m.ObjectType == 'S' {
			delete(s.prepared, m.Name)
		} else {
			delete(s.portals, m.Name)
		}
		s.backend.Send(&pgproto3.CloseComplete{})
		return "", nil
	}
	return "", refuse("08P01", "unexpected message %T", message)
}

func (s *wireSession) parse(m *pgproto3.Parse) error {
	if m.Name != "" && s.prepared[m.Name] != nil {
		return raise("42P05", "prepared statement %q already exists", m.Name)
	}
	tokens, err := lex(m.Query)
	if err != nil {
		return err
	}
	p := &prepared{name: m.Name, source: m.Query}
	switch statements := splitStatements(tokens); len(statements) {
	case 0:
	case 1:
		if p.plan, err = s.plan(m.Query, statements[0], m.ParameterOIDs); err != nil {
			return err
		}
	default:
		return raise("42601", "cannot insert multiple commands into a prepared statement")
	}
	s.prepared[m.Name] = p
	s.backend.Send(&pgproto3.ParseComplete{})
	return nil
}

func (s *wireSession) bind(m *pgproto3.Bind) error {
	p := s.prepared[m.PreparedStatement]
	if p == nil {
		return raise("26000", "prepared statement %q does not exist", m.PreparedStatement)
	}
	var parameters []uint32
	if p.plan != nil {
		parameters = p.plan.parameters
	}
	if len(m.Parameters) != len(parameters) {
		return raise("08P01", "bind message supplies %d parameters, but prepared statement %q requires %d",
			len(m.Parameters), p.name, len(parameters))
	}
	bound := &portal{of: p, formats: append([]int16(nil), m.ResultFormatCodes...)}
	for i, value := range m.Parameters {
		argument, err := s.decode(parameters[i], formatOf(m.ParameterFormatCodes, i), value)
		if err != nil {
			return err
		}
		bound.arguments = append(bound.arguments, argument)
	}
	s.portals[m.DestinationPortal] = bound
	s.backend.Send(&pgproto3.BindComplete{})
	return nil
}

// decode reads an argument into the Go type that pgx gives to its PostgreSQL type; NULL is nil.
func (s *wireSession) decode(oid uint32, format int16, value []byte) (any, error) {
	if value == nil {
		return nil, nil
	}
	kind, ok := s.types.TypeForOID(oid)
	if !ok {
		return nil, raise("0A000", "the wire-level server does not know type %d", oid)
	}
	decoded, err := kind.Codec.DecodeValue(s.types, oid, format, value)
	if err != nil {
		return nil, raise("22P02", "invalid input syntax for type %s: %q", kind.Name, value)
	}
	return decoded, nil
}

func (s *wireSession) describe(m *pgproto3.Describe) error {
	if m.ObjectType == 'S' {
		p := s.prepared[m.Name]
		if p == nil {
			return raise("26000", "prepared statement %q does not exist", m.Name)
		}
		parameters := &pgproto3.ParameterDescription{}
		if p.plan != nil {
			parameters.ParameterOIDs = p.plan.parameters
		}
		s.backend.Send(parameters)
		s.sendColumns(p.plan, nil)
		return nil
	}
	bound := s.portals[m.Name]
	if bound == nil {
		return raise("34000", "portal %q does not exist", m.Name)
	}
	s.sendColumns(bound.of.plan, bound.formats)
	return nil
}

func (s *wireSession) sendColumns(p *plan, formats []int16) {
	if p == nil || p.columns == nil {
		s.backend.Send(&pgproto3.NoData{})
		return
	}
	s.backend.Send(describe(p.columns, formats))
}

func (s *wireSession) executePortal(m *pgproto3.Execute) (statement string, err error) {
	bound := s.portals[m.Portal]
	if bound == nil {
		return "", raise("34000", "portal %q does not exist", m.Portal)
	}
	s.logExecute(bound)
	if bound.of.plan == nil {
		s.backend.Send(&pgproto3.EmptyQueryResponse{})
		return "", nil
	}
	done, err := s.execute(bound.of.plan, bound.arguments)
	if err != nil {
		return bound.of.source, err
	}
	return bound.of.source, s.sendResult(bound.of.plan, done, bound.formats)
}

// logExecute logs a statement with its arguments, as log_statement has it.
func (s *wireSession) logExecute(bound *portal) {
	name := bound.of.name
	if name == "" {
		name = "<unnamed>"
	}
	s.logf("00000", "LOG", "execute %s: %s", name, bound.of.source)
	var arguments []string
	for i, argument := range bound.arguments {
		arguments = append(arguments, fmt.Sprintf("$%d = '%v'", i+1, argument))
	}
	if len(arguments) > 0 {
		s.logf("00000", "DETAIL", "Parameters: %s", strings.Join(arguments, ", "))
	}
}
