package chat

import "strconv"

// tuple takes an expression, or several with commas between them.
func (p *parser) tuple() expression {
	first := p.expression()
	if p.isOperator(",") {
		return p.tupleFrom(first)
	}
	return first
}

func (p *parser) tupleFrom(first expression) expression {
	items := []expression{first}
	for p.takeOperator(",") {
		if t := p.peek(); t.kind == closeStatement || t.kind == closeExpression || p.isOperator(")") {
			break
		}
		items = append(items, p.expression())
	}
	return listNode{items, true}
}

// expression takes a choice: value if condition else other.
func (p *parser) expression() expression {
	defer p.deeper()()
	value := p.or()
	for p.takeName("if") {
		n := choiceNode{then: value, condition: p.or()}
		if p.takeName("else") {
			n.else_ = p.expression()
		}
		value = n
	}
	return value
}

func (p *parser) or() expression {
	return p.logic("or", func() expression { return p.logic("and", p.not) })
}

func (p *parser) logic(name string, operand func() expression) expression {
	left := operand()
	for line := p.peek().line; p.takeName(name); line = p.peek().line {
		left = binaryNode{line, name, left, operand()}
	}
	return left
}

func (p *parser) not() expression {
	defer p.deeper()()
	if line := p.peek().line; p.takeName("not") {
		return unaryNode{line, "not", p.not()}
	}
	return p.comparison()
}

func (p *parser) comparison() expression {
	n := compareNode{line: p.peek().line, first: p.sum()}
	for {
		op := ""
		t := p.peek()
		switch {
		case t.kind == operator && (t.text == "==" || t.text == "!=" || t.text == "<" || t.text == "<=" || t.text == ">" || t.text == ">="):
			op = p.next().text
		case p.takeName("in"):
			op = "in"
		case p.isName("not") && p.tokens[p.at+1].kind == nameToken && p.tokens[p.at+1].text == "in":
			p.at += 2
			op = "not in"
		}
		if op == "" {
			break
		}
		n.operators = append(n.operators, op)
		n.rest = append(n.rest, p.sum())
	}
	if len(n.rest) == 0 {
		return n.first
	}
	return n
}

func (p *parser) sum() expression {
	return p.binary([]string{"+", "-"}, func() expression {
		return p.binary([]string{"~"}, func() expression {
			return p.binary([]string{"*", "//", "/", "%"}, func() expression {
				return p.binary([]string{"**"}, p.unary)
			})
		})
	})
}

func (p *parser) binary(operators []string, operand func() expression) expression {
	left := operand()
again:
	for _, op := range operators {
		if line := p.peek().line; p.takeOperator(op) {
			left = binaryNode{line, op, left, operand()}
			goto again
		}
	}
	return left
}

func (p *parser) unary() expression {
	return p.filtered(p.unfiltered())
}

func (p *parser) unfiltered() expression {
	defer p.deeper()()
	line := p.peek().line
	for _, op := range [...]string{"-", "+"} {
		if p.takeOperator(op) {
			return unaryNode{line, op, p.unfiltered()}
		}
	}
	return p.postfix(p.primary())
}

func (p *parser) primary() expression {
	t := p.peek()
	switch {
	case t.kind == stringToken:
		text := ""
		for p.peek().kind == stringToken { // neighbours join
			text += p.next().text
		}
		return literal{text}
	case t.kind == integerToken:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			fail(t.line, "the number %s is too large", t.text)
		}
		p.at++
		return literal{n}
	case t.kind == floatToken:
		x, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			fail(t.line, "the number %s is too large", t.text)
		}
		p.at++
		return literal{x}
	case t.kind == nameToken:
		p.at++
		switch t.text {
		case "true", "True":
			return literal{true}
		case "false", "False":
			return literal{false}
		case "none", "None":
			return literal{nil}
		}
		return nameNode{t.line, t.text}
	case p.takeOperator("("):
		if p.takeOperator(")") {
			return listNode{nil, true}
		}
		inner := p.tuple()
		p.expect(")")
		return inner
	case p.takeOperator("["):
		return listNode{p.items("]"), false}
	case p.takeOperator("{"):
		return p.dict(t.line)
	}
	p.unexpected()
	return nil
}

func (p *parser) items(end string) []expression {
	var items []expression
	for !p.takeOperator(end) {
		items = append(items, p.expression())
		if !p.isOperator(end) {
			p.expect(",")
		}
	}
	return items
}

func (p *parser) dict(line int) expression {
	n := dictNode{line: line}
	for !p.takeOperator("}") {
		n.keys = append(n.keys, p.expression())
		p.expect(":")
		n.values = append(n.values, p.expression())
		if !p.isOperator("}") {
			p.expect(",")
		}
	}
	return n
}

func (p *parser) postfix(value expression) expression {
	for {
		line := p.peek().line
		switch {
		case p.takeOperator("."):
			if t := p.peek(); t.kind == integerToken {
				n, _ := strconv.ParseInt(t.text, 10, 64)
				p.at++
				value = indexNode{line, value, literal{n}}
			} else {
				value = attributeNode{line, value, p.name()}
			}
		case p.takeOperator("["):
			value = p.subscript(line, value)
		case p.isOperator("("):
			value = &callExpression{line, value, p.arguments()}
		default:
			return value
		}
	}
}

func (p *parser) subscript(line int, value expression) expression {
	var parts [3]expression
	colons := 0
	for !p.takeOperator("]") {
		switch {
		case colons < 2 && p.takeOperator(":"):
			colons++
		case parts[colons] == nil:
			parts[colons] = p.expression()
		default:
			p.unexpected()
		}
	}
	if colons > 0 {
		return sliceNode{line, value, parts[0], parts[1], parts[2]}
	}
	if parts[0] == nil {
		fail(line, "an index is missing")
	}
	return indexNode{line, value, parts[0]}
}

func (p *parser) arguments() (a arguments) {
	p.expect("(")
	for !p.takeOperator(")") {
		if t := p.peek(); t.kind == nameToken && p.tokens[p.at+1].kind == operator && p.tokens[p.at+1].text == "=" {
			p.at += 2
			a.names = append(a.names, t.text)
			a.named = append(a.named, p.expression())
		} else {
			a.spread = append(a.spread, p.takeOperator("*"))
			a.positional = append(a.positional, p.expression())
		}
		if !p.isOperator(")") {
			p.expect(",")
		}
	}
	return a
}

// filtered takes filters, tests and calls that follow a value.
func (p *parser) filtered(value expression) expression {
	for {
		line := p.peek().line
		switch {
		case p.takeOperator("|"):
			value = p.filter(value)
		case p.takeName("is"):
			value = p.test(line, value)
		case p.isOperator("("):
			value = &callExpression{line, value, p.arguments()}
		default:
			return value
		}
	}
}

func (p *parser) filter(value expression) filterNode {
	n := filterNode{line: p.peek().line, name: p.name(), value: value}
	if p.isOperator("(") {
		n.arguments = p.arguments()
	}
	if _, ok := filters[n.name]; !ok {
		fail(n.line, "the filter %q is not supported", n.name)
	}
	return n
}

// filters takes the rest of a row of filters in a statement.
func (p *parser) filters(first filterNode) []filterNode {
	all := []filterNode{first}
	for p.takeOperator("|") {
		all = append(all, p.filter(nil))
	}
	return all
}

func (p *parser) test(line int, value expression) expression {
	n := testNode{line: line, value: value, negate: p.takeName("not")}
	n.name = p.name()
	t := p.peek()
	switch {
	case p.isOperator("("):
		n.arguments = p.arguments()
	case t.kind == stringToken || t.kind == integerToken || t.kind == floatToken || p.isOperator("[") || p.isOperator("{"),
		t.kind == nameToken && t.text != "else" && t.text != "or" && t.text != "and" && t.text != "is" && t.text != "if" &&
			t.text != "in" && t.text != "not":
		n.positional, n.spread = []expression{p.postfix(p.primary())}, []bool{false}
	}
	if _, ok := tests[n.name]; !ok {
		fail(line, "the test %q is not supported", n.name)
	}
	return n
}
