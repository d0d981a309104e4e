package sqlservertest

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/seed492efc12/rotor/internal/catalogquery"
)

//go:embed columns.tsv
var columns string

// Columns are the catalog's views as Microsoft documents them. A text whose
// collation is empty has one that is not known. SERVER_DEFAULT stands for the
// server's collation, which need not be that of a database.
func Columns() catalogquery.Documented { return catalogquery.ReadDocumented(columns) }

// Dialect is how the wire-level server reads a query of the catalog.
// Source of the errors: Database Engine events and errors.
func Dialect() *catalogquery.Dialect {
	named := func(number int32, class byte, format string) func(string) error {
		return func(name string) error { return &sqlError{number, class, fmt.Sprintf(format, name)} }
	}
	return &catalogquery.Dialect{
		CaseBlind: true, Collations: true, Typed: true, Text: "nvarchar", Number: "int",
		Functions: map[string]string{
			"DATABASE_PRINCIPAL_ID": "int", "DATABASEPROPERTYEX": "sql_variant", "HAS_DBACCESS": "int", "HAS_PERMS_BY_NAME": "int", "IS_MEMBER": "int",
			"IS_SRVROLEMEMBER": "int", "LOGINPROPERTY": "int", "SCHEMA_NAME": "nvarchar", "SERVERPROPERTY": "sql_variant", "SUSER_ID": "int", "USER_NAME": "nvarchar",
		},
		Errors: catalogquery.Errors{
			Syntax:     func(near string) error { return syntax(near) },
			NoView:     named(208, 16, "Invalid object name '%s'."),
			NoColumn:   named(207, 16, "Invalid column name '%s'."),
			Ambiguous:  named(209, 16, "Ambiguous column name '%s'."),
			NoFunction: named(195, 15, "'%s' is not a recognized built-in function name."),
			Mixed:      named(245, 16, "Conversion failed when converting the nvarchar value '%s' to data type int."),
			Unlike: func() error {
				return raise(205, "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.")
			},
			CollationCompared: func(a, b, operation string) error {
				return raise(468, "Cannot resolve the collation conflict between %q and %q in the %s operation.", a, b, operation)
			},
			CollationSelected: func(column int) error {
				return raise(451, "Cannot resolve collation conflict for column %d in SELECT statement.", column)
			},
		},
	}
}

// asksCatalog reports whether a batch is a query of the catalog: a SELECT that
// names no table, or only those of sys and of msdb.
func asksCatalog(tokens []token) bool {
	if len(tokens) == 0 || !tokens[0].is("select") {
		return false
	}
	names := false
	for i, t := range tokens {
		if t.is("from") || t.is("join") {
			names = names || i+1 < len(tokens) && !tokens[i+1].is("(")
		}
		if i+1 < len(tokens) && tokens[i+1].is(".") && (strings.EqualFold(t.text, "sys") || strings.EqualFold(t.text, "msdb")) {
			return true
		}
	}
	return !names
}

// query answers a query of the catalog. The caller holds the server's lock.
func (s *session) query(r request) (columns int, rows [][]value, err error) {
	q := s.server.asked[r.source]
	if q == nil {
		q, err = catalogquery.Prepare(s.server.dialect, s.server.documented, r.source)
		s.server.asked[r.source] = q
		if err != nil {
			return 0, nil, err
		}
	}
	result, err := q.Run(asker{s, r})
	if err != nil {
		return 0, nil, err
	}
	for _, from := range result.Rows {
		row := make([]value, len(from))
		for i, v := range from {
			row[i] = shown(v)
		}
		rows = append(rows, row)
	}
	return len(result.Columns), rows, nil
}

// shown is a value as the client gets it.
func shown(v catalogquery.Value) value {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return bit(v)
	case []byte:
		return text(fmt.Sprintf("0x%X", v))
	}
	return text(fmt.Sprint(v))
}

// An asker is a session with the arguments of one query.
type asker struct {
	*session
	request request
}

// Rows implements catalogquery.Session.
func (a asker) Rows(view string) ([]catalogquery.Row, error) {
	fill, ok := views[view]
	if !ok {
		return nil, raise(50000, "the wire-level server does not fill %s", view)
	}
	if msdb := strings.HasPrefix(view, "msdb."); msdb && !a.readsMsdb() {
		return nil, raise(229, "The SELECT permission was denied on the object '%s'.", view)
	}
	return fill(a.session), nil
}

// Parameter implements catalogquery.Session.
func (a asker) Parameter(name string) (catalogquery.Value, bool) {
	v, ok := a.request.arguments[strings.ToLower(name)]
	return v, ok
}

// ofAzure are the views that Azure SQL Database has not.
var ofAzure = []string{"sys.server_principals", "sys.server_permissions", "sys.server_role_members", "sys.credentials", "sys.endpoints", "sys.linked_logins",
	"sys.availability_groups", "sys.availability_replicas"}

// documentedAt are the views of a release, or of Azure SQL Database.
func documentedAt(release string, azure bool) catalogquery.Documented {
	all := Columns().At(release)
	for view := range all {
		if azure && (slices.Contains(ofAzure, view) || strings.HasPrefix(view, "msdb.")) {
			delete(all, view)
		}
	}
	return all
}
