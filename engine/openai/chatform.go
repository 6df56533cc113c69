package openai

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/openai/toolcall"
)

// hold gives a request the grammar that its answer must follow, if it must follow any: that of the form that it asks for, or of calls.
func (j *chatJob) hold(f *form) *Error {
	q, w := j.query, j.query.wanted()
	strict := slices.ContainsFunc(q.Tools, func(t Tool) bool { return t.Strict })
	calls := len(j.tools) > 0 && (w.required || strict || len(w.allowed) > 0 || f != nil)
	if f != nil && w.required && f.isJSON() {
		f = nil // it is for what a message says, and calls say nothing
	}
	switch {
	case f == nil && !calls:
		return nil
	case f != nil && w.required:
		return invalid("tool_choice", "invalid_value", `"tool_choice" and %q do not go together: an answer is a call, or of that form.`, f.field)
	case !calls:
		return j.holdForm(f)
	case q.IgnoreEnd && w.required:
		return invalid("ignore_eos", "invalid_value", `"ignore_eos" and "tool_choice" do not go together.`)
	case q.IgnoreEnd && f == nil:
		return invalid("ignore_eos", "invalid_value", `"ignore_eos" does not go with tools that are strict, nor with a "tool_choice" that lists tools.`)
	case !j.format.Calls() && w.required:
		return unsupported("tool_choice", `"tool_choice" asks for a call, but how the model writes calls is not known; "tool_format" may name it.`)
	case !j.format.Calls() && f != nil:
		return j.holdForm(f)
	case !j.format.Calls():
		return nil // of which a warning tells
	}
	return j.holdCalls(f, w)
}

// holdForm has the answer be of a form, behind what the model thinks.
func (j *chatJob) holdForm(f *form) *Error {
	j.held = f.refuse
	j.request.Grammar = &f.grammar
	if j.format.Thinks() {
		source, err := j.format.Grammar(j.prompt, toolcall.Wanted{Answer: f.answer(), Thoughtless: j.query.ReasoningFormat == "none"})
		if err != nil {
			return invalid(f.field, "invalid_value", "%s", err)
		}
		j.request.Grammar = &generation.Grammar{Kind: generation.GBNF, Source: source}
		if !f.isJSON() {
			j.held = f.refuseOwn
		}
	}
	j.format = j.format.Plain()
	return nil
}

// holdCalls has the answer be calls, or where they are not required a text or of a form.
func (j *chatJob) holdCalls(f *form, w callsWanted) *Error {
	wanted := toolcall.Wanted{Required: w.required, Single: w.single, Thoughtless: j.query.ReasoningFormat == "none"}
	var numbers []int // among all tools
	for i, t := range j.tools {
		if len(w.allowed) == 0 || slices.Contains(w.allowed, t.Name) {
			wanted.Tools, numbers = append(wanted.Tools, t), append(numbers, i)
		}
	}
	if f != nil {
		if !f.isJSON() {
			return invalid(f.field, "invalid_value", `%q and "tools" do not go together: set "tool_choice" to "none".`, f.field)
		}
		wanted.Answer = f.answer(j.format.Apart()...)
	}
	name := func(i int) string {
		if j.query.input == "input" {
			return item("tools", numbers[i])
		}
		return item("tools", numbers[i]) + ".function"
	}
	source, err := j.format.Grammar(j.prompt, wanted)
	var bad *toolcall.ToolError
	if errors.As(err, &bad) {
		return invalid(name(bad.Index)+".name", "invalid_value", "%q: %s.", name(bad.Index)+".name", bad.Text)
	}
	j.request.Grammar = &generation.Grammar{Kind: generation.GBNF, Source: source}
	j.held = func(err *grammar.Error) *Error {
		schema, where, _ := strings.Cut(strings.TrimPrefix(err.Where, "schema "), ", ")
		i, failed := strconv.Atoi(strings.TrimPrefix(schema, "tool-"))
		if failed != nil || i < 0 || i >= len(numbers) {
			if f != nil {
				return f.refuse(err)
			}
			return invalid("tools", "invalid_value", `"tools" cannot be held to: %s`, short(err.Text))
		}
		if where != "" {
			where += ": "
		}
		field := name(i) + ".parameters"
		return invalid(field, "invalid_value", "%q cannot be held to: %s%s.", field, short(where), short(err.Text))
	}
	return nil
}

// isJSON reports whether a form is of JSON.
func (f *form) isJSON() bool {
	return f.grammar.Kind == generation.JSONSchema || f.grammar.Kind == generation.JSONObject
}

// refuseOwn tells what of a form's source is wrong by itself, of which another grammar was made.
func (f *form) refuseOwn(err *grammar.Error) *Error {
	var own *grammar.Error
	if errors.As(f.grammar.Check(), &own) {
		err = own
	}
	return f.refuse(err)
}

// answer is a form as toolcall wants it.
func (f *form) answer(marks ...string) string {
	switch f.grammar.Kind {
	case generation.Regex:
		return toolcall.Regex(f.grammar.Source)
	case generation.GBNF:
		return f.grammar.Source
	case generation.JSONObject:
		return toolcall.Schema(`{"type":"object"}`, marks...)
	}
	return toolcall.Schema(f.grammar.Source, marks...)
}

// asError tells an error of the engine's.
func (j *chatJob) asError(err error) *Error {
	var bad *grammar.Error
	if j.held != nil && errors.As(err, &bad) {
		return j.held(bad)
	}
	return asError(err, j.query.field())
}
