package postgrestest

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgtype"
)

// SELECT without FROM: constants, parameters, and a few functions. Everything else is a catalogQuery or unknown.

// An expression is a value to be computed, with the name and type that PostgreSQL gives it.
type expression struct {
	column
	eval func(s *wireSession, arguments []any) (any, error)
}

func planSelect(p *parser, types []uint32) (*plan, error) {
	made := &plan{columns: []column{}}
	reader := selectReader{parser: p, types: types, plan: made}
	items, err := list(p, reader.item)
	if told, ok := errors.AsType[*sqlError](err); err == nil && !p.done() || ok && told.code == "42601" {
		return nil, unknown(p.source) // whether it is wrong or only beyond this reader is not known here
	}
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		made.columns = append(made.columns, item.column)
	}
	made.run = func(s *wireSession, arguments []any) (result, error) {
		row := make([]any, len(items))
		for i, item := range items {
			value, err := item.eval(s, arguments)
			if err != nil {
				return result{}, err
			}
			row[i] = value
		}
		return result{tag: "SELECT 1", rows: [][]any{row}}, nil
	}
	return made, nil
}

// A selectReader reads the expressions of one SELECT, and notes the parameters that it finds.
type selectReader struct {
	*parser
	types []uint32
	plan  *plan
}

// item reads an expression with its casts and its alias.
func (r selectReader) item() (expression, error) {
	e, err := r.cast()
	if err != nil {
		return e, err
	}
	if r.take("as") {
		e.name, err = r.name()
	} else if alias, ok := r.takeKind(quotedToken); ok {
		e.name = alias
	}
	return e, err
}

// cast reads an expression and the types that it is cast to.
func (r selectReader) cast() (expression, error) {
	parameter := !r.done() && r.tokens[r.at].kind == paramToken
	e, err := r.primary()
	for err == nil && r.take("::") {
		r.take("pg_catalog", ".")
		var name string
		if name, err = r.name(); err != nil {
			return e, err
		}
		oid, known := typeNames[name]
		if !known {
			return e, unknown(r.source)
		}
		if parameter {
			parameter = false
			e = r.declare(e, oid)
		} else {
			e = e.as(oid)
		}
		if e.name == "?column?" {
			e.name = name
		}
	}
	return e, err
}

// typeNames are the types that this server can cast to.
var typeNames = map[string]uint32{
	"text": pgtype.TextOID, "name": pgtype.NameOID, "bool": pgtype.BoolOID, "boolean": pgtype.BoolOID,
	"int": pgtype.Int4OID, "int4": pgtype.Int4OID, "integer": pgtype.Int4OID,
	"int8": pgtype.Int8OID, "bigint": pgtype.Int8OID, "oid": pgtype.OIDOID,
}

// declare gives the parameter that was read last its type, if the client did not.
func (r selectReader) declare(e expression, oid uint32) expression {
	number, _ := strconv.Atoi(r.tokens[r.at-2].text)
	if r.tokens[r.at-2].is("::") { // the type's name came without its schema
		number, _ = strconv.Atoi(r.tokens[r.at-3].text)
	}
	if number < 1 || number > len(r.plan.parameters) || number <= len(r.types) && r.types[number-1] != 0 {
		return e.as(oid)
	}
	r.plan.parameters[number-1] = oid
	e.oid = oid
	return e
}

// as converts an expression by way of its text, as a cast does for most types.
func (e expression) as(oid uint32) expression {
	from, inner := e.oid, e.eval
	if from == oid {
		return e
	}
	e.oid = oid
	e.eval = func(s *wireSession, arguments []any) (any, error) {
		value, err := inner(s, arguments)
		if err != nil || value == nil {
			return value, err
		}
		text, err := s.types.Encode(from, pgtype.TextFormatCode, value, []byte{})
		if err != nil {
			return nil, raise("22P02", "casting %v: %v", value, err)
		}
		return s.decode(oid, pgtype.TextFormatCode, text)
	}
	return e
}

func constant(name string, oid uint32, value any) expression {
	return expression{column{name, oid}, func(*wireSession, []any) (any, error) { return value, nil }}
}

// primary reads a constant, a parameter, a function call, or an expression in parentheses.
func (r selectReader) primary() (expression, error) {
	if text, ok := r.takeKind(stringToken); ok {
		return constant("?column?", pgtype.TextOID, text), nil
	}
	if number, ok := r.takeKind(paramToken); ok {
		return r.parameter(number)
	}
	if r.take("(") {
		e, err := r.cast()
		if err == nil {
			err = r.expect(")")
		}
		return e, err
	}
	if digits, ok := r.takeKind(numberToken); ok {
		return number(digits)
	}
	if r.take("-") {
		digits, ok := r.takeKind(numberToken)
		if !ok {
			return expression{}, r.syntax()
		}
		return number("-" + digits)
	}
	return r.word()
}

func number(digits string) (expression, error) {
	if n, err := strconv.ParseInt(digits, 10, 32); err == nil {
		return constant("?column?", pgtype.Int4OID, int32(n)), nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return expression{}, raise("0A000", "the wire-level server knows integers only, not %s", digits)
	}
	return constant("?column?", pgtype.Int8OID, n), nil
}

// parameter reads $n, which is text unless the client says otherwise.
func (r selectReader) parameter(digits string) (expression, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 100 {
		return expression{}, raise("42P02", "there is no parameter $%s", digits)
	}
	for len(r.plan.parameters) < n {
		oid := uint32(pgtype.TextOID)
		if i := len(r.plan.parameters); i < len(r.types) && r.types[i] != 0 {
			oid = r.types[i]
		}
		r.plan.parameters = append(r.plan.parameters, oid)
	}
	eval := func(_ *wireSession, arguments []any) (any, error) {
		if len(arguments) < n {
			return nil, raise("42P02", "there is no parameter $%d", n)
		}
		return arguments[n-1], nil
	}
	return expression{column{"?column?", r.plan.parameters[n-1]}, eval}, nil
}

// word reads a key word that is a value, or a function call.
func (r selectReader) word() (expression, error) {
	switch word, _ := r.takeOne("true", "false", "null", "current_user", "current_role", "user", "session_user"); word {
	case "true", "false":
		return constant("bool", pgtype.BoolOID, word == "true"), nil
	case "null":
		return constant("?column?", pgtype.TextOID, nil), nil
	case "session_user":
		return expression{column{word, pgtype.NameOID}, func(s *wireSession, _ []any) (any, error) { return s.user, nil }}, nil
	case "current_user", "current_role", "user":
		return expression{column{word, pgtype.NameOID}, func(s *wireSession, _ []any) (any, error) { return s.currentUser(), nil }}, nil
	}
	r.take("pg_catalog", ".")
	name, err := r.name()
	if err != nil {
		return expression{}, err
	}
	f, known := functions()[name]
	if !known || !r.take("(") {
		return expression{}, unknown(r.source)
	}
	return r.call(name, f)
}

// call reads a function's arguments.
func (r selectReader) call(name string, f function) (expression, error) {
	var inputs []expression
	if !r.take(")") {
		var err error
		if inputs, err = list(r.parser, r.cast); err != nil {
			return expression{}, err
		}
		if err := r.expect(")"); err != nil {
			return expression{}, err
		}
	}
	if len(inputs) < f.least || len(inputs) > f.most {
		return expression{}, raise("42883", "function %s with %d arguments does not exist", name, len(inputs))
	}
	eval := func(s *wireSession, arguments []any) (any, error) {
		var values []string
		for _, input := range inputs {
			value, err := input.eval(s, arguments)
			if err != nil || value == nil {
				return nil, err // NULL in, NULL out
			}
			values = append(values, fmt.Sprint(value))
		}
		return f.call(s, values)
	}
	return expression{column{name, f.oid}, eval}, nil
}
