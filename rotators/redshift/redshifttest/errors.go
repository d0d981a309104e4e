package redshifttest

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A sqlError is what a client is told.
type sqlError struct {
	code, message string
	fatal         bool // ends the connection
}

func (e *sqlError) Error() string { return e.message + " (" + e.code + ")" }

func raise(code, format string, arguments ...any) *sqlError {
	return &sqlError{code: code, message: fmt.Sprintf(format, arguments...)}
}

// refuse makes an error that ends a connection.
func refuse(code, format string, arguments ...any) *sqlError {
	e := raise(code, format, arguments...)
	e.fatal = true
	return e
}

func (e *sqlError) response() *pgproto3.ErrorResponse {
	severity := "ERROR"
	if e.fatal {
		severity = "FATAL"
	}
	return &pgproto3.ErrorResponse{Severity: severity, Code: e.code, Message: e.message}
}

// unknown is the one error that no real server has: it says that this package lacks a statement.
func unknown(source string) *sqlError {
	return raise("0A000", "the wire-level server does not know this statement: %s", source)
}

func denied(format string, arguments ...any) *sqlError { return raise("42501", format, arguments...) }

func missing(kind, name string) *sqlError {
	code := "42704"
	switch kind {
	case "table":
		code = "42P01"
	case "schema":
		code = "3F000"
	case "database":
		code = "3D000"
	case "function", "procedure":
		code = "42883"
	}
	return raise(code, "%s %q does not exist", kind, name)
}
