package catalogquery

import (
	"slices"
	"strings"
)

// A parser reads the tokens of one query.
type parser struct {
	dialect *Dialect
	tokens  []token
	at      int
}

func (p *parser) done() bool { return p.at == len(p.tokens) }

func (p *parser) peek() token {
	if p.done() {
		return token{sign, ""}
	}
	return p.tokens[p.at]
}

// is reports whether the next tokens are words or signs.
func (p *parser) is(texts ...string) bool {
	for i, want := range texts {
		if p.at+i >= len(p.tokens) {
			return false
		}
		t := p.tokens[p.at+i]
		if t.kind != word && t.kind != sign || !strings.EqualFold(t.text, want) {
			return false
		}
	}
	return true
}

func (p *parser) take(texts ...string) bool {
	if !p.is(texts...) {
		return false
	}
	p.at += len(texts)
	return true
}

func (p *parser) expect(texts ...string) error {
	if !p.take(texts...) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) unexpected() error { return p.dialect.Errors.Syntax(p.peek().text) }

// reserved words are no names without quotes.
var reserved = []string{"select", "from", "where", "union", "order", "on", "join", "left", "inner", "cross", "and", "or", "not", "as", "in", "is",
	"like", "exists", "case", "when", "then", "else", "end", "null", "distinct", "collate", "limit", "fetch", "group", "having", "all", "any"}

// name reads one part of a name, as it is looked up.
func (p *parser) name() (string, error) {
	t := p.peek()
	if t.kind != quoted && (t.kind != word || slices.Contains(reserved, strings.ToLower(t.text))) {
		return "", p.unexpected()
	}
	p.at++
	return p.dialect.normal(t.text, t.kind == quoted), nil
}

// names reads a name of several parts.
func (p *parser) names() (parts []string, err error) {
	for len(parts) == 0 || p.take(".") {
		part, err := p.name()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// list reads what stands between commas.
func (p *parser) list(one func() error) error {
	for {
		if err := one(); err != nil || !p.take(",") {
			return err
		}
	}
}

// A selection is one SELECT, or several with UNION between them.
type selection struct {
	distinct, star bool
	items          []item
	from           []source
	where          expression
	next           *selection // after UNION
	all            bool       // UNION ALL
	order          []order    // of the first
	limit          expression
	columns        []typed
}

type item struct {
	value expression
	name  string
}

type order struct {
	value      expression
	descending bool
}

// A source is what stands in FROM, joined with what stands before it.
type source struct {
	view      []string
	arguments []expression // of a function that gives rows
	within    *selection
	alias     string
	left      bool
	on        expression
	columns   []Column
	key       string // the view's documented name
}

func (p *parser) selection() (*selection, error) {
	s, err := p.single()
	if err != nil {
		return nil, err
	}
	if p.take("union") {
		s.all = p.take("all")
		if s.next, err = p.selection(); err != nil {
			return nil, err
		}
		s.order, s.limit, s.next.order = s.next.order, s.next.limit, nil
		s.next.limit = nil
		return s, nil
	}
	if p.take("order", "by") {
		err = p.list(func() error {
			value, err := p.expression()
			descending := p.take("desc")
			p.take("asc")
			s.order = append(s.order, order{value, descending})
			return err
		})
	}
	switch {
	case err != nil:
	case p.take("limit"):
		s.limit, err = p.expression()
	case p.take("fetch", "first"):
		if s.limit, err = p.expression(); err == nil && !p.take("rows", "only") {
			err = p.expect("row", "only")
		}
	}
	return s, err
}

func (p *parser) single() (*selection, error) {
	s := &selection{}
	if err := p.expect("select"); err != nil {
		return nil, err
	}
	s.distinct = p.take("distinct")
	if !s.distinct {
		p.take("all")
	}
	if p.dialect.Fold == nil && p.take("top") {
		var err error
		if s.limit, err = p.primary(); err != nil {
			return nil, err
		}
	}
	if s.star = p.take("*"); !s.star {
		if err := p.list(func() error { return p.item(s) }); err != nil {
			return nil, err
		}
	}
	if p.take("from") {
		if err := p.sources(s); err != nil {
			return nil, err
		}
	}
	var err error
	if p.take("where") {
		s.where, err = p.expression()
	}
	return s, err
}

func (p *parser) item(s *selection) error {
	value, err := p.expression()
	if err != nil {
		return err
	}
	i := item{value: value}
	if c, ok := value.(*column); ok {
		i.name = c.parts[len(c.parts)-1]
	}
	if t := p.peek(); p.take("as") || t.kind == quoted || t.kind == word && !slices.Contains(reserved, strings.ToLower(t.text)) {
		if i.name, err = p.name(); err != nil {
			return err
		}
	}
	s.items = append(s.items, i)
	return nil
}

func (p *parser) sources(s *selection) error {
	for first := true; ; first = false {
		left, conditional := false, false
		switch {
		case first || p.take(",") || p.take("cross", "join"):
		case p.take("join") || p.take("inner", "join"):
			conditional = true
		case p.take("left", "join") || p.take("left", "outer", "join"):
			left, conditional = true, true
		default:
			return nil
		}
		from, err := p.source()
		if err != nil {
			return err
		}
		from.left = left
		if conditional {
			if err := p.expect("on"); err != nil {
				return err
			}
			if from.on, err = p.expression(); err != nil {
				return err
			}
		}
		s.from = append(s.from, from)
	}
}

func (p *parser) source() (from source, err error) {
	if p.take("(") {
		if from.within, err = p.selection(); err == nil {
			err = p.expect(")")
		}
	} else if from.view, err = p.names(); err == nil {
		from.alias = from.view[len(from.view)-1]
		if p.take("(") {
			from.arguments, err = p.arguments()
		}
	}
	if err != nil {
		return from, err
	}
	if t := p.peek(); p.take("as") || t.kind == quoted || t.kind == word && !slices.Contains(reserved, strings.ToLower(t.text)) {
		from.alias, err = p.name()
	}
	return from, err
}
