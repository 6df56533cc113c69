package toolcall

import (
	"slices"
	"strings"

	"quire/engine/json"
)

// objectCall reads calls that are objects of JSON with a name and arguments, one or several, in a list or not.
type objectCall struct {
	before []string // marks before the calls
	close  []string // marks after them
	keyed  bool     // the object's only name is the call's, its value the arguments

	object
	listed bool
}

// object is one such object, as far as it is read.
type object struct {
	state    objectState
	depth    int // the call may stand in an object named "function"
	word     value
	key      string
	name, id string
	early    string // arguments that came before the name, or as a text
	call     *arguments
	called   bool
}

type objectState int

const (
	beforeObject objectState = iota
	atName                   // of a member, or the object's end
	atMemberColon
	atMember // its value
	atComma
	inName
	inMember
	inArguments
	afterObject
)

var (
	nameKeys     = []string{"name", "tool_name", "function", "tool"}
	argumentKeys = []string{"arguments", "parameters"}
	idKeys       = []string{"id", "tool_call_id"}
	callKeys     = slices.Concat(nameKeys, argumentKeys, idKeys, []string{"type"})
)

func (o *objectCall) read(p *Parser) bool {
	switch o.state {
	case inName, inMember:
		return o.readWord(p)
	case inArguments:
		return o.readArguments(p)
	case afterObject:
		return o.readAfter(p)
	}
	marks := o.before
	if o.state != beforeObject {
		marks = nil
	}
	if !p.skip(marks, "") {
		return false
	}
	if p.text == "" {
		o.broken(p)
		return true
	}
	o.readLetter(p, p.text[0])
	return true
}

// readLetter reads what stands between names and values.
func (o *objectCall) readLetter(p *Parser, c byte) {
	switch {
	case o.state == beforeObject && c == '[' && !o.listed:
		o.listed = true
		p.next(1)
	case o.state == beforeObject && c == '{':
		o.object = object{state: atName, depth: 1}
		p.next(1)
	case o.state == atName && (c == '"' || c == '\''):
		o.word, o.state = value{dialect: jsonDialect}, inName
	case o.state == atMemberColon && c == ':':
		o.state = atMember
		p.next(1)
	case o.state == atMember:
		o.begin(p, c)
	case o.state == atComma && c == ',':
		o.state = atName
		p.next(1)
	case (o.state == atName || o.state == atComma) && c == '}':
		o.endObject(p)
	default:
		o.broken(p)
	}
}

// begin begins to read a member's value, whose first letter is c.
func (o *objectCall) begin(p *Parser, c byte) {
	if o.keyed {
		o.name = o.key
	}
	switch {
	case c == '{' && o.isArguments() && o.name != "":
		if !p.names(o.name) {
			p.fail()
			return
		}
		o.call = &arguments{value: value{dialect: jsonDialect, ends: marksOf(o.close)}, name: o.name, id: o.id}
		o.state = inArguments
	case c == '{' && o.key == "function" && o.depth == 1:
		o.depth, o.state = 2, atName
		p.next(1)
	default:
		o.word, o.state = value{dialect: jsonDialect}, inMember
	}
}

// isArguments says whether the member that comes is the call's arguments.
func (o *objectCall) isArguments() bool {
	return !o.called && o.early == "" && (o.keyed || slices.Contains(argumentKeys, o.key))
}

// readWord reads a name, or a value other than arguments that are told as they come.
func (o *objectCall) readWord(p *Parser) bool {
	n, verdict := o.word.read(p.text, p.end)
	p.next(n)
	if verdict == needs && !p.end {
		return false
	}
	if verdict != whole {
		o.broken(p)
		return true
	}
	told := o.word.take()
	text, isText := textOf(told)
	if o.state == inName {
		if o.key, o.state = text, atMemberColon; p.format.syntax.bare && !slices.Contains(callKeys, text) {
			p.fail() // it is some other object, which need not wait for its end
		}
		return true
	}
	o.state = atComma
	switch {
	case o.isArguments():
		if isText {
			told = convert(text, jsonDialect)
		}
		if told == "null" || isText && strings.TrimSpace(text) == "" {
			told = "{}"
		}
		if o.early = told; !strings.HasPrefix(told, "{") {
			p.fail()
		}
	case isText && o.name == "" && slices.Contains(nameKeys, o.key):
		if o.name = text; !p.names(text) {
			p.fail()
		}
	case isText && slices.Contains(idKeys, o.key):
		o.id = text
	}
	return true
}

// textOf is the text that JSON is.
func textOf(told string) (string, bool) {
	if !strings.HasPrefix(told, `"`) {
		return "", false
	}
	value, _ := json.Parse([]byte(told))
	text, ok := value.(string)
	return text, ok
}

func (o *objectCall) readArguments(p *Parser) bool {
	switch o.call.read(p) {
	case needs:
		return p.end
	case broken:
		o.called = o.call.opened
		o.broken(p)
	default:
		o.called, o.state = true, atComma
	}
	return true
}

// endObject reads the end of an object, which with the outer one is the call's.
func (o *objectCall) endObject(p *Parser) {
	if o.depth > 1 {
		o.depth--
		o.state = atComma
		p.next(1)
		return
	}
	if !o.called {
		if !p.names(o.name) || p.format.syntax.bare && o.early == "" { // it may be any object
			p.fail()
			return
		}
		if o.early == "" {
			o.early = "{}"
		}
		p.open(o.name, o.id)
		p.argue(o.early)
	}
	p.next(1)
	p.try(0, p.reader)
	o.state = afterObject
}

// broken reads on where the object cannot go on. If the call was told, its text is none of the answer's.
func (o *objectCall) broken(p *Parser) {
	switch {
	case o.called && p.text == "":
		p.settle()
	case o.called && p.closes(o.close):
		o.state = afterObject
	default:
		p.fail()
	}
}

// readAfter reads what follows an object: another, or the end.
func (o *objectCall) readAfter(p *Parser) bool {
	separators := ",;"
	if o.listed {
		separators += "]"
	}
	ended, ok := p.afterCall(o.close, separators, "]}")
	switch {
	case !ok:
		return false
	case len(p.tried) > 0:
		p.fail()
	case strings.HasPrefix(p.text, "{") && !ended:
		p.try(1, p.reader)
		o.state = beforeObject
	default:
		p.settle()
	}
	return true
}
