// Package catalogquery runs SELECTs over a database's catalog as an imitation
// shows it. It knows no query: it reads the SQL, refuses what the vendor does
// not document, and answers from the rows of the views.
//
// An imitation has a [Dialect], the [Documented] columns of its vendor's
// catalog, and a [Session] for each connection, which fills the views:
//
//	query, err := catalogquery.Prepare(dialect, documented.At("12.2"), source)
//	result, err := query.Run(session)
//
// What it reads: SELECT with DISTINCT, TOP, UNION and UNION ALL, joins (inner,
// left, cross, comma), WHERE, ORDER BY, LIMIT and FETCH FIRST, SELECTs within
// FROM, EXISTS, IN and expressions, CASE, CAST, COALESCE, NULLIF, CONCAT,
// COUNT, MIN and MAX over the whole, and the vendor's functions.
package catalogquery

import (
	"strings"
)

// A Value is nil for NULL, int64, string, bool, []byte, or what else a session
// puts into a row and the query only passes on.
type Value = any

// A Row is one of a view's, by the documented names of its columns.
type Row map[string]Value

// A Session is who asks: it says what the views show to it.
type Session interface {
	// Rows are a view's, by its documented name. An error is what the client is told.
	Rows(view string) ([]Row, error)
	// Call runs one of the dialect's functions, by its name there.
	Call(function string, arguments []Value) (Value, error)
	// Parameter is the value of a placeholder, as it stands in the query: "@p1", ":1", "$1".
	Parameter(name string) (Value, bool)
}

// A Column is one of a view or of a result.
type Column struct {
	Name string
	// Type is the documented one, that of a function or of a CAST; "" for NULL and placeholders.
	Type string
	// Collation is the one that the documentation fixes, DatabaseDefault for other
	// names in a database, or "" for what has none.
	Collation string
}

// DatabaseDefault is the collation of a database's own names, as COLLATE has it.
const DatabaseDefault = "DATABASE_DEFAULT"

// A Result is what a query answers.
type Result struct {
	Columns []Column
	Rows    [][]Value
}

// A Dialect is how a vendor's SQL is read.
type Dialect struct {
	// Fold is how a name without quotes is looked up. Nil compares names, with
	// quotes too, without regard to case, as Transact-SQL does.
	Fold func(string) string
	// CaseBlind compares text without regard to case and blanks at the end, but for
	// binary collations.
	CaseBlind bool
	// Collations are checked as Transact-SQL does ("Collation Precedence").
	Collations bool
	// Typed has NULL be an int in UNION, and an int and a text no common type.
	Typed bool
	// Schemas may stand before a view's name, and need not.
	Schemas []string
	// Functions are the vendor's, with the types of their results. One without
	// arguments may be called without brackets.
	Functions map[string]string
	// Texts and Numbers are the types that literals have.
	Text, Number string
	Errors       Errors
}

// Errors are how the vendor says what is wrong with a query. Each is needed;
// those about collations where Collations is set, Mixed where Typed is.
type Errors struct {
	Syntax            func(near string) error
	NoView            func(name string) error
	NoColumn          func(name string) error
	Ambiguous         func(name string) error
	NoFunction        func(name string) error
	Unlike            func() error                       // branches of UNION have unlike numbers of columns
	Mixed             func(text string) error            // a text where an int is wanted
	CollationCompared func(a, b, operation string) error // a comparison of two collations
	CollationSelected func(column int) error             // a column of the result has no collation; the first is 1
}

// normal is a name as it is looked up.
func (d *Dialect) normal(name string, quoted bool) string {
	switch {
	case d.Fold == nil:
		return strings.ToLower(name)
	case quoted:
		return name
	}
	return d.Fold(name)
}

// A Query has been read, and names only what is documented.
type Query struct {
	dialect *Dialect
	body    *selection
}

// Prepare reads a query and looks up each name in it. Comments are skipped.
func Prepare(d *Dialect, documented Documented, source string) (*Query, error) {
	p := &parser{dialect: d}
	if err := p.scan(source); err != nil {
		return nil, err
	}
	body, err := p.selection()
	if err != nil {
		return nil, err
	}
	p.take(";")
	if !p.done() {
		return nil, p.unexpected()
	}
	b := &binder{dialect: d, documented: documented}
	if err := b.selection(body, nil); err != nil {
		return nil, err
	}
	for i, c := range body.columns {
		if d.Collations && c.strength == noCollation {
			return nil, d.Errors.CollationSelected(i + 1)
		}
	}
	return &Query{d, body}, nil
}

// Columns are those of the query's result.
func (q *Query) Columns() []Column {
	var all []Column
	for _, c := range q.body.columns {
		all = append(all, c.Column)
	}
	return all
}

// Run answers the query.
func (q *Query) Run(s Session) (Result, error) {
	r := &runner{dialect: q.dialect, session: s, views: map[string][]Row{}}
	rows, err := r.selection(q.body, nil)
	return Result{q.Columns(), rows}, err
}
