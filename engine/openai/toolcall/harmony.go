package toolcall

import (
	"slices"
	"strings"
)

// harmony reads the messages that gpt-oss writes: each has a head with a channel and perhaps a recipient, then a text.
type harmony struct {
	inside bool // a message's text
	voice  voice
	call   *arguments // where the text is a tool's arguments
	called bool       // they are whole
	plain  bool       // the answer goes on to the end
}

const messageMark = "<|message|>"

var (
	headMarks = []string{"<|start|>", "<|channel|>", "<|constrain|>", messageMark, "to="}
	stopMarks = []string{"<|end|>", "<|call|>", "<|return|>"}
	textMarks = append([]string{"<|start|>", "<|channel|>"}, stopMarks...)
	people    = []string{"", "assistant", "user", "all"}
)

func (h *harmony) read(p *Parser) bool {
	switch {
	case !h.inside:
		return h.head(p)
	case h.called:
		return h.after(p)
	case h.call != nil:
		return h.arguments(p)
	}
	return h.text(p)
}

// head reads what stands before a message's text. Text without a head is the answer.
func (h *harmony) head(p *Parser) bool {
	text := strings.TrimLeft(p.text, space)
	first := at(text, headMarks)
	if first == "" {
		if text == "" || !p.end && begins(text, headMarks) {
			return false
		}
		h.enter(answer)
		return true
	}
	head, mark := p.cut([]string{messageMark})
	if mark == "" && !p.end && len(head) <= maxHead {
		return false
	}
	if mark == "" || len(head) > maxHead {
		h.enter(answer)
		p.say(answer, p.next(len(p.text)-len(text)+len(first)))
		return true
	}
	p.voice = answer
	p.try(0, h)
	p.next(len(head) + len(mark))
	_, to, _ := strings.Cut(head, "to=")
	if i := strings.IndexAny(to, space+"<"); i >= 0 {
		to = to[:i]
	}
	channel := head[strings.LastIndex(head, "<|channel|>")+1:]
	switch name := strings.TrimPrefix(to, "functions."); {
	case !slices.Contains(people, to) && len(p.tools) > 0 && p.names(name):
		h.enter(answer)
		h.call = &arguments{value: value{dialect: jsonDialect}, name: name}
	case !slices.Contains(people, to):
		h.fail(p)
	case strings.HasPrefix(channel, "|channel|>analysis"):
		p.forget()
		h.enter(thought)
	default:
		p.forget()
		h.enter(answer)
	}
	return true
}

// enter begins the text of a message.
func (h *harmony) enter(v voice) { *h = harmony{inside: true, voice: v, plain: h.plain} }

// fail makes what turned out to be no call a part of the answer.
func (h *harmony) fail(p *Parser) {
	p.fail()
	p.reader = h
	h.enter(answer)
}

// text reads a text for people, up to the message's end.
func (h *harmony) text(p *Parser) bool {
	marks := textMarks
	if h.plain && h.voice == answer {
		marks = nil
	}
	before, mark := p.cut(marks)
	p.say(h.voice, p.next(len(before)))
	if mark == "" {
		return false
	}
	if slices.Contains(stopMarks, mark) {
		p.next(len(mark))
	}
	p.between()
	h.inside = false
	return true
}

func (h *harmony) arguments(p *Parser) bool {
	if text := strings.TrimLeft(p.text, space); len(h.call.stack) == 0 && !strings.HasPrefix(text, "{") {
		switch {
		case !p.end && begins(text, textMarks):
			return false
		case at(text, textMarks) != "" || text == "": // without any
			h.call.tell(p)
			p.argue("{}")
			h.called = true
		default:
			h.fail(p)
		}
		return true
	}
	switch h.call.read(p) {
	case needs:
		return p.end
	case broken:
		h.fail(p)
	default:
		h.called = true
	}
	return true
}

// after reads on after a call's arguments.
func (h *harmony) after(p *Parser) bool {
	p.forget()
	if p.next(len(p.text) - len(strings.TrimLeft(p.text, space))); p.text == "" || !p.end && begins(p.text, textMarks) {
		return false
	}
	h.enter(answer)
	return true
}
