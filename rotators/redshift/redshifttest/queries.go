package redshifttest

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed492efc12/rotor/internal/catalogquery"
)

//go:embed columns.tsv
var columns string

// documented are the views of the catalog, with their columns. That svv_default_privileges has a grantee_name is in the
// example of its page alone.
var documented = catalogquery.ReadDocumented(columns).At("")

// dialect is Redshift's SQL, as far as queries of the catalog take it.
var dialect = &catalogquery.Dialect{
	Fold: strings.ToLower, Schemas: []string{"pg_catalog"}, Text: "text", Number: "integer",
	Functions: map[string]string{"oidvectortypes": "text", "substring": "text", "rtrim": "text", "current_database": "name"},
	Errors: catalogquery.Errors{
		Syntax:     func(near string) error { return raise("42601", "syntax error at or near %q", near) },
		NoView:     func(name string) error { return raise("42P01", "relation %q does not exist", name) },
		NoColumn:   func(name string) error { return raise("42703", "column %q does not exist", name) },
		Ambiguous:  func(name string) error { return raise("42702", "column reference %q is ambiguous", name) },
		NoFunction: func(name string) error { return raise("42883", "function %s does not exist", name) },
		Unlike:     func() error { return raise("42601", "each UNION query must have the same number of columns") },
	},
}

// Prepare reads a query of the catalog. The error says which name in it Amazon's Database Developer Guide does not have.
func Prepare(query string) (*catalogquery.Query, error) {
	return catalogquery.Prepare(dialect, documented, query)
}

// isQuery says whether tokens are a SELECT.
func isQuery(tokens []token) bool { return len(tokens) > 0 && tokens[0].is("select") }

// abstimeOID is a type of PostgreSQL 8.0 that pgx does not know.
const abstimeOID = 702

// oids are those of the documented types; others are text.
var oids = map[string]uint32{
	"name": pgtype.NameOID, "boolean": pgtype.BoolOID, "bool": pgtype.BoolOID, "integer": pgtype.Int4OID, "oid": pgtype.OIDOID,
	"abstime": abstimeOID, "text[]": pgtype.TextArrayOID, "char(128)": pgtype.BPCharOID,
}

func oidOf(c catalogquery.Column) uint32 {
	if oid, ok := oids[c.Type]; ok {
		return oid
	}
	return pgtype.TextOID
}

func describe(q *catalogquery.Query) *pgproto3.RowDescription {
	d := &pgproto3.RowDescription{}
	for _, c := range q.Columns() {
		if c.Name == "" {
			c.Name = "?column?"
		}
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: []byte(c.Name), DataTypeOID: oidOf(c), DataTypeSize: -1, TypeModifier: -1})
	}
	return d
}

// answer runs a query, and sends its rows as text.
func (s *session) answer(q *catalogquery.Query, arguments []string) error {
	if s.failed {
		return raise("25P02", "current transaction is aborted")
	}
	result, err := q.Run(&look{s, s.view(), arguments})
	if err != nil {
		return err
	}
	for _, row := range result.Rows {
		values := make([][]byte, len(row))
		for i, v := range row {
			if values[i], err = s.types.Encode(oidOf(result.Columns[i]), pgtype.TextFormatCode, v, []byte{}); err != nil {
				return err
			}
		}
		s.send(&pgproto3.DataRow{Values: values})
	}
	s.send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT")})
	return nil
}

// A look is what one session sees of the catalog while it runs one query.
type look struct {
	*session
	*catalog
	arguments []string
}

// Parameter implements catalogquery.Session.
func (l *look) Parameter(name string) (catalogquery.Value, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "$"))
	if err != nil || n < 1 || n > len(l.arguments) {
		return nil, false
	}
	return l.arguments[n-1], true
}

// Call implements catalogquery.Session.
func (l *look) Call(function string, arguments []catalogquery.Value) (catalogquery.Value, error) {
	switch function {
	case "current_database":
		return l.database, nil
	case "oidvectortypes": // which this package keeps as text
		return arguments[0], nil
	}
	text, _ := arguments[0].(string)
	if function == "rtrim" {
		return strings.TrimRight(text, " "), nil
	}
	from, _ := arguments[1].(int64)
	length, _ := arguments[2].(int64)
	runes := []rune(text)
	from = min(from-1, int64(len(runes)))
	return string(runes[from:min(from+length, int64(len(runes)))]), nil
}

// Rows implements catalogquery.Session.
func (l *look) Rows(view string) ([]catalogquery.Row, error) {
	fill, ok := fills[view]
	if !ok {
		return nil, unknown("a query of " + view)
	}
	if view == "svv_rls_attached_policy" && (!l.users[l.user].super || l.server.config.NoRowPolicies) {
		return nil, denied("permission denied for relation %s", view)
	}
	return fill(l), nil
}
