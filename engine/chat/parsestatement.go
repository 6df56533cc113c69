package chat

func (p *parser) statement() node {
	defer p.deeper()()
	line := p.peek().line
	n := p.statementOf(line, p.name())
	p.close(closeStatement)
	return n
}

func (p *parser) statementOf(line int, keyword string) node {
	switch keyword {
	case "if":
		return p.ifStatement()
	case "for":
		return p.forStatement(line)
	case "set":
		return p.set(line)
	case "macro":
		m := macroBody{name: p.name()}
		p.stored(m.name)
		p.macroBody(&m, true, "endmacro")
		return macroNode{m}
	case "call":
		return p.callStatement(line)
	case "filter":
		n := filterBlockNode{line: line, escape: p.escape}
		p.hard(false, func() {
			n.filters = p.filters(p.filter(nil))
			n.body = p.block("endfilter")
		})
		return n
	case "generation":
		n := generationNode{line: line}
		p.macroBody(&n.macroBody, false, "endgeneration")
		return n
	case "with":
		return p.with(line)
	case "autoescape":
		return p.autoescape()
	case "block":
		return p.namedBlock(line)
	case "print":
		var n printNode
		for first := true; first || p.takeOperator(","); first = false {
			n.values = append(n.values, outputNode{line, p.expression(), p.escape})
		}
		return n
	case "break", "continue":
		if p.loops == 0 {
			fail(line, "%s stands outside of a loop", keyword)
		}
		if keyword == "break" {
			return breakNode{}
		}
		return continueNode{}
	case "include", "import", "from", "extends":
		return p.load(line, keyword)
	}
	fail(line, "the statement %q is not known", keyword)
	return nil
}

func (p *parser) ifStatement() node {
	defer p.deeper()()
	outer := p.soft
	p.soft = true
	n := ifNode{condition: p.tupleOf(p.or)}
	p.open()
	n.then = p.body()
	if p.peek().kind == openStatement {
		switch p.tokens[p.at+1].text {
		case "elif":
			p.at += 2
			n.else_ = []node{p.ifStatement()}
			p.soft = outer
			return n
		case "else":
			p.at += 2
			p.open()
			n.else_ = p.body()
		}
	}
	p.end("endif")
	p.soft = outer
	return n
}

func (p *parser) forStatement(line int) node {
	p.fors++
	defer func() { p.fors-- }()
	n := forNode{line: line, escape: p.escape, target: p.target(false, "in")}
	if !p.takeName("in") {
		p.unexpected()
	}
	n.source = p.tupleOf(p.or, "recursive") // a choice would take the loop's own "if"
	p.hard(false, func() {
		if p.takeName("if") {
			n.filter = p.expression()
		}
		n.recursive = p.takeName("recursive")
		p.open()
		p.loops++
		n.body = p.body()
		p.loops--
		if p.peek().kind == openStatement && p.tokens[p.at+1].text == "else" {
			p.at += 2
			p.open()
			n.else_ = p.body()
		}
		p.end("endfor")
	})
	return n
}

func (p *parser) set(line int) node {
	t := p.target(true)
	if p.takeOperator("=") {
		return setNode{line, t, p.tuple()}
	}
	n := setBlockNode{line: line, target: t, escape: p.escape}
	p.hard(false, func() {
		if p.takeOperator("|") {
			n.filters = p.filters(p.filter(nil))
		}
		n.body = p.block("endset")
	})
	return n
}

// target takes what is set: a name, a tuple of targets, or where asked for an attribute of a namespace.
func (p *parser) target(attributes bool, ends ...string) target {
	defer p.deeper()()
	first := p.targetPart(attributes)
	if !p.isOperator(",") {
		return first
	}
	t := target{tuple: true, parts: []target{first}}
	for p.takeOperator(",") {
		if p.endsTuple(ends) {
			break
		}
		t.parts = append(t.parts, p.targetPart(attributes))
	}
	return t
}

func (p *parser) targetPart(attributes bool) target {
	if p.takeOperator("(") {
		t := p.target(attributes)
		p.expect(")")
		return t
	}
	t := target{name: p.name()}
	if reserved(t.name) {
		fail(p.peek().line, "the name %s cannot be set", t.name)
	}
	if t.name == "loop" && p.fors > 0 && !p.isOperator(".") {
		fail(p.peek().line, "the name loop cannot be set in a loop")
	}
	if attributes && p.takeOperator(".") {
		t.attribute = p.name()
		p.loaded(t.name)
	} else {
		p.stored(t.name)
	}
	return t
}

func reserved(name string) bool {
	switch name {
	case "true", "false", "none", "True", "False", "None":
		return true
	}
	return false
}

func (p *parser) with(line int) node {
	n := withNode{line: line}
	for p.peek().kind != closeStatement && !p.isOperator(":") {
		if len(n.targets) > 0 {
			p.expect(",")
		}
		fors := p.fors
		p.fors = 0 // with may set loop
		n.targets = append(n.targets, p.target(false))
		p.fors = fors
		p.expect("=")
		n.values = append(n.values, p.expression())
	}
	p.hard(false, func() { n.body = p.block("endwith") })
	return n
}

func (p *parser) autoescape() node {
	n := escapeNode{on: p.expression()}
	outer := p.escape
	p.escape = undecided
	if on, ok := n.on.(literal); ok {
		p.escape = plain
		if truth(on.value) {
			p.escape = escaped
		}
	}
	p.hard(false, func() { n.body = p.block("endautoescape") })
	p.escape = outer
	return n
}

func (p *parser) namedBlock(line int) node {
	name := p.name()
	if p.blocks[name] {
		fail(line, "there are two blocks of the name %s", name)
	}
	if p.blocks == nil {
		p.blocks = map[string]bool{}
	}
	p.blocks[name] = true
	n := blockNode{scoped: p.takeName("scoped")}
	if p.takeName("required") {
		fail(line, "the block %s must come from another template, and there is none", name)
	}
	p.hard(true, func() { n.body = p.block("endblock") })
	p.takeName(name)
	return n
}

// load takes a statement that loads another template. There is none: it fails when it is reached.
func (p *parser) load(line int, keyword string) node {
	p.expression()
	context := func() bool {
		next := p.tokens[p.at+1]
		if (p.isName("with") || p.isName("without")) && next.kind == nameToken && next.text == "context" {
			p.at += 2
			return true
		}
		return false
	}
	switch keyword {
	case "include":
		if next := p.tokens[p.at+1]; p.isName("ignore") && next.kind == nameToken && next.text == "missing" {
			p.at += 2
		}
		context()
	case "import":
		if !p.takeName("as") {
			p.unexpected()
		}
		p.stored(p.name())
		context()
	case "from":
		if !p.takeName("import") {
			p.unexpected()
		}
		for more := true; more && !context(); more = p.takeOperator(",") {
			p.stored(p.name())
			if p.takeName("as") {
				p.stored(p.name())
			}
			if context() {
				break
			}
		}
	}
	return loadNode{line, keyword}
}
