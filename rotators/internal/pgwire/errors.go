package pgwire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/framework/rotation"
)

// Codes are the SQLSTATEs of a server whose class is the same at every step.
type Codes map[string]rotation.Fault

// Fault gives an error of a session its class. A nil error stays nil, and an
// error that is not the server's stays as it is.
func (c Codes) Fault(err error) error {
	var f *rotation.Fault
	var pe *pgconn.PgError
	if err == nil || errors.As(err, &f) || !errors.As(err, &pe) {
		return err
	}
	return c.Server(pe)
}

// Server gives an error that the server sent its class: Unknown, if no code
// fits.
func (c Codes) Server(pe *pgconn.PgError) *rotation.Fault {
	f, known := c[pe.Code]
	if !known {
		f.Class = rotation.Unknown
	}
	f.Err = &serverError{pe}
	return &f
}

// serverError prints what the server said without the statement, which pgx
// keeps out of its text as well, and without the context, in which the server
// may quote one.
type serverError struct{ pe *pgconn.PgError }

func (e *serverError) Error() string {
	text := e.pe.Message
	if e.pe.Detail != "" {
		text += " (" + strings.TrimSuffix(e.pe.Detail, ".") + ")"
	}
	return fmt.Sprintf("%s, SQLSTATE %s", text, e.pe.Code)
}

func (e *serverError) Unwrap() error { return e.pe }

// Code is the SQLSTATE of an error that the server sent, or "".
func Code(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

// NoTLS wraps [database.ErrNoTLS] around the error of a server that offers no
// TLS, for which pgx has no value, and returns every other error as it is.
func NoTLS(err error) error {
	if strings.Contains(err.Error(), "server refused TLS connection") {
		return fmt.Errorf("%w: %w", database.ErrNoTLS, err)
	}
	return err
}
