package catalogquery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Documented are the views of a vendor's catalog with their columns, as the
// vendor's manual has them.
type Documented map[string][]DocumentedColumn

// A DocumentedColumn is a column, and where it is documented.
type DocumentedColumn struct {
	Column
	Since string // the first release that has it; "" for all
	Page  string // the title of the manual's page
}

// header is the first line of a table of documented columns.
var header = []string{"view", "column", "type", "collation", "since", "page"}

// ReadDocumented reads a table: six fields a line, with tabs between them, under
// a line with their names. It panics on what is none, for it is part of a test.
func ReadDocumented(table string) Documented {
	all := Documented{}
	for i, line := range strings.Split(strings.TrimRight(table, "\n"), "\n") {
		f := strings.Split(line, "\t")
		switch {
		case len(f) != len(header):
			panic(fmt.Sprintf("documented columns, line %d: %d fields, not %d: %q", i+1, len(f), len(header), line))
		case i == 0:
			if !slices.Equal(f, header) {
				panic(fmt.Sprintf("documented columns: the first line is not %q", header))
			}
			continue
		case f[5] == "":
			panic(fmt.Sprintf("documented columns, line %d: no page", i+1))
		}
		all[f[0]] = append(all[f[0]], DocumentedColumn{Column{f[1], f[2], f[3]}, f[4], f[5]})
	}
	return all
}

// At is what a release has. A view without columns is not there.
func (d Documented) At(release string) Documented {
	all := Documented{}
	for view, columns := range d {
		for _, c := range columns {
			if !older(release, c.Since) {
				all[view] = append(all[view], c)
			}
		}
	}
	return all
}

// older compares releases such as 12.1 and 2019 number by number.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m < n
		}
	}
	return false
}
