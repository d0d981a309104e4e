package sqlserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed492efc12/rotor/framework/database"
	"github.com/seed492efc12/rotor/internal/catalogquery"
	"github.com/seed492efc12/rotor/rotators/sqlserver"
	"github.com/seed492efc12/rotor/rotators/sqlserver/sqlservertest"
)

// queries are all that the driver sends for logins and contained users, by all strategies, and those of classes that the worlds lack.
func queries(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, contained := range []bool{false, true} {
		s := own(t, sqlservertest.Config{}).server
		w := newWorld(t, s, contained)
		for name, strategy := range strategies {
			r := w.rotor(t, strategy, w.user(t, ""), old, w.administrator(t))
			for range 3 {
				if err := r.Preflight(t); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				r.Must(t)
			}
		}
		all = append(all, s.Queries()...)
	}
	all = append(all, sqlserver.ClassQueries(16)...)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) < 40 {
		t.Fatalf("only %d queries were sent", len(all))
	}
	return all
}

func TestEveryQueryNamesDocumentedColumnsAlone(t *testing.T) {
	all := queries(t)
	for release, version := range map[string]int{"2016": 13, "2017": 14, "2019": 15, "2022": 16} {
		later := sqlserver.ClassQueries(16)
		for _, query := range append(sqlserver.ClassQueries(version), slices.DeleteFunc(slices.Clone(all), func(q string) bool { return slices.Contains(later, q) })...) {
			if _, err := catalogquery.Prepare(sqlservertest.Dialect(), sqlservertest.Columns().At(release), query); err != nil {
				t.Errorf("SQL Server %s: %v: %s", release, err, query)
			}
		}
	}
}

// unlike are the documented columns as if no two had the same collation. Whatever unites or compares two of them has to say by which.
func unlike() catalogquery.Documented {
	all := sqlservertest.Columns()
	for view, columns := range all {
		for i := range columns {
			if t := columns[i].Type; strings.HasPrefix(t, "sysname") || strings.Contains(t, "char") {
				columns[i].Collation = fmt.Sprintf("Of_%s_%s", view, columns[i].Name)
			}
		}
	}
	return all
}

func TestNamesOfDifferentCatalogsAreUnitedAndComparedInOneCollation(t *testing.T) {
	for _, query := range queries(t) {
		if _, err := catalogquery.Prepare(sqlservertest.Dialect(), unlike(), query); err != nil {
			t.Errorf("%v: %s", err, query)
		}
	}
	for _, bad := range []string{
		`SELECT x.name FROM sys.schemas x UNION ALL SELECT x.name FROM sys.services x`,
		`SELECT COALESCE(l.name, e.name) FROM sys.server_principals l, sys.endpoints e`,
		`SELECT 1 FROM sys.server_principals l JOIN sys.database_principals u ON u.name = l.name`,
		`SELECT 1 FROM sys.schemas s WHERE s.name IN (SELECT name FROM sys.services)`,
	} {
		if _, err := catalogquery.Prepare(sqlservertest.Dialect(), unlike(), bad); err == nil {
			t.Errorf("nobody minds %s", bad)
		}
	}
}

func TestATextThatAQueryNamesHasAKnownCollation(t *testing.T) {
	unknown := sqlservertest.Columns()
	for view, columns := range unknown {
		unknown[view] = slices.DeleteFunc(columns, func(c catalogquery.DocumentedColumn) bool {
			return c.Collation == "" && (strings.HasPrefix(c.Type, "sysname") || strings.Contains(c.Type, "char"))
		})
	}
	for _, query := range queries(t) {
		if _, err := catalogquery.Prepare(sqlservertest.Dialect(), unknown, query); err != nil {
			t.Errorf("%v: %s", err, query)
		}
	}
}

func TestEveryReleaseRotates(t *testing.T) {
	for _, release := range []string{"2016", "2017", "2019", "2022"} {
		w := own(t, sqlservertest.Config{Release: release})
		r := w.rotor(t, database.AlternatingUsers, w.user(t, ""), old, w.administrator(t))
		for range 3 {
			r.Must(t)
		}
	}
}
