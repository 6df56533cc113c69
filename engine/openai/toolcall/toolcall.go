// Package toolcall takes the text of a model apart as it comes: what it thinks, what it answers, and the tools that it calls. Each
// family of models writes calls in a syntax of its own, which its chat template shows; whatever the syntax, a call becomes a name
// and arguments in JSON, given piece by piece.
//
// What only looks like a call stays part of the answer, as it was written. A call whose arguments go wrong amid them ends with those
// that were whole, and the rest is part of the answer.
package toolcall

import "quire/engine/json"

// Tool is a function that the model may call.
type Tool struct {
	Name       string
	Parameters json.RawMessage // the JSON schema of its arguments: it says the types of those that come as plain text
}

// Delta is what has newly come: one of its fields.
type Delta struct {
	Content   string // of the answer
	Reasoning string // of what the model thinks before it answers
	Call      *Call
}

// Call is a call of a tool, or a further piece of its arguments.
type Call struct {
	Index     int    // among the answer's calls, from 0
	ID        string // with the first piece only
	Name      string // with the first piece only
	Arguments string // the next piece of a JSON object's text
}

// Format is how a model writes calls and reasoning. To the zero value all text is the answer.
type Format struct {
	syntax   *syntax
	spelling *spelling // of calls, in the syntax
	thinking *thinking
}

// Name names the syntax of calls, as Named takes it; "" where the format knows none.
func (f Format) Name() string {
	if f.syntax == nil {
		return ""
	}
	return f.syntax.name
}

// Calls says whether the format knows calls of tools.
func (f Format) Calls() bool { return f.syntax != nil }

// Marks are the texts that the parser looks for. Some of them are special tokens in the model's vocabulary, which must be shown in
// the text that it is given.
func (f Format) Marks() []string {
	var marks []string
	if s := f.syntax; s != nil {
		marks = append(append(marks, s.open...), s.marks...)
	}
	if t := f.thinking; t != nil {
		marks = append(append(marks, t.open, t.close), t.around...)
	}
	return marks
}

// Parser makes a parser of one answer. Without tools there are no calls: what looks like one is part of the answer.
func (f Format) Parser(tools []Tool) *Parser {
	p := &Parser{format: f, tools: tools}
	if s := f.syntax; s != nil && len(tools) > 0 {
		p.marks = append(p.marks, s.open...)
	}
	if t := f.thinking; t != nil {
		p.marks = append(append(p.marks, t.open, t.close), t.around...)
	}
	p.reader = content{}
	if s := f.syntax; s != nil && s.messages != nil {
		p.reader = s.messages()
	}
	return p
}
