package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// write makes the page.
func write(r *results) (string, error) {
	var b strings.Builder
	b.WriteString(opening)
	for _, p := range promises {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", p.title, p.text)
		b.WriteString("\n| kept by | which |\n|---|---|\n")
		for _, e := range p.evidence {
			if !r.passed[e.test] {
				return "", fmt.Errorf("%s did not pass, or there is no such test", e.test)
			}
			dir, test, _ := strings.Cut(e.test, " ")
			fmt.Fprintf(&b, "| `%s` in %s | %s |\n", test, dir, e.what)
		}
		for _, t := range p.tables {
			if err := t.write(&b, r.points); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(&b, "\nNot proven: %s\n", p.not)
	}
	return b.String(), nil
}

// A table has a row for each engine, server and strategy, and a column for each
// kind of lines.
type table struct {
	title   string
	columns []column
}

// A column shows a number of the lines of one kind.
type column struct {
	kind, field string
	title       string
}

type row struct{ engine, server, strategy string }

func (t table) write(b *strings.Builder, points []point) error {
	cells := map[row][]string{}
	for i, c := range t.columns {
		for _, p := range points {
			if p.kind != c.kind || p.fields["engine"] == "memory" {
				continue
			}
			n, err := strconv.Atoi(p.fields[c.field])
			if err != nil {
				return fmt.Errorf("a line %s without %s: %w", p.kind, c.field, err)
			}
			if modes, err := strconv.Atoi(p.fields["modes"]); err == nil {
				n *= modes
			}
			at := row{p.fields["engine"], p.fields["server"], p.fields["strategy"]}
			if cells[at] == nil {
				cells[at] = make([]string, len(t.columns))
			}
			cells[at][i] = strconv.Itoa(n)
		}
	}
	if len(cells) == 0 {
		return fmt.Errorf("no test said anything for the table %q", t.title)
	}
	fmt.Fprintf(b, "\n%s\n\n| engine | server | strategy |", t.title)
	for _, c := range t.columns {
		fmt.Fprintf(b, " %s |", c.title)
	}
	fmt.Fprintf(b, "\n|---|---|---|%s\n", strings.Repeat("--:|", len(t.columns)))
	for _, at := range slices.SortedFunc(maps.Keys(cells), row.compare) {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", at.engine, at.server, at.strategy, strings.Join(cells[at], " | "))
	}
	return nil
}

func (a row) compare(b row) int {
	return strings.Compare(a.engine+"\x00"+a.server+"\x00"+a.strategy, b.engine+"\x00"+b.server+"\x00"+b.strategy)
}
