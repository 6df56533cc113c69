package toolcall

import "strings"

// xmlCall reads calls whose arguments stand between marks of their own. A text is told as it comes, other values when they are whole.
type xmlCall struct {
	xmlMarks
	xmlFunction
}

// xmlFunction is one call, as far as it is read.
type xmlFunction struct {
	state  xmlState
	name   string
	opened bool
	any    bool // arguments
	key    string
	keys   []string // with those before
	kinds  kinds
	inside bool   // the value, past its line break
	value  []byte // where it is no text, or not surely
}

type xmlState int

const (
	beforeFunction xmlState = iota
	atFunctionName
	atArgument // or the function's end
	atKeyName
	atKind
	inValue
	afterFunction
)

func (x *xmlCall) read(p *Parser) bool {
	switch x.state {
	case beforeFunction:
		return x.readMark(p, x.around, x.function)
	case atFunctionName:
		return x.readName(p)
	case atArgument:
		return x.readMark(p, nil, x.argument, x.end)
	case atKeyName:
		return x.readKey(p)
	case atKind:
		return x.readKind(p)
	case inValue:
		return x.readValue(p)
	}
	return x.readAfter(p)
}

// readMark reads one of some marks, which must come.
func (x *xmlCall) readMark(p *Parser, around []string, marks ...string) bool {
	if !p.skip(around, "") {
		return false
	}
	switch mark := at(p.text, marks); {
	case mark == "" && x.state == atArgument && at(p.text, x.around) != "": // the function's end is missing
		x.endFunction(p)
	case mark == "" && begins(p.text, append(marks, x.around...)):
		if !p.end {
			return false
		}
		x.cut(p)
	case mark == "":
		x.broken(p)
	case mark == x.function && x.state == beforeFunction:
		p.next(len(mark))
		x.state = atFunctionName
	case mark == x.argument:
		p.next(len(mark))
		x.state = atKeyName
	default:
		p.next(len(mark))
		x.endFunction(p)
	}
	return true
}

// readHead reads up to one of some marks, where not much may stand.
func (x *xmlCall) readHead(p *Parser, marks ...string) (head, mark string, ok bool) {
	head, mark = p.cut(marks)
	if mark == "" && !p.end && len(head) <= maxHead {
		return "", "", false
	}
	if len(head) > maxHead {
		mark = ""
	}
	return head, mark, true
}

func (x *xmlCall) readName(p *Parser) bool {
	head, mark, ok := x.readHead(p, x.named, x.argument, x.end)
	if !ok {
		return false
	}
	x.name = strings.TrimSpace(head)
	if mark == "" || !p.names(x.name) {
		x.broken(p)
		return true
	}
	if p.next(len(head)); mark == x.named {
		p.next(len(mark))
	}
	x.state = atArgument
	return true
}

func (x *xmlCall) readKey(p *Parser) bool {
	head, mark, ok := x.readHead(p, x.keyed, x.end)
	if !ok {
		return false
	}
	x.key = strings.TrimSpace(head)
	if mark == "" && len(head) <= maxHead {
		x.cut(p)
		return true
	}
	if mark != x.keyed || x.key == "" || strings.ContainsAny(x.key, "<>\n") {
		x.broken(p)
		return true
	}
	p.next(len(head) + len(mark))
	x.keys, x.state = append(x.keys, x.key), atKind
	return true
}

// readKind reads what may stand before a value, and finds out what the value is.
func (x *xmlCall) readKind(p *Parser) bool {
	x.kinds = p.tool(x.name).kinds(x.key)
	if x.open != "" {
		head, mark, ok := x.readHead(p, x.open, x.end)
		if !ok {
			return false
		}
		text := strings.TrimSpace(head)
		if mark == "" && len(head) <= maxHead {
			x.cut(p)
			return true
		}
		if mark != x.open || text != "" && !strings.Contains(text, `="`) {
			x.broken(p)
			return true
		}
		p.next(len(head) + len(mark))
		if x.typed && strings.Contains(text, `="true"`) {
			x.kinds = kindText
		} else if x.typed && strings.Contains(text, `="false"`) {
			x.kinds &^= kindText
		}
	}
	x.inside, x.value, x.state = !x.lines, nil, inValue
	if x.isText() {
		x.tellKey(p, `"`)
	}
	return true
}

// tellKey tells the name of an argument, and the beginning of its value.
func (x *xmlCall) tellKey(p *Parser, value string) {
	lead := byte(',')
	if !x.any {
		lead = '{'
	}
	x.tell(p)
	x.any = true
	p.argue(string(append(appendText([]byte{lead}, x.key), ':')) + value)
}

// tell opens the call, if it is not open yet.
func (x *xmlCall) tell(p *Parser) {
	p.forget()
	if !x.opened {
		x.opened = true
		p.open(x.name, "")
	}
}

func (x *xmlCall) endFunction(p *Parser) {
	x.tell(p)
	if x.any {
		p.argue("}")
	} else {
		p.argue("{}")
	}
	p.try(0, p.reader)
	x.state = afterFunction
}

// broken reads on where the call cannot go on. What was told of it ends there.
func (x *xmlCall) broken(p *Parser) {
	if x.opened {
		p.argue("}")
	}
	p.fail()
}

// cut takes the end of the text amid a call.
func (x *xmlCall) cut(p *Parser) {
	if x.state <= atFunctionName {
		p.fail()
		return
	}
	x.tell(p)
	p.next(len(p.text))
	p.settle()
}

// readAfter reads what follows a function: another, or the end.
func (x *xmlCall) readAfter(p *Parser) bool {
	marks := []string{x.function}
	if !p.skip(x.around, "") || !p.end && begins(p.text, marks) {
		return false
	}
	if at(p.text, marks) != "" {
		p.try(1, p.reader)
		x.xmlFunction = xmlFunction{}
		return true
	}
	p.settle()
	return true
}
