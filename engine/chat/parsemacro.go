package chat

func (p *parser) callStatement(line int) node {
	n := callNode{line: line, body: macroBody{name: "caller"}}
	if p.isOperator("(") {
		p.hard(false, func() { p.parameters(&n.body) })
	}
	call, ok := p.expression().(*callExpression)
	if !ok {
		fail(line, "call needs a call of a macro")
	}
	n.call = call
	p.macroBody(&n.body, false, "endcall")
	return n
}

// macroBody takes the parameters of a macro, if they come here, and its text.
func (p *parser) macroBody(m *macroBody, withParameters bool, end string) {
	own := &naming{set: map[string]bool{}}
	if withParameters {
		p.hard(false, func() { p.parameters(m) })
	}
	p.macros = append(p.macros, own)
	p.hard(true, func() { m.body = p.block(end) })
	p.macros = p.macros[:len(p.macros)-1]
	m.uses = own.uses
}

func (p *parser) parameters(m *macroBody) {
	p.expect("(")
	for !p.takeOperator(")") {
		if len(m.parameters) > 0 {
			p.expect(",")
		}
		line := p.peek().line
		a := parameter{name: p.name()}
		switch {
		case p.takeOperator("="):
			a.absent = p.expression()
		case len(m.parameters) > 0 && m.parameters[len(m.parameters)-1].absent != nil:
			fail(line, "%s has no default, and stands behind one that has", a.name)
		}
		m.parameters = append(m.parameters, a)
	}
}

// loaded notes that a name is used: in a macro's text some names ask for what a call brings along.
func (p *parser) loaded(name string) {
	for _, m := range p.macros {
		if m.set[name] {
			continue
		}
		switch name {
		case "caller":
			m.caller = true
		case "varargs":
			m.varargs = true
		case "kwargs":
			m.kwargs = true
		}
	}
}

// stored notes that a macro's text sets a name itself.
func (p *parser) stored(name string) {
	for _, m := range p.macros {
		m.set[name] = true
	}
}
