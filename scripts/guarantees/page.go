package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed492efc12/rotor/scripts/gotest"
)

// write makes the page.
func write(r *results, s sweeping) (string, error) {
	var b strings.Builder
	b.WriteString(opening)
	switch s {
	case fatalFaults:
		fmt.Fprintf(&b, fatalAlone, s, "the newest server of each product")
	case everywhere:
		fmt.Fprintf(&b, fatalAlone, s, "all servers (the built function: on the newest of each product)")
	}
	for _, p := range promises {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", p.title, p.text)
		b.WriteString("\n| kept by | which | ran on |\n|---|---|---|\n")
		for _, e := range p.evidence {
			if !r.passed[e.test] {
				return "", fmt.Errorf("%s did not pass, or there is no such test", e.test)
			}
			fmt.Fprintln(&b, e.row(r.servers[e.test].String()))
		}
		for _, sum := range p.sums {
			n, err := sum.of(r.points)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "\n"+sum.text+"\n", n)
		}
		for _, t := range p.tables {
			if err := t.write(&b, r.points, s); err != nil {
				return "", err
			}
		}
		if p.remedies {
			text, err := remedies(r.points)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
		}
		fmt.Fprintf(&b, "\nNot proven: %s\n", p.not)
	}
	return b.String(), nil
}

// row is the evidence as a line of the page's table, with what it ran on.
func (e evidence) row(on string) string {
	dir, test, _ := strings.Cut(e.test, " ")
	return fmt.Sprintf("| `%s` in %s | %s | %s |", test, dir, e.what, on)
}

// A sum is a sentence with the number of all points of one kind.
type sum struct{ kind, text string }

func (s sum) of(points []gotest.Point) (total int, err error) {
	for _, p := range points {
		if p.Kind != s.kind {
			continue
		}
		n, err := strconv.Atoi(p.Fields["points"])
		if err != nil {
			return 0, fmt.Errorf("a line %s without points: %w", p.Kind, err)
		}
		total += n
	}
	if total == 0 {
		return 0, fmt.Errorf("no test said anything of %s", s.kind)
	}
	return total, nil
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

// write writes the rows of real servers and those of imitations as two tables.
func (t table) write(b *strings.Builder, points []gotest.Point, s sweeping) error {
	fmt.Fprintf(b, "\n%s\n", t.title)
	for _, part := range []struct {
		title string
		real  bool
	}{{"On real servers", true}, {"Our code against our reading of the manual (imitations)", false}} {
		cells, err := t.cells(points, part.real)
		if err != nil {
			return err
		}
		if len(cells) == 0 && part.real && s != allFaults {
			b.WriteString("\nNot in this run.\n")
			return nil
		}
		if len(cells) == 0 && part.real {
			return fmt.Errorf("no test said anything of a real server for the table %q", t.title)
		}
		if len(cells) > 0 {
			fmt.Fprintf(b, "\n%s:\n\n", part.title)
			t.rows(b, cells)
		}
	}
	return nil
}

// cells are the numbers of each row.
func (t table) cells(points []gotest.Point, real bool) (map[row][]string, error) {
	cells := map[row][]string{}
	for i, c := range t.columns {
		for _, p := range points {
			if p.Kind != c.kind || p.Fields["engine"] == "memory" {
				continue
			}
			if is, err := strconv.ParseBool(p.Fields["real"]); err != nil || is != real {
				if err != nil {
					return nil, fmt.Errorf("a line %s does not say whether %s is real: %w", p.Kind, p.Fields["server"], err)
				}
				continue
			}
			n, err := strconv.Atoi(p.Fields[c.field])
			if err != nil {
				return nil, fmt.Errorf("a line %s without %s: %w", p.Kind, c.field, err)
			}
			if modes, err := strconv.Atoi(p.Fields["modes"]); err == nil {
				n *= modes
			}
			at := row{p.Fields["engine"], p.Fields["server"], p.Fields["strategy"]}
			if cells[at] == nil {
				cells[at] = make([]string, len(t.columns))
			}
			cells[at][i] = strconv.Itoa(n)
		}
	}
	return cells, nil
}

func (t table) rows(b *strings.Builder, cells map[row][]string) {
	b.WriteString("| engine | server | strategy |")
	for _, c := range t.columns {
		fmt.Fprintf(b, " %s |", c.title)
	}
	fmt.Fprintf(b, "\n|---|---|---|%s\n", strings.Repeat("--:|", len(t.columns)))
	for _, at := range slices.SortedFunc(maps.Keys(cells), row.compare) {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", at.engine, at.server, at.strategy, strings.Join(cells[at], " | "))
	}
}

func (a row) compare(b row) int {
	return strings.Compare(a.engine+"\x00"+a.server+"\x00"+a.strategy, b.engine+"\x00"+b.server+"\x00"+b.strategy)
}
