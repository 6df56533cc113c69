package chat

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
		n, ok := parseInteger(t.text, 0)
		if !ok || len(t.text) > maxDigits {
			fail(t.line, "the number %s cannot be read", t.text)
		}
		p.at++
		return literal{n}
	case t.kind == floatToken:
		x, ok := parseFloat(t.text)
		if !ok {
			fail(t.line, "the number %s cannot be read", t.text)
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
		p.loaded(t.text)
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
				n, ok := parseInteger(t.text, 0)
				if !ok {
					p.unexpected()
				}
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

// subscript takes an index, a slice, or several indices with commas between them.
func (p *parser) subscript(line int, value expression) expression {
	var items []expression
	var cut *sliceNode
	for !p.takeOperator("]") {
		if len(items) > 0 {
			p.expect(",")
		}
		var item expression
		if !p.isOperator(":") {
			item = p.expression()
		}
		if p.isOperator(":") {
			cut = p.slice(line, value, item)
			item = literal{}
		}
		items = append(items, item)
	}
	switch {
	case len(items) == 1 && cut != nil:
		return *cut
	case len(items) == 1:
		return indexNode{line, value, items[0]}
	case cut != nil:
		fail(line, "a slice stands among several indices")
	}
	return indexNode{line, value, listNode{items, true}}
}

func (p *parser) slice(line int, value, start expression) *sliceNode {
	n := &sliceNode{line: line, value: value, start: start}
	part := func() expression {
		if !p.takeOperator(":") || p.isOperator(":") || p.isOperator("]") || p.isOperator(",") {
			return nil
		}
		return p.expression()
	}
	n.stop = part()
	n.step = part()
	return n
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
	n := filterNode{line: p.peek().line, name: p.dottedName(), value: value}
	if p.isOperator("(") {
		n.arguments = p.arguments()
	}
	if _, ok := filters[n.name]; !ok {
		p.isUnknown(n.line, "filter", n.name)
	}
	return n
}

func (p *parser) dottedName() string {
	name := p.name()
	for p.takeOperator(".") {
		name += "." + p.name()
	}
	return name
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
	n.name = p.dottedName()
	t := p.peek()
	switch {
	case p.isOperator("("):
		n.arguments = p.arguments()
	case t.kind == nameToken && t.text == "is":
		fail(line, "tests cannot follow one another")
	case t.kind == stringToken || t.kind == integerToken || t.kind == floatToken || p.isOperator("[") || p.isOperator("{"),
		t.kind == nameToken && t.text != "else" && t.text != "or" && t.text != "and":
		n.positional = []expression{p.postfix(p.primary())}
	}
	if _, ok := tests[n.name]; !ok {
		p.isUnknown(line, "test", n.name)
	}
	return n
}
