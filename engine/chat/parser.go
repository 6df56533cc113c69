package chat

import "strings"

// parser makes a tree of the tokens by recursive descent.
type parser struct {
	tokens []token
	at     int
	depth  int
}

func (p *parser) template() []node {
	body := p.body()
	if p.peek().kind != endToken {
		p.unexpected()
	}
	return body
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

// unexpected fails at the token that comes next.
func (p *parser) unexpected() {
	t := p.peek()
	what := map[kind]string{endToken: "the end of the template", closeExpression: "}}", closeStatement: "%}",
		openExpression: "{{", openStatement: "{%", textToken: "text"}[t.kind]
	if what == "" {
		what = t.text
	}
	if t.kind == openStatement {
		what += " " + p.tokens[p.at+1].text
	}
	fail(t.line, "unexpected %q", what)
}

// deeper counts nesting, which would otherwise be bounded by the stack alone.
func (p *parser) deeper() func() {
	if p.depth++; p.depth > maxDepth {
		fail(p.peek().line, "nested deeper than %d", maxDepth)
	}
	return func() { p.depth-- }
}

// isOperator and isName look at the next token; take… also take it if it is so.
func (p *parser) isOperator(text string) bool {
	t := p.peek()
	return t.kind == operator && t.text == text
}

func (p *parser) takeOperator(text string) bool {
	if p.isOperator(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) {
	if !p.takeOperator(text) {
		p.unexpected()
	}
}

func (p *parser) isName(name string) bool {
	t := p.peek()
	return t.kind == nameToken && t.text == name
}

func (p *parser) takeName(name string) bool {
	if p.isName(name) {
		p.at++
		return true
	}
	return false
}

func (p *parser) name() string {
	if p.peek().kind != nameToken {
		p.unexpected()
	}
	return p.next().text
}

// body takes text, expressions and statements up to a statement that ends or divides a block.
func (p *parser) body() []node {
	defer p.deeper()()
	var nodes []node
	for {
		t := p.peek()
		switch t.kind {
		case textToken:
			p.at++
			nodes = append(nodes, textNode{t.text})
		case openExpression:
			p.at++
			nodes = append(nodes, outputNode{t.line, p.tuple()})
			p.close(closeExpression)
		case openStatement:
			keyword := p.tokens[p.at+1]
			if keyword.kind == nameToken && (strings.HasPrefix(keyword.text, "end") || keyword.text == "else" || keyword.text == "elif") {
				return nodes
			}
			p.at++
			nodes = append(nodes, p.statement())
		default:
			return nodes
		}
	}
}

func (p *parser) close(k kind) {
	if p.peek().kind != k {
		p.unexpected()
	}
	p.at++
}

// end takes the statement {% name %} that closes a block.
func (p *parser) end(name string) {
	if p.peek().kind != openStatement || p.tokens[p.at+1].text != name {
		if p.peek().kind == endToken {
			fail(p.peek().line, "missing %s", name)
		}
		p.unexpected()
	}
	p.at += 2
	if name != "endfor" && name != "endif" && p.peek().kind == nameToken {
		p.at++ // endmacro may repeat the name
	}
	p.close(closeStatement)
}

// block takes the rest of a statement, its body and its end.
func (p *parser) block(end string) []node {
	p.close(closeStatement)
	body := p.body()
	p.end(end)
	return body
}

func (p *parser) statement() node {
	line := p.peek().line
	switch keyword := p.name(); keyword {
	case "if":
		return p.ifStatement()
	case "for":
		return p.forStatement(line)
	case "set":
		return p.set(line)
	case "macro":
		name := p.name()
		m := p.parameters()
		m.body = p.block("endmacro")
		return macroNode{name, m}
	case "call":
		var m macroBody
		if p.isOperator("(") {
			m = p.parameters()
		}
		call, ok := p.expression().(*callExpression)
		if !ok {
			fail(line, "call needs a call of a macro")
		}
		m.body = p.block("endcall")
		return callNode{call, m}
	case "filter":
		filters := p.filters(p.filter(nil))
		return filterBlockNode{filters, p.block("endfilter")}
	case "generation":
		return blockNode{p.block("endgeneration")}
	case "with":
		var sets []node
		for p.peek().kind == nameToken {
			name := p.name()
			p.expect("=")
			sets = append(sets, setNode{line, []assignee{{name: name}}, p.expression()})
			if !p.takeOperator(",") {
				break
			}
		}
		return withNode{sets, p.block("endwith")}
	case "break":
		p.close(closeStatement)
		return breakNode{}
	case "continue":
		p.close(closeStatement)
		return continueNode{}
	default:
		fail(line, "the statement %q is not supported", keyword)
		return nil
	}
}

func (p *parser) ifStatement() node {
	defer p.deeper()()
	n := ifNode{condition: p.tuple()}
	p.close(closeStatement)
	n.then = p.body()
	if p.peek().kind == openStatement {
		switch p.tokens[p.at+1].text {
		case "elif":
			p.at += 2
			n.else_ = []node{p.ifStatement()}
			return n
		case "else":
			p.at += 2
			p.close(closeStatement)
			n.else_ = p.body()
		}
	}
	p.end("endif")
	return n
}

func (p *parser) forStatement(line int) node {
	n := forNode{line: line}
	parenthesis := p.takeOperator("(")
	n.targets = append(n.targets, p.name())
	for p.takeOperator(",") {
		n.targets = append(n.targets, p.name())
	}
	if parenthesis {
		p.expect(")")
	}
	if !p.takeName("in") {
		p.unexpected()
	}
	n.source = p.or() // a choice would take the loop's own "if"
	if p.isOperator(",") {
		n.source = p.tupleFrom(n.source)
	}
	if p.takeName("if") {
		n.filter = p.expression()
	}
	p.takeName("recursive")
	p.close(closeStatement)
	n.body = p.body()
	if p.peek().kind == openStatement && p.tokens[p.at+1].text == "else" {
		p.at += 2
		p.close(closeStatement)
		n.else_ = p.body()
	}
	p.end("endfor")
	return n
}

func (p *parser) set(line int) node {
	targets := []assignee{p.assignee()}
	for p.takeOperator(",") {
		targets = append(targets, p.assignee())
	}
	if p.takeOperator("=") {
		n := setNode{line, targets, p.tuple()}
		p.close(closeStatement)
		return n
	}
	if len(targets) > 1 {
		p.unexpected()
	}
	n := setBlockNode{target: targets[0]}
	if p.takeOperator("|") {
		n.filters = p.filters(p.filter(nil))
	}
	n.body = p.block("endset")
	return n
}

func (p *parser) assignee() assignee {
	a := assignee{name: p.name()}
	if p.takeOperator(".") {
		a.attribute = p.name()
	}
	return a
}

func (p *parser) parameters() macroBody {
	m := macroBody{defaults: map[string]expression{}}
	p.expect("(")
	for !p.takeOperator(")") {
		name := p.name()
		m.parameters = append(m.parameters, name)
		if p.takeOperator("=") {
			m.defaults[name] = p.expression()
		}
		if !p.isOperator(")") {
			p.expect(",")
		}
	}
	return m
}
