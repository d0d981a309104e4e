package catalogquery

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A runner answers one query for a session.
type runner struct {
	dialect *Dialect
	session Session
	views   map[string][]Row
}

// A frame has one row of each source, and those of the SELECT around.
type frame struct {
	sources []source
	rows    []Row // nil is a row of NULLs, which a LEFT JOIN gives
	outer   *frame
	group   []*frame // what aggregates are over
}

func (r *runner) selection(s *selection, outer *frame) ([][]Value, error) {
	frames, err := r.from(s, outer)
	if err != nil {
		return nil, err
	}
	var rows [][]Value
	if s.aggregated() {
		frames = []*frame{{sources: s.from, rows: make([]Row, len(s.from)), outer: outer, group: frames}}
	}
	if s.next == nil {
		if err := r.sort(s, frames); err != nil {
			return nil, err
		}
	}
	for _, f := range frames {
		row := make([]Value, len(s.items))
		for i, item := range s.items {
			if row[i], err = item.value.value(r, f); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	if s.distinct {
		rows = distinct(rows)
	}
	if s.next != nil {
		more, err := r.selection(s.next, outer)
		if err != nil {
			return nil, err
		}
		if rows = append(rows, more...); !s.all {
			rows = distinct(rows)
		}
	}
	return r.limited(s, rows, outer)
}

func (s *selection) aggregated() bool {
	return slices.ContainsFunc(s.items, func(i item) bool {
		c, ok := i.value.(*call)
		return ok && c.aggregate() != ""
	})
}

func (r *runner) limited(s *selection, rows [][]Value, outer *frame) ([][]Value, error) {
	if s.limit == nil {
		return rows, nil
	}
	v, err := s.limit.value(r, outer)
	if n, ok := v.(int64); ok && int(n) < len(rows) {
		rows = rows[:n]
	}
	return rows, err
}

func distinct(rows [][]Value) (all [][]Value) {
	for _, row := range rows {
		if !slices.ContainsFunc(all, func(other []Value) bool { return reflect.DeepEqual(row, other) }) {
			all = append(all, row)
		}
	}
	return all
}

// sort puts the frames into the order that the query asks for.
func (r *runner) sort(s *selection, frames []*frame) error {
	var failed error
	slices.SortStableFunc(frames, func(a, b *frame) int {
		for _, o := range s.order {
			by := o.value
			if n, ok := position(o); ok {
				by = s.items[n-1].value
			}
			x, err := by.value(r, a)
			y, other := by.value(r, b)
			failed = cmp.Or(failed, err, other)
			if order := r.order(x, y, ""); order != 0 && !o.descending {
				return order
			} else if order != 0 {
				return -order
			}
		}
		return 0
	})
	return failed
}

// from joins the sources of a SELECT, and keeps what WHERE lets through.
func (r *runner) from(s *selection, outer *frame) ([]*frame, error) {
	frames := []*frame{{sources: s.from, outer: outer}}
	for i := range s.from {
		from := &s.from[i]
		rows, err := r.rows(from, outer)
		if err != nil {
			return nil, err
		}
		var joined []*frame
		for _, f := range frames {
			matched := false
			for _, row := range rows {
				next := &frame{sources: s.from, rows: append(slices.Clone(f.rows), row), outer: outer}
				ok, err := r.holds(from.on, next)
				if err != nil {
					return nil, err
				}
				if ok {
					matched = true
					joined = append(joined, next)
				}
			}
			if from.left && !matched {
				joined = append(joined, &frame{sources: s.from, rows: append(slices.Clone(f.rows), nil), outer: outer})
			}
		}
		frames = joined
	}
	var kept []*frame
	for _, f := range frames {
		ok, err := r.holds(s.where, f)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, f)
		}
	}
	return kept, nil
}

// rows are those of a view or of a SELECT within FROM.
func (r *runner) rows(from *source, outer *frame) ([]Row, error) {
	if from.within != nil {
		values, err := r.selection(from.within, outer)
		var rows []Row
		for _, v := range values {
			row := Row{}
			for i, c := range from.columns {
				row[c.Name] = v[i]
			}
			rows = append(rows, row)
		}
		return rows, err
	}
	if rows, ok := r.views[from.key]; ok {
		return rows, nil
	}
	rows, err := r.session.Rows(from.key)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		for name := range row {
			if !slices.ContainsFunc(from.columns, func(c Column) bool { return c.Name == name }) {
				delete(row, name) // of another release
			}
		}
	}
	if rows == nil {
		rows = []Row{}
	}
	r.views[from.key] = rows
	return rows, nil
}

// holds reports whether a condition is true, and neither false nor unknown.
func (r *runner) holds(condition expression, in *frame) (bool, error) {
	if condition == nil {
		return true, nil
	}
	v, err := condition.value(r, in)
	return v == true, err
}

// order compares two values that are not NULL.
func (r *runner) order(a, b Value, collation string) int {
	switch x := a.(type) {
	case string:
		y := plain(b)
		if r.dialect.CaseBlind && !strings.Contains(collation, "_BIN") {
			x, y = strings.ToLower(strings.TrimRight(x, " ")), strings.ToLower(strings.TrimRight(y, " "))
		}
		return cmp.Compare(x, y)
	case int64:
		if y, ok := number64(b); ok {
			return cmp.Compare(x, y)
		}
	case bool:
		m, _ := number64(a)
		if n, ok := number64(b); ok {
			return cmp.Compare(m, n)
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y)
		}
	}
	return cmp.Compare(plain(a), plain(b))
}

func number64(v Value) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case string:
		n, err := strconv.ParseInt(x, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// plain is a value as text.
func plain(v Value) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		if x {
			return "1"
		}
		return "0"
	case []byte:
		return fmt.Sprintf("0x%X", x)
	}
	return fmt.Sprint(v)
}

func (l *literal) value(*runner, *frame) (Value, error) { return l.is, nil }

func (p *parameter) value(r *runner, _ *frame) (Value, error) {
	v, ok := r.session.Parameter(p.name)
	if !ok {
		return nil, r.dialect.Errors.Syntax(p.name)
	}
	return v, nil
}

func (c *column) value(r *runner, in *frame) (Value, error) {
	if c.source < 0 {
		return r.session.Call(c.name, nil)
	}
	for range c.depth {
		in = in.outer
	}
	row := in.rows[c.source]
	if row == nil {
		return nil, nil
	}
	v, ok := row[c.name]
	if !ok {
		return nil, fmt.Errorf("the imitation does not fill column %s of %s", c.name, in.sources[c.source].key)
	}
	return v, nil
}

func (c *call) value(r *runner, in *frame) (Value, error) {
	if a := c.aggregate(); a != "" {
		return c.over(r, a, in.group)
	}
	var of []Value
	for _, a := range c.arguments {
		v, err := a.value(r, in)
		if err != nil {
			return nil, err
		}
		of = append(of, v)
	}
	switch name := strings.ToLower(c.name); {
	case name == "concat":
		all := ""
		for _, v := range of {
			all += plain(v)
		}
		return all, nil
	case c.known != "":
		return r.session.Call(c.known, of)
	case of[0] == nil:
		return nil, nil
	case name == "nullif":
		if of[1] != nil && r.order(of[0], of[1], "") == 0 {
			return nil, nil
		}
		return of[0], nil
	case name == "upper":
		return strings.ToUpper(plain(of[0])), nil
	}
	return strings.ToLower(plain(of[0])), nil
}

// over is COUNT, MIN or MAX of what the frames have. NULL does not count.
func (c *call) over(r *runner, name string, frames []*frame) (best Value, err error) {
	count := int64(0)
	for _, f := range frames {
		v := Value(true) // COUNT(*)
		if l, ok := c.arguments[0].(*literal); !ok || l.kind != (typed{}) {
			if v, err = c.arguments[0].value(r, f); err != nil {
				return nil, err
			}
		}
		if v == nil {
			continue
		}
		count++
		if order := 0; best != nil {
			order = r.order(v, best, "")
			if name == "min" && order >= 0 || name == "max" && order <= 0 {
				continue
			}
		}
		best = v
	}
	if name == "count" {
		return count, nil
	}
	return best, nil
}

func (c *conversion) value(r *runner, in *frame) (Value, error) {
	v, err := c.of.value(r, in)
	if err != nil || v == nil {
		return nil, err
	}
	switch {
	case isText(c.to):
		return plain(v), nil
	case isNumber(c.to):
		n, ok := number64(v)
		if !ok {
			return nil, r.dialect.Errors.Mixed(plain(v))
		}
		return n, nil
	case c.to == "varbinary":
		return binary(r, v)
	}
	return v, nil
}

// binary reads 0x0123, which is CONVERT's style 1.
func binary(r *runner, v Value) (Value, error) {
	if b, ok := v.([]byte); ok {
		return b, nil
	}
	var b []byte
	if _, err := fmt.Sscanf(plain(v), "0x%X", &b); err != nil && plain(v) != "0x" {
		return nil, r.dialect.Errors.Mixed(plain(v))
	}
	return b, nil
}

func (c *collated) value(r *runner, in *frame) (Value, error) { return c.of.value(r, in) }

// both evaluates two operands; ok is false where one is NULL.
func both(r *runner, one, other expression, in *frame) (a, b Value, ok bool, err error) {
	if a, err = one.value(r, in); err != nil {
		return nil, nil, false, err
	}
	b, err = other.value(r, in)
	return a, b, a != nil && b != nil, err
}

func (c *comparison) value(r *runner, in *frame) (Value, error) {
	a, b, ok, err := both(r, c.left, c.right, in)
	if err != nil || !ok {
		return nil, err
	}
	order := r.order(a, b, c.collation)
	switch c.sign {
	case "=":
		return order == 0, nil
	case "<":
		return order < 0, nil
	case ">":
		return order > 0, nil
	case "<=":
		return order <= 0, nil
	case ">=":
		return order >= 0, nil
	}
	return order != 0, nil
}

func (a *arithmetic) value(r *runner, in *frame) (Value, error) {
	x, y, ok, err := both(r, a.left, a.right, in)
	if err != nil || !ok {
		return nil, err
	}
	m, one := x.(int64)
	n, other := y.(int64)
	if one && other {
		return m + n, nil
	}
	return plain(x) + plain(y), nil
}

func (l *logic) value(r *runner, in *frame) (Value, error) {
	left, err := l.left.value(r, in)
	if err != nil || left == !l.and {
		return left, err
	}
	right, err := l.right.value(r, in)
	switch {
	case err != nil || right == !l.and:
		return right, err
	case left == nil || right == nil:
		return nil, nil
	}
	return l.and, nil
}

func (n *negation) value(r *runner, in *frame) (Value, error) {
	v, err := n.of.value(r, in)
	if v == nil {
		return nil, err
	}
	return v != true, err
}

func (n *isNull) value(r *runner, in *frame) (Value, error) {
	v, err := n.of.value(r, in)
	return (v == nil) != n.not, err
}

func (a *among) value(r *runner, in *frame) (Value, error) {
	v, err := a.of.value(r, in)
	if err != nil || v == nil {
		return nil, err
	}
	var list []Value
	if a.within != nil {
		rows, err := r.selection(a.within, in)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			list = append(list, row[0])
		}
	}
	for _, e := range a.list {
		one, err := e.value(r, in)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	var unknown Value = false
	for _, one := range list {
		if one == nil {
			unknown = nil
		} else if r.order(v, one, a.collation) == 0 {
			return true, nil
		}
	}
	return unknown, nil
}

func (a *anyOf) value(r *runner, in *frame) (Value, error) {
	v, array, ok, err := both(r, a.of, a.array, in)
	if err != nil || !ok {
		return nil, err
	}
	all := reflect.ValueOf(array)
	if all.Kind() != reflect.Slice {
		return nil, r.dialect.Errors.Syntax("ANY")
	}
	for i := range all.Len() {
		if r.order(v, all.Index(i).Interface(), "") == 0 {
			return true, nil
		}
	}
	return false, nil
}

func (l *like) value(r *runner, in *frame) (Value, error) {
	v, pattern, ok, err := both(r, l.of, l.pattern, in)
	if err != nil || !ok {
		return nil, err
	}
	a, b := plain(v), plain(pattern)
	if r.dialect.CaseBlind && !strings.Contains(l.collation, "_BIN") {
		a, b = strings.ToLower(a), strings.ToLower(b)
	}
	return matches([]rune(a), []rune(b)), nil
}

// matches is LIKE with % and _.
func matches(s, pattern []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '%':
		return matches(s, pattern[1:]) || len(s) > 0 && matches(s[1:], pattern)
	case len(s) == 0:
		return false
	}
	return (pattern[0] == '_' || pattern[0] == s[0]) && matches(s[1:], pattern[1:])
}

func (e *exists) value(r *runner, in *frame) (Value, error) {
	rows, err := r.selection(e.within, in)
	return len(rows) > 0, err
}

func (s *scalar) value(r *runner, in *frame) (Value, error) {
	rows, err := r.selection(s.within, in)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0][0], nil
}

func (c *choice) value(r *runner, in *frame) (Value, error) {
	for _, w := range c.cases {
		ok, err := r.holds(w.condition, in)
		if err != nil {
			return nil, err
		}
		if ok {
			return w.result.value(r, in)
		}
	}
	if c.otherwise == nil {
		return nil, nil
	}
	return c.otherwise.value(r, in)
}
