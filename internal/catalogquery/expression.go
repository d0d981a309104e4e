package catalogquery

import (
	"slices"
	"strconv"
	"strings"
)

// An expression is a part of a query that has a value.
type expression interface {
	bind(b *binder, in *scope) (typed, error)
	value(r *runner, in *frame) (Value, error)
}

type (
	literal struct {
		is   Value
		kind typed
	}
	parameter struct{ name string }
	column    struct {
		parts  []string
		source int // in the scope that is depth outside
		depth  int
		name   string
	}
	call struct {
		name      string
		arguments []expression
		known     string // the dialect's name of it
	}
	conversion struct {
		to    string
		of    expression
		style expression
	}
	collated struct {
		of expression
		by string
	}
	comparison struct {
		sign        string
		left, right expression
		collation   string
	}
	arithmetic struct { // + and ||
		left, right expression
	}
	logic struct {
		and         bool
		left, right expression
	}
	negation struct{ of expression }
	isNull   struct {
		of  expression
		not bool
	}
	among struct {
		of        expression
		list      []expression
		within    *selection
		collation string
	}
	anyOf struct {
		of, array expression
	}
	like struct {
		of, pattern expression
		collation   string
	}
	exists struct{ within *selection }
	scalar struct{ within *selection }
	choice struct { // CASE, COALESCE
		cases     []when
		otherwise expression
	}
	when struct{ condition, result expression }
)

func (p *parser) expression() (expression, error) {
	return p.joined("or", func() (expression, error) { return p.joined("and", p.negated) })
}

func (p *parser) joined(by string, operand func() (expression, error)) (expression, error) {
	left, err := operand()
	for err == nil && p.take(by) {
		var right expression
		if right, err = operand(); err == nil {
			left = &logic{by == "and", left, right}
		}
	}
	return left, err
}

func (p *parser) negated() (expression, error) {
	if p.take("not") {
		of, err := p.negated()
		return &negation{of}, err
	}
	return p.predicate()
}

func (p *parser) predicate() (expression, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	if p.take("is") {
		not := p.take("not")
		return &isNull{left, not}, p.expect("null")
	}
	not := p.take("not")
	var e expression
	switch {
	case p.take("in", "("):
		e, err = p.among(left)
	case p.take("like"):
		var pattern expression
		pattern, err = p.sum()
		e = &like{of: left, pattern: pattern}
	case not:
		return nil, p.unexpected()
	default:
		return p.compared(left)
	}
	if not && err == nil {
		e = &negation{e}
	}
	return e, err
}

func (p *parser) among(left expression) (expression, error) {
	e := &among{of: left}
	var err error
	if p.is("select") {
		e.within, err = p.selection()
	} else {
		err = p.list(func() error {
			one, err := p.sum()
			e.list = append(e.list, one)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

func (p *parser) compared(left expression) (expression, error) {
	for _, sign := range []string{"=", "<>", "!=", "<=", ">=", "<", ">"} {
		if !p.take(sign) {
			continue
		}
		if sign == "=" && p.take("any", "(") {
			array, err := p.expression()
			if err != nil {
				return nil, err
			}
			return &anyOf{left, array}, p.expect(")")
		}
		right, err := p.sum()
		return &comparison{sign: sign, left: left, right: right}, err
	}
	return left, nil
}

func (p *parser) sum() (expression, error) {
	left, err := p.suffixed()
	for err == nil && (p.take("||") || p.dialect.Fold == nil && p.take("+")) {
		var right expression
		if right, err = p.suffixed(); err == nil {
			left = &arithmetic{left, right}
		}
	}
	return left, err
}

// suffixed reads COLLATE and :: after a value.
func (p *parser) suffixed() (expression, error) {
	e, err := p.primary()
	for err == nil {
		switch {
		case p.take("collate"):
			t := p.peek()
			if t.kind != word {
				return nil, p.unexpected()
			}
			p.at++
			e = &collated{e, strings.ToUpper(t.text)}
		case p.take("::"):
			var to string
			if to, err = p.typeName(); err == nil {
				e = &conversion{to: to, of: e}
			}
		default:
			return e, nil
		}
	}
	return nil, err
}

func (p *parser) primary() (expression, error) {
	t := p.peek()
	switch {
	case p.done():
		return nil, p.unexpected()
	case t.kind == text:
		p.at++
		return &literal{t.text, typed{Column: Column{Type: p.dialect.Text}, strength: coercible}}, nil
	case t.kind == number:
		p.at++
		n, err := strconv.ParseInt(t.text, 10, 64)
		return &literal{n, typed{Column: Column{Type: p.dialect.Number}}}, err
	case t.kind == placeholder && strings.HasPrefix(t.text, "@@"):
		p.at++
		return &column{parts: []string{t.text}}, nil
	case t.kind == placeholder:
		p.at++
		return &parameter{t.text}, nil
	case p.take("null"):
		return &literal{nil, typed{null: true}}, nil
	case p.dialect.Fold != nil && (p.is("true") || p.is("false")):
		p.at++
		return &literal{strings.EqualFold(t.text, "true"), typed{Column: Column{Type: "bool"}}}, nil
	case p.take("exists", "("):
		within, err := p.selection()
		if err != nil {
			return nil, err
		}
		return &exists{within}, p.expect(")")
	case p.take("("):
		return p.bracketed()
	case p.take("case"):
		return p.choice()
	case p.take("cast", "("):
		return p.cast()
	case p.dialect.Fold == nil && p.take("convert", "("):
		return p.convert()
	}
	return p.named()
}

func (p *parser) bracketed() (e expression, err error) {
	if p.is("select") {
		var within *selection
		within, err = p.selection()
		e = &scalar{within}
	} else {
		e, err = p.expression()
	}
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

// named reads a column or a call.
func (p *parser) named() (expression, error) {
	start := p.at
	parts, err := p.names()
	if err != nil {
		return nil, err
	}
	if !p.take("(") {
		return &column{parts: parts}, nil
	}
	var raw []string // functions keep their letters: the dialect knows them in any case
	for _, t := range p.tokens[start : p.at-1] {
		raw = append(raw, t.text)
	}
	arguments, err := p.arguments()
	name := strings.Join(raw, "")
	if strings.EqualFold(name, "coalesce") && err == nil {
		return coalesce(arguments), nil
	}
	return &call{name: name, arguments: arguments}, err
}

// arguments reads up to the closing bracket.
func (p *parser) arguments() (all []expression, err error) {
	if p.take(")") {
		return nil, nil
	}
	err = p.list(func() error {
		if p.take("default") || p.is("*") && p.take("*") {
			all = append(all, &literal{})
			return nil
		}
		one, err := p.expression()
		all = append(all, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, p.expect(")")
}

func coalesce(arguments []expression) expression {
	c := &choice{}
	for _, a := range arguments {
		c.cases = append(c.cases, when{&isNull{a, true}, a})
	}
	return c
}

func (p *parser) choice() (expression, error) {
	c := &choice{}
	var of expression
	var err error
	if !p.is("when") {
		if of, err = p.expression(); err != nil {
			return nil, err
		}
	}
	for p.take("when") {
		w := when{}
		if w.condition, err = p.expression(); err != nil {
			return nil, err
		}
		if of != nil {
			w.condition = &comparison{sign: "=", left: of, right: w.condition}
		}
		if err = p.expect("then"); err != nil {
			return nil, err
		}
		if w.result, err = p.expression(); err != nil {
			return nil, err
		}
		c.cases = append(c.cases, w)
	}
	if p.take("else") {
		if c.otherwise, err = p.expression(); err != nil {
			return nil, err
		}
	}
	return c, p.expect("end")
}

func (p *parser) cast() (expression, error) {
	of, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect("as"); err != nil {
		return nil, err
	}
	to, err := p.typeName()
	if err != nil {
		return nil, err
	}
	return &conversion{to: to, of: of}, p.expect(")")
}

// convert reads Transact-SQL's CONVERT(type, value, style).
func (p *parser) convert() (expression, error) {
	to, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	e := &conversion{to: to}
	if e.of, err = p.expression(); err != nil {
		return nil, err
	}
	if p.take(",") {
		if e.style, err = p.expression(); err != nil {
			return nil, err
		}
	}
	return e, p.expect(")")
}

// typeName reads a type in lower case, without its length.
func (p *parser) typeName() (string, error) {
	t := p.peek()
	if t.kind != word {
		return "", p.unexpected()
	}
	p.at++
	if p.take("(") {
		for !p.done() && !p.take(")") {
			p.at++
		}
	}
	to := strings.ToLower(t.text)
	if p.take("[", "]") {
		to += "[]"
	}
	return to, nil
}

// textTypes are types whose values are text.
var textTypes = []string{"char", "varchar", "nchar", "nvarchar", "sysname", "text", "name", "varchar2", "nvarchar2", "character varying", "ntext"}

func isText(t string) bool {
	base, _, _ := strings.Cut(strings.ToLower(t), "(")
	return slices.Contains(textTypes, strings.TrimSpace(base))
}

// numberTypes are types whose values are whole numbers.
var numberTypes = []string{"bit", "tinyint", "smallint", "int", "bigint", "integer", "number", "oid"}

func isNumber(t string) bool {
	base, _, _ := strings.Cut(strings.ToLower(t), "(")
	return slices.Contains(numberTypes, strings.TrimSpace(base))
}
