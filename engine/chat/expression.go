package chat

// tuple takes an expression, or several with commas between them.
func (p *parser) tuple() expression { return p.tupleOf(p.expression) }

func (p *parser) tupleOf(item func() expression, ends ...string) expression {
	first := item()
	if !p.isOperator(",") {
		return first
	}
	items := []expression{first}
	for p.takeOperator(",") {
		if p.endsTuple(ends) {
			break
		}
		items = append(items, item())
	}
	return listNode{items, true}
}

// endsTuple tells whether a comma was the tuple's last.
func (p *parser) endsTuple(names []string) bool {
	for _, name := range names {
		if p.isName(name) {
			return true
		}
	}
	t := p.peek()
	return t.kind == closeStatement || t.kind == closeExpression || p.isOperator(")")
}

// expression takes a choice: value if condition else other.
func (p *parser) expression() expression {
	defer p.deeper()()
	unknown := len(p.unknown)
	value := p.or()
	for p.takeName("if") {
		n := choiceNode{then: value, condition: p.or()}
		if p.takeName("else") {
			n.else_ = p.expression()
		}
		value, p.unknown = n, p.unknown[:unknown]
	}
	return value
}

func (p *parser) or() expression {
	return p.logic("or", func() expression { return p.logic("and", p.not) })
}

func (p *parser) logic(name string, operand func() expression) expression {
	left := operand()
	for line := p.peek().line; p.takeName(name); line = p.peek().line {
		unknown := len(p.unknown)
		right := operand()
		if l, ok := left.(literal); ok && truth(l.value) == (name == "or") {
			p.unknown = p.unknown[:unknown] // it is never reached
		}
		left = binaryNode{line, name, left, right}
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

func (p *parser) sum() expression { return p.binary([]string{"+", "-"}, p.joined) }

func (p *parser) joined() expression {
	n := joinNode{line: p.peek().line, escape: p.escape}
	n.parts = append(n.parts, p.product())
	for p.takeOperator("~") {
		n.parts = append(n.parts, p.product())
	}
	if len(n.parts) == 1 {
		return n.parts[0]
	}
	return n
}

func (p *parser) product() expression {
	return p.binary([]string{"*", "//", "/", "%"}, func() expression { return p.binary([]string{"**"}, p.unary) })
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

// arguments takes those of a call: by place, by name, then what * and ** spread.
func (p *parser) arguments() (a arguments) {
	line := p.peek().line
	p.expect("(")
	wrong := func(is bool) {
		if is {
			fail(line, "the arguments of a call stand in a wrong order")
		}
	}
	for !p.takeOperator(")") {
		t := p.peek()
		switch {
		case p.takeOperator("**"):
			wrong(a.spreadNamed != nil)
			a.spreadNamed = p.expression()
		case p.takeOperator("*"):
			wrong(a.spread != nil || a.spreadNamed != nil)
			a.spread = p.expression()
		case t.kind == nameToken && p.tokens[p.at+1].kind == operator && p.tokens[p.at+1].text == "=":
			wrong(a.spreadNamed != nil)
			p.at += 2
			a.names = append(a.names, t.text)
			a.named = append(a.named, p.expression())
		default:
			wrong(a.spread != nil || a.spreadNamed != nil || len(a.names) > 0)
			a.positional = append(a.positional, p.expression())
		}
		if !p.isOperator(")") {
			p.expect(",")
		}
	}
	return a
}
