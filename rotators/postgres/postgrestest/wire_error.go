package postgrestest

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A sqlError is what a client is told, with a code of PostgreSQL's appendix A.
type sqlError struct {
	code    string
	message string
	detail  string
	routine string // of the real server's source, where clients go by it
	fatal   bool   // ends the connection
}

func (e *sqlError) Error() string { return e.message + " (" + e.code + ")" }

// raise makes an error that ends a statement.
func raise(code, format string, arguments ...any) *sqlError {
	return &sqlError{code: code, message: fmt.Sprintf(format, arguments...)}
}

// refuse makes an error that ends a connection.
func refuse(code, format string, arguments ...any) *sqlError {
	e := raise(code, format, arguments...)
	e.fatal = true
	return e
}

// because adds the DETAIL line.
func (e *sqlError) because(format string, arguments ...any) *sqlError {
	e.detail = fmt.Sprintf(format, arguments...)
	return e
}

// in adds the name of the routine that the real server reports.
func (e *sqlError) in(routine string) *sqlError {
	e.routine = routine
	return e
}

func (e *sqlError) severity() string {
	if e.fatal {
		return "FATAL"
	}
	return "ERROR"
}

// response is the error as the protocol carries it.
func (e *sqlError) response() *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity: e.severity(), SeverityUnlocalized: e.severity(),
		Code: e.code, Message: e.message, Detail: e.detail, Routine: e.routine,
	}
}

// The errors that many statements share.

func noRole(name string) *sqlError { return raise("42704", "role %q does not exist", name) }

func denied(format string, arguments ...any) *sqlError { return raise("42501", format, arguments...) }

// unknown is the one error that the real server does not have: it says that this package's table of statements lacks
// an entry, so that a test which needs one fails with the remedy in its output.
func unknown(statement string) *sqlError {
	return raise("0A000", "the wire-level server does not know this statement: %s", statement).
		because("Add it to statementForms or catalogQueries in postgrestest, or test with a real server.")
}
