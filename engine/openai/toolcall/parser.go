package toolcall

import (
	"strings"
	"unicode/utf8"
)

// Parser takes the text of one answer apart. However the text is cut, its deltas joined are the same.
type Parser struct {
	Random func(below int) int // what ids are made of; nil: nobody knows

	format Format
	tools  []Tool
	marks  []string // that end a piece of the answer

	text   string // what has come and is not read yet
	half   string // of a code point
	end    bool   // nothing more comes
	reader reader // of what comes next

	// Of what may be a call, until it is known to be one.
	trying bool
	tried  []byte // what was read
	least  int    // how much of it is certainly no call if it fails
	voice  voice  // whose text it is then

	calls  int // how many there are
	ids    []string
	space  string // white space that belongs to a text only if more of it follows
	fresh  bool   // white space that comes now belongs to no text
	said   [voices]bool
	deltas []Delta
}

// reader reads what comes next. It answers false where it needs more text, or nothing is left.
type reader interface{ read(p *Parser) bool }

// voice is one of the two texts that an answer has.
type voice int

const (
	answer voice = iota
	thought
	voices int = iota
)

// Push takes the next piece of the text, special tokens written out in it, and gives what is certain by now.
func (p *Parser) Push(text string) []Delta {
	text = p.half + text
	whole := len(text)
	for i := 1; i <= min(len(text), utf8.UTFMax-1); i++ {
		if b := text[len(text)-i]; utf8.RuneStart(b) {
			if !utf8.FullRuneInString(text[len(text)-i:]) {
				whole = len(text) - i
			}
			break
		}
	}
	p.text, p.half = p.text+text[:whole], text[whole:]
	return p.run()
}

// Finish takes the end of the text. A call that is cut off by it keeps the arguments that have come, which then are no whole JSON.
func (p *Parser) Finish() []Delta {
	if p.half != "" {
		p.text, p.half = p.text+string(utf8.RuneError), ""
	}
	p.end = true
	deltas := p.run()
	if p.space != "" && !p.fresh {
		p.tell(p.voice, p.space)
		p.space = ""
		deltas = append(deltas, p.take()...)
	}
	return deltas
}

// Calls is how many calls there are so far.
func (p *Parser) Calls() int { return p.calls }

func (p *Parser) run() []Delta {
	for p.reader.read(p) {
	}
	return p.take()
}

func (p *Parser) take() []Delta {
	deltas := p.deltas
	p.deltas = nil
	return deltas
}

// Prompt tells how the prompt ends, before the first piece of the answer: it may have begun to think.
func (p *Parser) Prompt(text string) {
	if p.format.syntax != nil && p.format.syntax.messages != nil {
		p.resume(text)
		return
	}
	text = strings.TrimRight(text, space)
	if t := p.format.thinking; t != nil && strings.HasSuffix(text, t.open) {
		p.think()
	} else if t != nil && strings.HasSuffix(text, t.close) {
		p.between()
	}
}

// resume reads on in a message that the prompt has begun.
func (p *Parser) resume(prompt string) {
	const start = "<|start|>assistant"
	if i := strings.LastIndex(prompt, start); i >= 0 {
		p.Push(prompt[i+len(start):])
		p.said, p.space = [voices]bool{}, ""
	}
}

// forget ends the trying.
func (p *Parser) forget() { p.trying, p.tried, p.least = false, nil, 0 }

// next reads n bytes on.
func (p *Parser) next(n int) string {
	read := p.text[:n]
	p.text = p.text[n:]
	if p.trying {
		p.tried = append(p.tried, read...)
	}
	return read
}

// say gives a piece of a text. White space around a text is left out where something else stands before or after it, and pieces of
// a text with something else between them are separated by an empty line.
func (p *Parser) say(v voice, text string) {
	p.voice = v
	text = p.space + text
	if p.fresh {
		text = strings.TrimLeft(text, space)
	}
	body := strings.TrimRight(text, space)
	p.space = text[len(body):]
	if body == "" {
		return
	}
	if p.fresh && p.said[v] {
		body = "\n\n" + body
	}
	p.fresh, p.said[v] = false, true
	p.tell(v, body)
}

const space = " \t\r\n"

// between ends a text: something else follows.
func (p *Parser) between() { p.space, p.fresh = "", true }

func (p *Parser) tell(v voice, text string) {
	last := &Delta{}
	if n := len(p.deltas); n > 0 {
		last = &p.deltas[n-1]
	}
	switch {
	case v == thought && last.Reasoning != "":
		last.Reasoning += text
	case v == thought:
		p.deltas = append(p.deltas, Delta{Reasoning: text})
	case last.Content != "":
		last.Content += text
	default:
		p.deltas = append(p.deltas, Delta{Content: text})
	}
}

// try begins to read what may be a call, of which least bytes are no other call's beginning.
func (p *Parser) try(least int, r reader) {
	p.trying, p.tried, p.least, p.reader = true, nil, least, r
}

// settle takes what was tried for what stands around calls, and reads the answer on.
func (p *Parser) settle() {
	p.forget()
	p.voice, p.reader = answer, content{}
}

// fail gives back what turned out to be no call, and reads on after it.
func (p *Parser) fail() {
	if n := p.least - len(p.tried); n > 0 {
		p.next(n)
	}
	text := string(p.tried)
	p.forget()
	p.say(p.voice, text)
	if p.voice == thought {
		p.reader = reasoning{}
	} else {
		p.reader = content{}
	}
}

// open begins a call.
func (p *Parser) open(name, id string) {
	p.forget()
	p.between()
	p.voice = answer
	p.deltas = append(p.deltas, Delta{Call: &Call{Index: p.calls, ID: p.id(id), Name: name}})
	p.calls++
}

// argue gives a piece of the arguments of the call that is open.
func (p *Parser) argue(text string) {
	if text == "" {
		return
	}
	if n := len(p.deltas); n > 0 && p.deltas[n-1].Call != nil {
		p.deltas[n-1].Call.Arguments += text
		return
	}
	p.deltas = append(p.deltas, Delta{Call: &Call{Index: p.calls - 1, Arguments: text}})
}

// tool finds a tool that was given, or nil.
func (p *Parser) tool(name string) *Tool {
	for i := range p.tools {
		if p.tools[i].Name == name {
			return &p.tools[i]
		}
	}
	return nil
}

// names says whether a text can be the name of a tool that is called here.
func (p *Parser) names(name string) bool {
	if p.format.syntax.bare {
		return p.tool(name) != nil
	}
	return name != "" && len(name) <= maxHead && !strings.ContainsAny(name, notInNames)
}

const notInNames = "\"'`{}[]()<>,;=|\\ \t\r\n"

// maxHead is how many bytes may stand before a call's arguments.
const maxHead = 512
