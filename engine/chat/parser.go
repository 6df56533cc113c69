package chat

import (
	"fmt"
	"strings"
)

// parser makes a tree of the tokens by recursive descent.
type parser struct {
	tokens []token
	at     int
	depth  int
	limits limits

	// Unknown filters and tests of an if or a choice are errors only when they are reached. Others are known here.
	soft    bool
	unknown []*Error

	loops  int       // around, inside of the same macro
	fors   int       // around
	escape escaping  // of output
	macros []*naming // around
	blocks map[string]bool
}

// naming is what a macro's text names of what it gets without asking, and what it sets itself.
type naming struct {
	uses
	set map[string]bool
}

func (p *parser) template() []node {
	body := p.body()
	if p.peek().kind != endToken {
		p.unexpected()
	}
	if len(p.unknown) > 0 {
		panic(p.unknown[0])
	}
	return body
}

func (p *parser) isUnknown(line int, what, name string) {
	if !p.soft {
		p.unknown = append(p.unknown, &Error{Line: line, Reason: fmt.Sprintf("the %s %q is not known", what, name)})
	}
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
	if p.depth++; p.depth > p.limits.nesting {
		fail(p.peek().line, "nested deeper than %d", p.limits.nesting)
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
			nodes = append(nodes, outputNode{t.line, p.tuple(), p.escape})
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
}

// open takes the rest of a statement that opens a block.
func (p *parser) open() {
	p.takeOperator(":")
	p.close(closeStatement)
}

// block takes the rest of a statement, its body and its end, up to what may stand in that.
func (p *parser) block(end string) []node {
	p.open()
	body := p.body()
	p.end(end)
	return body
}

// hard parses what is no part of an if around it. A macro's text also knows no loop around it.
func (p *parser) hard(macro bool, parse func()) {
	soft, loops := p.soft, p.loops
	if p.soft = false; macro {
		p.loops = 0
	}
	parse()
	p.soft, p.loops = soft, loops
}
