package oracletest

import "fmt"

// A sqlError is what a client is told.
type sqlError struct {
	Code    int
	Message string
}

func (e *sqlError) Error() string { return e.Message }

func raise(code int, format string, arguments ...any) *sqlError {
	return &sqlError{code, fmt.Sprintf("ORA-%05d: ", code) + fmt.Sprintf(format, arguments...)}
}

func syntax(what string) *sqlError {
	return raise(900, "the stand-in does not know this statement: %s", what)
}

func erring(on key) *sqlError { return raise(4063, "view \"%s.%s\" has errors", on.owner, on.name) }

func denied() *sqlError { return raise(1031, "insufficient privileges") }

func invisible() *sqlError { return raise(942, "table or view does not exist") }
