package postgrestest

import "errors"

// A plan is a statement that is understood and can be run, more than once.
type plan struct {
	parameters []uint32 // types of $1, $2...
	columns    []column // nil: it returns no rows
	writes     string   // the command's name, if it changes anything
	ends       bool     // it may run in a failed transaction
	run        func(s *wireSession, arguments []any) (result, error)
}

// A column is one of a result, with the OID of its type (pgtype.TextOID and so on).
type column struct {
	name string
	oid  uint32
}

// A result is what a statement did.
type result struct {
	tag  string
	rows [][]any
}

// An action is what a statement without rows does. It returns the command tag.
type action func(s *wireSession) (tag string, err error)

// A form is one kind of statement, known by the words that it starts with.
type form struct {
	start  []string
	parse  func(p *parser) (action, error)
	writes string
	ends   bool
}

// statementForms are the statements that the wire-level server understands, apart from SELECT and SHOW. Of two that
// start alike, the longer stands first.
func statementForms() []form {
	return []form{
		{start: []string{"begin"}, parse: parseBegin},
		{start: []string{"start", "transaction"}, parse: parseBegin},
		{start: []string{"commit"}, parse: parseCommit, ends: true},
		{start: []string{"end"}, parse: parseCommit, ends: true},
		{start: []string{"rollback", "to"}, parse: parseRollbackTo, ends: true},
		{start: []string{"rollback", "work", "to"}, parse: parseRollbackTo, ends: true},
		{start: []string{"rollback", "transaction", "to"}, parse: parseRollbackTo, ends: true},
		{start: []string{"rollback"}, parse: parseRollback, ends: true},
		{start: []string{"abort"}, parse: parseRollback, ends: true},
		{start: []string{"savepoint"}, parse: parseSavepoint},
		{start: []string{"release"}, parse: parseRelease},

		{start: []string{"create", "role"}, parse: parseCreateRole(false), writes: "CREATE ROLE"},
		{start: []string{"create", "user"}, parse: parseCreateRole(true), writes: "CREATE ROLE"},
		{start: []string{"alter", "role"}, parse: parseAlterRole, writes: "ALTER ROLE"},
		{start: []string{"alter", "user"}, parse: parseAlterRole, writes: "ALTER ROLE"},
		{start: []string{"drop", "role"}, parse: parseDropRole, writes: "DROP ROLE"},
		{start: []string{"drop", "user"}, parse: parseDropRole, writes: "DROP ROLE"},
		{start: []string{"grant"}, parse: parseGrant, writes: "GRANT ROLE"},
		{start: []string{"revoke"}, parse: parseRevoke, writes: "REVOKE ROLE"},
		{start: []string{"create", "database"}, parse: parseCreateDatabase, writes: "CREATE DATABASE"},
		{start: []string{"drop", "database"}, parse: parseDropDatabase, writes: "DROP DATABASE"},

		{start: []string{"set"}, parse: parseSet},
		{start: []string{"reset"}, parse: parseReset},
		{start: []string{"discard", "all"}, parse: parseDiscardAll},
		{start: []string{"deallocate"}, parse: parseDeallocate},
	}
}

// plan understands a statement. The types are those that the client declares for parameters, 0 or missing where it
// leaves them open.
func (s *wireSession) plan(source string, tokens []token, types []uint32) (*plan, error) {
	made, err := s.understand(source, tokens, types)
	if err != nil {
		if told, ok := errors.AsType[*sqlError](err); ok && told.code != "42601" && s.tx != nil && s.tx.failed {
			return nil, s.mayRun(&plan{}) // of what it will not run, the real server checks the grammar only
		}
		return nil, err
	}
	return made, s.mayRun(made)
}

func (s *wireSession) understand(source string, tokens []token, types []uint32) (*plan, error) {
	if made, ok := s.matchQuery(source, tokens, types); ok {
		return made, nil
	}
	p := &parser{source: source, tokens: tokens}
	switch {
	case p.take("select"):
		return planSelect(p, types)
	case p.take("show"):
		return planShow(p)
	}
	for _, f := range statementForms() {
		if p.take(f.start...) {
			return f.plan(p)
		}
	}
	if len(tokens) > 0 && tokens[0].kind == wordToken && isCommand(tokens[0].text) {
		return nil, unknown(source)
	}
	return nil, p.syntax()
}

// isCommand knows the statements of PostgreSQL that this server lacks, to tell them from typing errors.
func isCommand(word string) bool {
	switch word {
	case "alter", "analyze", "call", "comment", "copy", "create", "delete", "do", "drop", "execute", "explain", "insert",
		"lock", "prepare", "reassign", "security", "truncate", "update", "vacuum", "values", "with":
		return true
	}
	return false
}

// plan parses the rest of a statement to its end.
func (f form) plan(p *parser) (*plan, error) {
	act, err := f.parse(p)
	if err != nil {
		return nil, err
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	run := func(s *wireSession, _ []any) (result, error) {
		tag, err := act(s)
		return result{tag: tag}, err
	}
	return &plan{writes: f.writes, ends: f.ends, run: run}, nil
}
