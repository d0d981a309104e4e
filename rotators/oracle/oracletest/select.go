package oracletest

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// A row is one of a view of the catalog.
type row map[string]string

// An item is one of a SELECT's list, or one side of a condition.
type item struct{ column, literal string }

func (i item) of(r row, s *session) (string, *sqlError) {
	switch {
	case i.column == "USER":
		return s.user, nil
	case i.column == "":
		return i.literal, nil
	}
	v, ok := r[i.column]
	if !ok {
		return "", raise(904, "%q: invalid identifier", i.column)
	}
	return v, nil
}

// readItem reads a column, USER, a literal, or TO_CHAR of a column.
func readItem(p *parser) (item, *sqlError) {
	if p.take("TO_CHAR", "(") {
		name, err := p.name()
		if err == nil && p.take(",") {
			_, err = p.value()
		}
		if err == nil {
			err = p.expect(")")
		}
		return item{column: name}, err
	}
	if t, ok := p.kind(stringToken); ok {
		return item{literal: t.text}, nil
	}
	name, err := p.name()
	return item{column: name}, err
}

// A condition is one of those that AND joins.
type condition struct {
	left item
	like string
	in   []string
}

func (k condition) holds(r row, s *session) (bool, *sqlError) {
	v, err := k.left.of(r, s)
	if k.like != "" {
		ok, _ := path.Match(strings.ReplaceAll(k.like, "%", "*"), v)
		return ok, err
	}
	return slices.Contains(k.in, v), err
}

func readCondition(p *parser) (k condition, err *sqlError) {
	if k.left, err = readItem(p); err != nil {
		return k, err
	}
	var v string
	switch {
	case p.take("LIKE"):
		k.like, err = p.value()
	case p.take("="):
		v, err = p.value()
		k.in = []string{v}
	case p.take("IN", "("):
		for err == nil && (len(k.in) == 0 || p.take(",")) {
			v, err = p.value()
			k.in = append(k.in, v)
		}
		if err == nil {
			err = p.expect(")")
		}
	default:
		err = p.syntax()
	}
	return k, err
}

// selectRows runs SELECT items FROM view WHERE condition AND condition. Of a table,
// which has no rows, it checks the right to read.
func selectRows(p *parser, s *session) (reply, error) {
	var items []item
	if !p.take("*") {
		for len(items) == 0 || p.take(",") {
			i, err := readItem(p)
			if err != nil {
				return reply{}, err
			}
			items = append(items, i)
			if p.take(".") { // "owner"."sequence".NEXTVAL FROM DUAL
				return nextVal(p, s, i.column)
			}
		}
	}
	if err := p.expect("FROM"); err != nil {
		return reply{}, err
	}
	from, err := p.qualified("")
	if err != nil {
		return reply{}, err
	}
	view, known := views[from.name]
	if from.owner != "" || !known {
		return selectTable(s, from, items)
	}
	all, err := readView(view, s)
	if err != nil {
		return reply{}, err
	}
	return filtered(p, s, all, items)
}

func filtered(p *parser, s *session, all []row, items []item) (reply, error) {
	var conditions []condition
	for p.take("WHERE") || p.take("AND") {
		k, err := readCondition(p)
		if err != nil {
			return reply{}, err
		}
		conditions = append(conditions, k)
	}
	if !p.done() {
		return reply{}, p.syntax()
	}
	r := reply{}
	for range items {
		r.Columns = append(r.Columns, "C")
	}
rows:
	for _, candidate := range all {
		for _, k := range conditions {
			ok, err := k.holds(candidate, s)
			if err != nil {
				return reply{}, err
			}
			if !ok {
				continue rows
			}
		}
		values := make([]string, len(items))
		for i, it := range items {
			v, err := it.of(candidate, s)
			if err != nil {
				return reply{}, err
			}
			values[i] = v
		}
		r.Rows = append(r.Rows, values)
	}
	return r, nil
}

func selectTable(s *session, from key, items []item) (reply, error) {
	if from.owner == "" {
		from.owner = s.schema
	}
	c := s.server.catalog
	column := ""
	if len(items) > 0 {
		column = items[0].column
	}
	if c.objects[from] == nil || !c.may(s, from, column, "SELECT", "READ") {
		return reply{}, c.refuse(s, from)
	}
	return reply{Columns: []string{"C"}}, nil
}

func nextVal(p *parser, s *session, owner string) (reply, error) {
	name, err := p.name()
	if err != nil {
		return reply{}, err
	}
	if err := p.expect(".", "NEXTVAL", "FROM", "DUAL"); err != nil {
		return reply{}, err
	}
	return selectTable(s, key{owner, name}, nil)
}

// sortedKeys makes answers the same each time.
func sortedKeys[K comparable, V any](m map[K]V, text func(K) string) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return strings.Compare(text(a), text(b)) })
}
