package sqlservertest

import "fmt"

// A sqlError is what a client is told.
type sqlError struct {
	number  int32
	class   byte
	message string
}

func (e *sqlError) Error() string { return fmt.Sprintf("%s (%d)", e.message, e.number) }

func raise(number int32, format string, arguments ...any) *sqlError {
	return &sqlError{number: number, class: 16, message: fmt.Sprintf(format, arguments...)}
}

func syntax(near string) *sqlError {
	return &sqlError{102, 15, fmt.Sprintf("Incorrect syntax near '%s'.", near)}
}

// cannot is the server's one answer to what does not exist and what is not
// allowed.
func cannot(verb, what, name string) *sqlError {
	return raise(15151, "Cannot %s the %s '%s', because it does not exist or you do not have permission.", verb, what, name)
}

// unknown is the one error that no real server has: it says that this package
// lacks a statement.
func unknown(source string) *sqlError {
	return raise(50000, "the wire-level server does not know this statement: %s", source)
}
