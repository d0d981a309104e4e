package catalogquery

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const table = `view	column	type	collation	since	page
sys.schemas	name	sysname	DATABASE_DEFAULT		sys.schemas
sys.schemas	schema_id	int			sys.schemas
sys.services	name	sysname	Latin1_General_BIN		sys.services
sys.services	service_id	int			sys.services
sys.principals	name	sysname	DATABASE_DEFAULT		sys.principals
sys.principals	id	int			sys.principals
sys.principals	owner	int			sys.principals
sys.principals	late	int		2022	sys.principals
sys.principals	unfilled	int			sys.principals
sys.numbers	n	int			sys.numbers
`

func raise(format string) func(string) error {
	return func(name string) error { return fmt.Errorf(format, name) }
}

func transactSQL() *Dialect {
	return &Dialect{CaseBlind: true, Collations: true, Typed: true, Text: "nvarchar", Number: "int",
		Functions: map[string]string{"HAS_PERMS_BY_NAME": "int", "SCHEMA_NAME": "nvarchar", "@@VERSION": "nvarchar"}, Errors: errorsOf()}
}

func errorsOf() Errors {
	return Errors{
		Syntax: raise("syntax near %q"), NoView: raise("no view %s"), NoColumn: raise("no column %s"), Ambiguous: raise("ambiguous %s"),
		NoFunction: raise("no function %s"), Mixed: raise("mixed %s"), Unlike: func() error { return errors.New("unlike") },
		CollationCompared: func(a, b, operation string) error { return fmt.Errorf("468 %s %s %s", a, b, operation) },
		CollationSelected: func(n int) error { return fmt.Errorf("451 %d", n) },
	}
}

type session struct{}

func (session) Rows(view string) ([]Row, error) {
	switch view {
	case "sys.schemas":
		return []Row{{"name": "dbo", "schema_id": int64(1)}, {"name": "Shop", "schema_id": int64(5)}}, nil
	case "sys.services":
		return []Row{{"name": "Q", "service_id": int64(9)}}, nil
	case "sys.principals":
		return []Row{{"name": "app", "id": int64(1), "owner": nil, "late": int64(7)}, {"name": "app_clone", "id": int64(2), "owner": int64(1), "late": int64(8)}}, nil
	case "sys.numbers":
		return []Row{{"n": int64(3)}, {"n": int64(1)}, {"n": nil}, {"n": int64(3)}}, nil
	}
	return nil, errors.New("hidden " + view)
}

func (session) Call(name string, arguments []Value) (Value, error) {
	switch name {
	case "SCHEMA_NAME":
		return "s" + plain(arguments[0]), nil
	case "USER":
		return "APP", nil
	}
	return int64(len(arguments)), nil
}

func (session) Parameter(name string) (Value, bool) {
	v, ok := map[string]Value{"@p1": "APP", "@p2": int64(1), ":1": "app", "$1": "app", "@null": nil, "$2": []int64{2, 3}}[name]
	return v, ok
}

func run(d *Dialect, query string) string {
	q, err := Prepare(d, ReadDocumented(table).At("2019"), query)
	if err != nil {
		return err.Error()
	}
	r, err := q.Run(session{})
	if err != nil {
		return err.Error()
	}
	lines := make([]string, len(r.Rows))
	for i, row := range r.Rows {
		fields := make([]string, len(row))
		for j, v := range row {
			if fields[j] = plain(v); v == nil {
				fields[j] = "NULL"
			}
		}
		lines[i] = strings.Join(fields, ",")
	}
	return strings.Join(lines, ";")
}

func TestTransactSQL(t *testing.T) {
	for query, want := range map[string]string{
		"/* a label */ SELECT name FROM sys.principals WHERE name = @p1 -- in any case\n":                                               "app",
		"SELECT p.NAME, o.name FROM sys.principals p LEFT JOIN sys.principals AS o ON o.id = p.owner ORDER BY p.id DESC":                "app_clone,app;app,NULL",
		"SELECT p.name FROM sys.principals p JOIN sys.principals o ON o.id = p.owner":                                                   "app_clone",
		"SELECT p.name FROM sys.principals p, sys.schemas s WHERE s.schema_id = 5 AND NOT p.owner = 1":                                  "",
		"SELECT [name] FROM [sys].[principals] WHERE owner IS NULL OR owner IN (7, 8)":                                                  "app",
		"SELECT name FROM sys.principals WHERE owner NOT IN (7, NULL)":                                                                  "",
		"SELECT name FROM sys.principals x WHERE EXISTS (SELECT 1 FROM sys.principals y WHERE y.owner = x.id)":                          "app",
		"SELECT TOP (1) name FROM sys.principals ORDER BY name DESC":                                                                    "app_clone",
		"SELECT COUNT(*), MAX(n), MIN(n), COUNT(n) FROM sys.numbers":                                                                    "4,3,1,3",
		"SELECT DISTINCT n FROM sys.numbers ORDER BY 1":                                                                                 "NULL;1;3",
		"SELECT HAS_PERMS_BY_NAME(NULL, NULL, @p1), @@VERSION":                                                                          "3,0",
		"SELECT u.name FROM (SELECT 1 AS one) x LEFT JOIN sys.principals u ON u.name IN (N'it''s', N'app')":                             "app",
		"SELECT u.name, x.one FROM (SELECT 1 AS one) x LEFT JOIN sys.principals u ON u.name = N'none'":                                  "NULL,1",
		"SELECT CONVERT(nvarchar(200), 0, 1), CONCAT(id, '.', owner), CASE id WHEN 1 THEN N'one' ELSE N'other' END FROM sys.principals": "0,1.,one;0,2.1,other",
		"SELECT name + N'!' FROM sys.principals WHERE name LIKE N'a__'":                                                                 "app!",
		"SELECT COALESCE(owner, 4) FROM sys.principals":                                                                                 "4;1",
		"SELECT name FROM sys.services WHERE name = N'q'":                                                                               "", // binary
		"SELECT (SELECT MAX(n) FROM sys.numbers)":                                                                                       "3",

		"SELECT nonsense FROM sys.principals":                                              "no column nonsense",
		"SELECT late FROM sys.principals":                                                  "no column late",
		"SELECT name FROM sys.nothing":                                                     "no view sys.nothing",
		"SELECT name FROM sys.principals a JOIN sys.principals b ON a.id = b.id":           "ambiguous name",
		"SELECT NONSENSE(1)":                                                               "no function NONSENSE",
		"SELECT name FROM sys.principals WHERE":                                            `syntax near ""`,
		"SELECT name FROM sys.principals; DROP LOGIN sa":                                   `syntax near "DROP"`,
		"SELECT unfilled FROM sys.principals":                                              "the imitation does not fill column unfilled of sys.principals",
		"SELECT name FROM sys.schemas UNION ALL SELECT name, service_id FROM sys.services": "unlike",
		"SELECT name FROM sys.schemas UNION ALL SELECT NULL":                               "mixed name",
		"SELECT NULL UNION ALL SELECT N'x'":                                                "mixed ",

		"SELECT x.name FROM sys.schemas x UNION ALL SELECT x.name FROM sys.services x":                                                   "451 1",
		"SELECT x.name COLLATE DATABASE_DEFAULT FROM sys.schemas x UNION ALL SELECT x.name COLLATE DATABASE_DEFAULT FROM sys.services x": "dbo;Shop;Q",
		"SELECT x.name FROM sys.schemas x UNION ALL SELECT x.name COLLATE DATABASE_DEFAULT FROM sys.services x":                          "dbo;Shop;Q",
		"SELECT N'' FROM sys.schemas UNION SELECT x.name FROM sys.services x":                                                            ";Q",
		"SELECT COALESCE(a.name, b.name) FROM sys.schemas a, sys.services b":                                                             "451 1",
		"SELECT 1 FROM sys.schemas a JOIN sys.services b ON a.name = b.name":                                                             "468 DATABASE_DEFAULT Latin1_General_BIN equal to",
		"SELECT 1 FROM sys.schemas a WHERE a.name IN (SELECT name FROM sys.services)":                                                    "468 DATABASE_DEFAULT Latin1_General_BIN equal to",
	} {
		if got := run(transactSQL(), query); got != want {
			t.Errorf("%s\n got  %s\n want %s", query, got, want)
		}
	}
}

func TestOtherDialects(t *testing.T) {
	oracle := &Dialect{Fold: strings.ToUpper, Schemas: []string{"SYS"}, Text: "VARCHAR2", Number: "NUMBER", Functions: map[string]string{"USER": "VARCHAR2"}, Errors: errorsOf()}
	redshift := &Dialect{Fold: strings.ToLower, Text: "varchar", Number: "int", Functions: map[string]string{"schema_name": "text"}, Errors: errorsOf()}
	for _, c := range []struct {
		dialect     *Dialect
		query, want string
	}{
		{redshift, `SELECT name, owner = 1 FROM sys.principals WHERE "name" IN ($1, 'x')`, "app,NULL"},
		{redshift, `SELECT "Name" FROM sys.principals`, "no column Name"},
		{redshift, `SELECT name FROM sys.principals WHERE id = ANY ($2)`, "app_clone"},
		{redshift, `SELECT id::text || 'x' FROM sys.principals LIMIT 1`, "1x"},
		{redshift, `SELECT false, name FROM sys.principals p WHERE p.name = 'APP'`, ""},
		{oracle, `SELECT USER FROM sys.numbers FETCH FIRST 1 ROWS ONLY`, "APP"},
		{oracle, `SELECT name FROM "sys"."numbers"`, "no view sys.numbers"},
	} {
		if got := run(c.dialect, c.query); got != c.want {
			t.Errorf("%s\n got  %s\n want %s", c.query, got, c.want)
		}
	}
}

func TestTypesOfColumns(t *testing.T) {
	q, err := Prepare(transactSQL(), ReadDocumented(table), "SELECT id, name AS n, SCHEMA_NAME(1), NULL, CAST(id AS bigint) FROM sys.principals")
	if err != nil {
		t.Fatal(err)
	}
	want := []Column{{"id", "int", ""}, {"n", "sysname", DatabaseDefault}, {"", "nvarchar", ""}, {}, {"", "bigint", ""}}
	if got := q.Columns(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestReleases(t *testing.T) {
	d := ReadDocumented(table)
	for release, want := range map[string]int{"2016": 4, "2022": 5, "2022.1": 5, "2025": 5} {
		if n := len(d.At(release)["sys.principals"]); n != want {
			t.Errorf("%s has %d columns, not %d", release, n, want)
		}
	}
}

func FuzzPrepare(f *testing.F) {
	f.Add("SELECT a.name FROM sys.schemas a LEFT JOIN sys.services b ON (a.name = b.name) WHERE NOT a.name IN ('x', N'y') ORDER BY 1")
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := Prepare(transactSQL(), ReadDocumented(table), s); err == nil {
			_, _ = q.Run(session{})
		}
	})
}
