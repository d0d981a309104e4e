package postgrestest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// A catalogQuery is one SELECT over the system catalogs that the wire-level server answers from its own catalog. It has
// no engine for such queries: there is an entry for each that is sent.
type catalogQuery struct {
	// label is the driver's name for the query, in the comment that it starts with: "/* rotor: label */". What the query
	// says after that is between the driver and real servers; only its columns and parameters matter here.
	label string
	// sql is the whole query, for those without a label. White space, comments, and the case of key words do not matter;
	// a parameter stands for itself, or for a constant in its place, as the simple protocol sends it.
	sql string
	// parameters are the types of $1, $2...; text where the list ends.
	parameters []uint32
	columns    []column
	// rows answers from s.view(). The arguments are decoded as pgx does: text as string, int4 as int32, NULL as nil.
	rows func(s *wireSession, arguments []any) ([][]any, error)
}

// labelComment is how the driver labels a query.
var labelComment = regexp.MustCompile(`^\s*/\* rotor: ([^*]+?) \*/`)

// A compiledQuery is a catalogQuery to compare statements with.
type compiledQuery struct {
	catalogQuery
	tokens []token // of sql
}

func compileQueries(queries []catalogQuery) ([]compiledQuery, error) {
	var compiled []compiledQuery
	for _, q := range queries {
		tokens, err := lex(q.sql)
		if err != nil {
			return nil, fmt.Errorf("catalog query %q: %w", q.sql, err)
		}
		compiled = append(compiled, compiledQuery{q, tokens})
	}
	return compiled, nil
}

// matchQuery finds the entry for a statement and makes its plan.
func (s *wireSession) matchQuery(source string, tokens []token, types []uint32) (*plan, bool) {
	label := ""
	if m := labelComment.FindStringSubmatch(source); m != nil {
		label = m[1]
	}
	for _, q := range s.server.queries {
		constants, ok := q.match(label, tokens)
		if !ok {
			continue
		}
		parameters := q.parameterTypes(tokens)
		for i, oid := range types {
			if i < len(parameters) && oid != 0 {
				parameters[i] = oid
			}
		}
		return &plan{parameters: parameters, columns: q.columns, run: q.run(constants)}, true
	}
	return nil, false
}

// match compares a statement with the query. It returns the constants that stand where the query has parameters.
func (q compiledQuery) match(label string, tokens []token) (constants map[int]string, ok bool) {
	if q.label != "" {
		return nil, q.label == label
	}
	if len(tokens) != len(q.tokens) {
		return nil, false
	}
	constants = map[int]string{}
	for i, want := range q.tokens {
		got := tokens[i]
		switch {
		case got.kind == want.kind && got.text == want.text:
		case want.kind == paramToken && (got.kind == stringToken || got.kind == numberToken):
			n, _ := strconv.Atoi(want.text) // digits: see lexer.dollar
			constants[n] = got.text
		default:
			return nil, false
		}
	}
	return constants, true
}

// parameterTypes are the types of the parameters that a statement holds.
func (q compiledQuery) parameterTypes(tokens []token) []uint32 {
	most := 0
	for _, t := range tokens {
		if n, err := strconv.Atoi(t.text); t.kind == paramToken && err == nil {
			most = max(most, n)
		}
	}
	types := slices.Clone(q.parameters[:min(most, len(q.parameters))])
	for len(types) < most {
		types = append(types, pgtype.TextOID)
	}
	return types
}

// run answers with the arguments of the extended protocol, or with the constants of the simple one.
func (q compiledQuery) run(constants map[int]string) func(s *wireSession, arguments []any) (result, error) {
	return func(s *wireSession, arguments []any) (result, error) {
		for n := 1; n <= len(constants); n++ {
			oid := uint32(pgtype.TextOID)
			if n <= len(q.parameters) {
				oid = q.parameters[n-1]
			}
			argument, err := s.decode(oid, pgtype.TextFormatCode, []byte(constants[n]))
			if err != nil {
				return result{}, err
			}
			arguments = append(arguments, argument)
		}
		rows, err := q.rows(s, arguments)
		return result{tag: "SELECT " + strconv.Itoa(len(rows)), rows: rows}, err
	}
}

// argument is a text argument; NULL and what is missing are empty, which is no name.
func argument(arguments []any, i int) string {
	if i >= len(arguments) {
		return ""
	}
	text, _ := arguments[i].(string)
	return text
}

// sortRows orders rows by some of their columns, from left to right, as ORDER BY does for text in the C locale.
func sortRows(rows [][]any, columns ...int) [][]any {
	slices.SortStableFunc(rows, func(a, b []any) int {
		for _, c := range columns {
			if order := strings.Compare(fmt.Sprint(a[c]), fmt.Sprint(b[c])); order != 0 {
				return order
			}
		}
		return 0
	})
	return rows
}
