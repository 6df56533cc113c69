package toolcall

import "strings"

// namedCall reads calls whose name stands before the arguments.
type namedCall struct {
	before []string // marks before the name
	until  []string // the brackets that the arguments may begin with
	clean  func(head string) (name, id string)
	close  []string // marks after the arguments
	empty  []string // those that may stand in place of them
	dialect

	state namedState
	call  *arguments
}

var (
	braces              = []string{"{"}
	bracesOrParentheses = []string{"{", "("}
)

type namedState int

const (
	beforeCall namedState = iota
	atHead
	inCall
	afterNamed
)

func (n *namedCall) read(p *Parser) bool {
	switch n.state {
	case beforeCall:
		return n.readBefore(p)
	case atHead:
		return n.readHead(p)
	case inCall:
		return n.readArguments(p)
	}
	return n.readAfter(p)
}

func (n *namedCall) readBefore(p *Parser) bool {
	letters := ""
	if n.python {
		letters = "["
	}
	if !p.skip(n.before, letters) {
		return false
	}
	n.state = atHead
	return true
}

// readHead reads what stands before the arguments. A call may end without any.
func (n *namedCall) readHead(p *Parser) bool {
	before, mark := p.cut(append(n.until[:len(n.until):len(n.until)], n.empty...))
	if mark == "" && !p.end && len(before) <= maxHead && !(n.python && strings.ContainsAny(strings.TrimSpace(before), notInNames)) {
		return false
	}
	name, id := n.clean(before)
	if mark == "" || len(before) > maxHead || !p.names(name) {
		p.fail()
		return true
	}
	p.next(len(before))
	n.call, n.state = &arguments{value: value{dialect: n.dialect, ends: marksOf(n.close)}, name: name, id: id}, inCall
	switch {
	case mark == "(":
		p.next(len(mark))
		n.call.push('k')
		n.call.position = p.positions(name)
	case mark != "{":
		n.call.tell(p)
		p.argue("{}")
		p.try(0, p.reader)
		n.state = afterNamed
	}
	return true
}

func (n *namedCall) readArguments(p *Parser) bool {
	switch n.call.read(p) {
	case needs:
		return p.end
	case broken:
		if !p.closes(n.close) {
			p.fail()
			return true
		}
		n.state = afterNamed
	default:
		n.state = afterNamed
	}
	return true
}

// readAfter reads what follows the arguments: another call, or the end.
func (n *namedCall) readAfter(p *Parser) bool {
	separators, stray := "", ""
	if n.python {
		separators, stray = ",;]", ")"
	}
	tried, left := string(p.tried), p.text
	ended, ok := p.afterCall(n.close, separators, stray)
	if !ok {
		return false
	}
	listed := n.python && !ended && !strings.Contains(tried+left[:len(left)-len(p.text)], "]")
	switch {
	case len(p.tried) > 0:
		p.fail()
	case p.text != "" && (listed || at(p.text, n.before) != ""):
		p.try(1, p.reader)
		n.state = beforeCall
	default:
		p.settle()
	}
	return true
}

// pythonCalls reads calls of functions as Python writes them, in a list or one after another.
func pythonCalls(before, close []string) *namedCall {
	return &namedCall{before: before, until: []string{"("}, clean: pythonName, close: close, dialect: python}
}

// pythonName is the name in what stands before a parenthesis.
func pythonName(head string) (name, id string) {
	return strings.TrimSuffix(strings.Trim(head, space), ".call"), "" // so Llama calls what is built in
}

// colonName is the name in call:NAME.
func colonName(head string) (name, id string) {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(head), "call:")), ""
}

// mistralName is the name in NAME[CALL_ID]ID[ARGS], of which the marks may be missing.
func mistralName(head string) (name, id string) {
	head = strings.TrimSuffix(strings.TrimSpace(head), "[ARGS]")
	name, id, _ = strings.Cut(head, "[CALL_ID]")
	return strings.TrimSpace(name), strings.TrimSpace(id)
}

// deepSeekName is the name in NAME<sep>, or in function<sep>NAME and a line that opens a block of JSON.
func deepSeekName(head string) (name, id string) {
	head = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(head), "```json"))
	before, after, _ := strings.Cut(head, "<｜tool▁sep｜>")
	if after == "" {
		after = before
	}
	return strings.TrimSpace(after), ""
}

// kimiName is the name in functions.NAME:NUMBER and a mark, which without it is the call's id.
func kimiName(head string) (name, id string) {
	id = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(head), "<|tool_call_argument_begin|>"))
	name = strings.TrimPrefix(id, "functions.")
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	return name, id
}

// functionaryName is the name in NAME>.
func functionaryName(head string) (name, id string) {
	return strings.TrimSuffix(strings.TrimSpace(head), ">"), ""
}
