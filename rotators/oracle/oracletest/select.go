package oracletest

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/catalogquery"
)

// table are the views of the catalog, with their columns, as Oracle's Database
// Reference has them.
//
//go:embed columns.tsv
var table string

var documented = catalogquery.ReadDocumented(table)

// dialect is how Oracle reads a query. Source: SQL Language Reference, "Database
// Object Names and Qualifiers"; Error Messages.
var dialect = &catalogquery.Dialect{
	Fold: strings.ToUpper, Schemas: []string{"SYS"}, Text: "VARCHAR2", Number: "NUMBER",
	Functions: map[string]string{"USER": "VARCHAR2", "TO_CHAR": "VARCHAR2"},
	Errors: catalogquery.Errors{
		Syntax:     func(near string) error { return raise(933, "SQL command not properly ended, near %q", near) },
		NoView:     func(string) error { return invisible() },
		NoColumn:   func(name string) error { return raise(904, "%q: invalid identifier", name) },
		Ambiguous:  func(name string) error { return raise(918, "column ambiguously defined: %s", name) },
		NoFunction: func(name string) error { return raise(904, "%q: invalid identifier", name) },
		Unlike:     func() error { return raise(1789, "query block has incorrect number of result columns") },
	},
}

// Prepare reads a query as a server of a release does, such as 12.1.0.2.0, and
// says what is wrong with it.
func Prepare(release, query string) error {
	_, err := catalogquery.Prepare(dialect, documented.At(release), query)
	return err
}

// A row is one of a view of the catalog. The empty text is NULL.
type row map[string]string

// asking is a session with a query.
type asking struct {
	*session
	binds []string
}

// Rows implements catalogquery.Session.
func (a asking) Rows(name string) ([]catalogquery.Row, error) {
	v, ok := views[name]
	if !ok {
		return nil, fmt.Errorf("the stand-in does not fill %s", name)
	}
	rows, err := readView(v, a.session)
	if err != nil {
		return nil, err
	}
	all := make([]catalogquery.Row, len(rows))
	for i, r := range rows {
		all[i] = catalogquery.Row{}
		for column, text := range r {
			all[i][column] = nil
			if text != "" {
				all[i][column] = text
			}
		}
	}
	return all, nil
}

// Call implements catalogquery.Session.
func (a asking) Call(function string, arguments []catalogquery.Value) (catalogquery.Value, error) {
	if function == "USER" {
		return a.user, nil
	}
	return arguments[0], nil // TO_CHAR: all is text here
}

// Parameter implements catalogquery.Session.
func (a asking) Parameter(name string) (catalogquery.Value, bool) {
	for i, bind := range a.binds {
		if name == fmt.Sprint(":", i+1) {
			return bind, true
		}
	}
	return nil, false
}

// selectRows answers a query: on the catalog as catalogquery has it, and on
// tables, which have no rows here, by whether the session may read them.
func selectRows(p *parser, s *session) (reply, error) {
	if on, column, ok := applicationQuery(p); ok {
		return selectTable(s, on, column)
	}
	q, err := catalogquery.Prepare(dialect, documented.At(s.server.config.Version), p.source)
	if err != nil {
		return reply{}, err
	}
	result, err := q.Run(asking{s, p.binds})
	if err != nil {
		return reply{}, err
	}
	r := reply{}
	for _, c := range result.Columns {
		r.Columns = append(r.Columns, c.Name)
	}
	for _, values := range result.Rows {
		fields := make([]string, len(values))
		for i, v := range values {
			if v != nil {
				fields[i] = fmt.Sprint(v)
			}
		}
		r.Rows = append(r.Rows, fields)
	}
	return r, nil
}

// applicationQuery reads SELECT * FROM table, SELECT column FROM table, and SELECT
// sequence.NEXTVAL FROM DUAL.
func applicationQuery(of *parser) (on key, column string, ok bool) {
	p := *of
	if !p.take("*") {
		if on, err := p.qualified(""); err == nil && p.take(".", "NEXTVAL", "FROM", "DUAL") {
			return on, "", p.done()
		}
		p = *of
		column, _ = p.name()
	}
	if !p.take("FROM") {
		return on, "", false
	}
	on, err := p.qualified("")
	_, isView := documented[on.name]
	return on, column, err == nil && p.done() && !(on.owner == "" && isView)
}

func selectTable(s *session, from key, column string) (reply, error) {
	if from.owner == "" {
		from.owner = s.schema
	}
	c := s.server.catalog
	if c.objects[from] == nil || !c.may(s, from, column, "SELECT", "READ") {
		return reply{}, c.refuse(s, from)
	}
	if !c.compiles(from) {
		return reply{}, erring(from)
	}
	return reply{Columns: []string{"C"}}, nil
}

// sortedKeys makes answers the same each time.
func sortedKeys[K comparable, V any](m map[K]V, text func(K) string) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return strings.Compare(text(a), text(b)) })
}
