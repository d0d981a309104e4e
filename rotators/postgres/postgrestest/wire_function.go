package postgrestest

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// voidOID is the type of functions that return nothing; pgtype has no name for it.
const voidOID = 2278

// A function may be called in a SELECT without FROM. It gets its arguments as text.
type function struct {
	least, most int
	oid         uint32 // of the result
	call        func(s *wireSession, arguments []string) (any, error)
}

// functions are those that the wire-level server knows.
func functions() map[string]function {
	lock := function{1, 2, voidOID, func(s *wireSession, _ []string) (any, error) {
		if s.readOnly() {
			return "", nil
		}
		_, err := s.writable() // the one lock there is
		return "", err
	}}
	return map[string]function{
		"pg_advisory_xact_lock": lock,
		"pg_advisory_lock":      lock,
		"version": {0, 0, pgtype.TextOID, func(*wireSession, []string) (any, error) {
			return "PostgreSQL " + wireVersion + " (wire-level test server)", nil
		}},
		"current_database": {0, 0, pgtype.NameOID, func(s *wireSession, _ []string) (any, error) {
			return s.database, nil
		}},
		"pg_is_in_recovery": {0, 0, pgtype.BoolOID, func(s *wireSession, _ []string) (any, error) {
			return s.server.recovery, nil
		}},
		"pg_backend_pid": {0, 0, pgtype.Int4OID, func(s *wireSession, _ []string) (any, error) {
			return int32(s.process), nil
		}},
		"now": {0, 0, pgtype.TimestamptzOID, func(*wireSession, []string) (any, error) {
			return time.Now(), nil
		}},
		"hashtext": {1, 1, pgtype.Int4OID, func(_ *wireSession, a []string) (any, error) {
			return int32(len(a[0])), nil // any function of the text will do for a lock
		}},
		"quote_ident": {1, 1, pgtype.TextOID, func(_ *wireSession, a []string) (any, error) {
			return quoteIdentifier(a[0]), nil
		}},
		"current_setting": {1, 2, pgtype.TextOID, currentSetting},
		"set_config":      {3, 3, pgtype.TextOID, setConfig},
	}
}

// currentSetting is SHOW; with a second argument of true a missing parameter is NULL.
func currentSetting(s *wireSession, arguments []string) (any, error) {
	if err := s.know(arguments[0]); err != nil {
		if len(arguments) == 2 && arguments[1] == "true" {
			return nil, nil
		}
		return nil, err
	}
	return s.setting(arguments[0]), nil
}

// setConfig is SET, or SET LOCAL if the third argument is true.
func setConfig(s *wireSession, arguments []string) (any, error) {
	clause := setClause{name: arguments[0], value: &arguments[1]}
	return arguments[1], s.set(clause, arguments[2] == "true")
}
