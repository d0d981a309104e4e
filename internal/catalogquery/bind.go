package catalogquery

import (
	"slices"
	"strings"
)

// How strongly an expression's collation holds. Source: Transact-SQL reference,
// "Collation Precedence".
const (
	none        = iota // no text
	coercible          // literals, parameters, results of functions
	implicit           // columns
	noCollation        // of two columns that differ
	explicit           // COLLATE
)

// typed is what is known of an expression without running it.
type typed struct {
	Column
	strength int
	null     bool // the word NULL
}

// A scope has the sources whose columns can be named.
type scope struct {
	sources []source
	outer   *scope
}

// A binder looks names up.
type binder struct {
	dialect    *Dialect
	documented Documented
}

// selection binds a SELECT and those after it, and says what its columns are.
func (b *binder) selection(s *selection, outer *scope) error {
	in := &scope{outer: outer}
	for i := range s.from {
		from := &s.from[i]
		if err := b.source(from, outer); err != nil {
			return err
		}
		in.sources = s.from[:i+1]
		if err := b.condition(from.on, in); err != nil {
			return err
		}
	}
	if s.star {
		for _, from := range s.from {
			for _, c := range from.columns {
				s.items = append(s.items, item{&column{parts: []string{from.alias, b.dialect.normal(c.Name, true)}}, c.Name})
			}
		}
		s.star = false
	}
	s.columns = nil
	for _, i := range s.items {
		t, err := i.value.bind(b, in)
		if err != nil {
			return err
		}
		t.Name = i.name
		s.columns = append(s.columns, t)
	}
	if err := b.condition(s.where, in); err != nil {
		return err
	}
	for _, o := range s.order {
		if err := b.ordered(s, o, in); err != nil {
			return err
		}
	}
	if err := b.condition(s.limit, in); err != nil || s.next == nil {
		return err
	}
	return b.union(s, outer)
}

// ordered binds ORDER BY: a column's number, or an expression.
func (b *binder) ordered(s *selection, o order, in *scope) error {
	if n, ok := position(o); ok {
		if n < 1 || n > len(s.columns) {
			return b.dialect.Errors.NoColumn("ORDER BY")
		}
		return nil
	}
	return b.condition(o.value, in)
}

func position(o order) (int, bool) {
	l, ok := o.value.(*literal)
	if !ok {
		return 0, false
	}
	n, ok := l.is.(int64)
	return int(n), ok
}

func (b *binder) condition(e expression, in *scope) error {
	if e == nil {
		return nil
	}
	_, err := e.bind(b, in)
	return err
}

// union joins the columns of a SELECT with those of the next.
func (b *binder) union(s *selection, outer *scope) error {
	if err := b.selection(s.next, outer); err != nil {
		return err
	}
	if len(s.columns) != len(s.next.columns) {
		return b.dialect.Errors.Unlike()
	}
	for i, other := range s.next.columns {
		one := s.columns[i]
		if b.dialect.Typed {
			if err := b.mixed(one, other); err != nil {
				return err
			}
		}
		joined := b.joined(one, other)
		joined.Name = one.Name
		s.columns[i] = joined
	}
	return nil
}

// mixed refuses a column that is a text in one branch and an int, or NULL, in
// another.
func (b *binder) mixed(one, other typed) error {
	numeric := func(t typed) bool { return t.null || isNumber(t.Type) }
	for _, pair := range [][2]typed{{one, other}, {other, one}} {
		if numeric(pair[0]) && isText(pair[1].Type) {
			return b.dialect.Errors.Mixed(pair[1].Name)
		}
	}
	return nil
}

// joined is what two expressions have in common that one column, or one CASE,
// gives both.
func (b *binder) joined(one, other typed) typed {
	if other.strength > one.strength || one.Type == "" {
		one, other = other, one
	}
	if one.strength == other.strength && one.strength >= implicit && one.Collation != other.Collation {
		one.strength = noCollation
	}
	return one
}

func (b *binder) source(from *source, outer *scope) error {
	for _, a := range from.arguments {
		if err := b.condition(a, outer); err != nil {
			return err
		}
	}
	if from.within != nil {
		if err := b.selection(from.within, outer); err != nil {
			return err
		}
		for _, c := range from.within.columns {
			from.columns = append(from.columns, c.Column)
		}
		return nil
	}
	names := []string{strings.Join(from.view, ".")}
	if len(from.view) == 2 && slices.ContainsFunc(b.dialect.Schemas, func(s string) bool { return b.dialect.normal(s, false) == from.view[0] }) {
		names = append(names, from.view[1])
	}
	for view, columns := range b.documented {
		if slices.Contains(names, b.dialect.normal(view, false)) {
			from.key = view
			for _, c := range columns {
				from.columns = append(from.columns, c.Column)
			}
			return nil
		}
	}
	return b.dialect.Errors.NoView(names[0])
}

func (l *literal) bind(*binder, *scope) (typed, error) { return l.kind, nil }

func (p *parameter) bind(*binder, *scope) (typed, error) { return typed{strength: coercible}, nil }

func (c *column) bind(b *binder, in *scope) (typed, error) {
	name := c.parts[len(c.parts)-1]
	qualifier := strings.Join(c.parts[:len(c.parts)-1], ".")
	for depth, s := 0, in; s != nil; depth, s = depth+1, s.outer {
		found := false
		var t typed
		for i, from := range s.sources {
			if qualifier != "" && qualifier != from.alias && qualifier != strings.Join(from.view, ".") {
				continue
			}
			for _, documented := range from.columns {
				if b.dialect.normal(documented.Name, from.within != nil) != name {
					continue
				}
				if found {
					return typed{}, b.dialect.Errors.Ambiguous(name)
				}
				found = true
				c.depth, c.source, c.name = depth, i, documented.Name
				t = typed{Column: documented}
				if documented.Collation != "" {
					t.strength = implicit
				}
			}
		}
		if found {
			return t, nil
		}
	}
	if known, result, ok := b.function(name); ok && qualifier == "" {
		c.name, c.source = known, -1
		return typed{Column: Column{Type: result}, strength: coercible}, nil
	}
	return typed{}, b.dialect.Errors.NoColumn(strings.Join(c.parts, "."))
}

func (b *binder) function(name string) (known, result string, ok bool) {
	for f, t := range b.dialect.Functions {
		if strings.EqualFold(f, name) {
			return f, t, true
		}
	}
	return "", "", false
}

// aggregates are over all rows of a SELECT.
var aggregates = []string{"count", "min", "max"}

func (c *call) aggregate() string {
	if name := strings.ToLower(c.name); slices.Contains(aggregates, name) {
		return name
	}
	return ""
}

func (c *call) bind(b *binder, in *scope) (typed, error) {
	var of []typed
	for _, a := range c.arguments {
		t, err := a.bind(b, in)
		if err != nil {
			return typed{}, err
		}
		of = append(of, t)
	}
	switch name := strings.ToLower(c.name); {
	case name == "count":
		return typed{Column: Column{Type: b.dialect.Number}}, nil
	case c.aggregate() != "" || name == "nullif":
		if len(of) == 0 {
			return typed{}, b.dialect.Errors.Syntax(c.name)
		}
		return of[0], nil
	case name == "concat" || name == "upper" || name == "lower":
		return typed{Column: Column{Type: b.dialect.Text}, strength: coercible}, nil
	}
	known, result, ok := b.function(c.name)
	if !ok {
		return typed{}, b.dialect.Errors.NoFunction(c.name)
	}
	c.known = known
	return typed{Column: Column{Type: result}, strength: coercible}, nil
}

func (c *conversion) bind(b *binder, in *scope) (typed, error) {
	if err := b.condition(c.style, in); err != nil {
		return typed{}, err
	}
	t, err := c.of.bind(b, in)
	t.Type, t.null = c.to, false
	if t.strength == none && isText(c.to) {
		t.strength = coercible
	}
	return t, err
}

func (c *collated) bind(b *binder, in *scope) (typed, error) {
	t, err := c.of.bind(b, in)
	t.Collation, t.strength = c.by, explicit
	return t, err
}

// compared is the collation by which two texts compare.
func (b *binder) compared(one, other typed, operation string) (string, error) {
	t := b.joined(one, other)
	if b.dialect.Collations && t.strength == noCollation {
		return "", b.dialect.Errors.CollationCompared(one.Collation, other.Collation, operation)
	}
	return t.Collation, nil
}

func (c *comparison) bind(b *binder, in *scope) (typed, error) {
	left, err := c.left.bind(b, in)
	if err != nil {
		return typed{}, err
	}
	right, err := c.right.bind(b, in)
	if err != nil {
		return typed{}, err
	}
	c.collation, err = b.compared(left, right, operations[c.sign])
	return truth, err
}

var truth = typed{Column: Column{Type: "bool"}}

// operations are what Transact-SQL calls comparisons in its messages.
var operations = map[string]string{"=": "equal to", "<>": "not equal to", "!=": "not equal to", "<": "less than", ">": "greater than",
	"<=": "less than or equal to", ">=": "greater than or equal to"}

func (a *arithmetic) bind(b *binder, in *scope) (typed, error) {
	left, err := a.left.bind(b, in)
	if err != nil {
		return typed{}, err
	}
	right, err := a.right.bind(b, in)
	return b.joined(left, right), err
}

func (l *logic) bind(b *binder, in *scope) (typed, error) {
	if err := b.condition(l.left, in); err != nil {
		return typed{}, err
	}
	return truth, b.condition(l.right, in)
}

func (n *negation) bind(b *binder, in *scope) (typed, error) { return truth, b.condition(n.of, in) }

func (n *isNull) bind(b *binder, in *scope) (typed, error) { return truth, b.condition(n.of, in) }

func (a *among) bind(b *binder, in *scope) (typed, error) {
	t, err := a.of.bind(b, in)
	if err != nil {
		return typed{}, err
	}
	if a.within != nil {
		if err := b.selection(a.within, in); err != nil {
			return typed{}, err
		}
		if len(a.within.columns) != 1 {
			return typed{}, b.dialect.Errors.Unlike()
		}
		a.collation, err = b.compared(t, a.within.columns[0], "equal to")
		return truth, err
	}
	for _, one := range a.list {
		other, err := one.bind(b, in)
		if err != nil {
			return typed{}, err
		}
		if a.collation, err = b.compared(t, other, "equal to"); err != nil {
			return typed{}, err
		}
	}
	return truth, nil
}

func (a *anyOf) bind(b *binder, in *scope) (typed, error) {
	if err := b.condition(a.of, in); err != nil {
		return typed{}, err
	}
	return truth, b.condition(a.array, in)
}

func (l *like) bind(b *binder, in *scope) (typed, error) {
	t, err := l.of.bind(b, in)
	if err != nil {
		return typed{}, err
	}
	pattern, err := l.pattern.bind(b, in)
	if err != nil {
		return typed{}, err
	}
	l.collation, err = b.compared(t, pattern, "like")
	return truth, err
}

func (e *exists) bind(b *binder, in *scope) (typed, error) { return truth, b.selection(e.within, in) }

func (s *scalar) bind(b *binder, in *scope) (typed, error) {
	if err := b.selection(s.within, in); err != nil {
		return typed{}, err
	}
	if len(s.within.columns) != 1 {
		return typed{}, b.dialect.Errors.Unlike()
	}
	return s.within.columns[0], nil
}

func (c *choice) bind(b *binder, in *scope) (t typed, err error) {
	results := []expression{}
	for _, w := range c.cases {
		if err := b.condition(w.condition, in); err != nil {
			return typed{}, err
		}
		results = append(results, w.result)
	}
	if c.otherwise != nil {
		results = append(results, c.otherwise)
	}
	for i, result := range results {
		next, err := result.bind(b, in)
		if err != nil {
			return typed{}, err
		}
		if i == 0 {
			t = next
		} else {
			t = b.joined(t, next)
		}
	}
	t.null = false
	return t, nil
}
