package openai

import (
	"strings"

	"quire/engine/chat"
	"quire/engine/json"
	"quire/engine/openai/toolcall"
)

// callForm is how a template wants an assistant's calls.
type callForm struct {
	text    bool // arguments as JSON's text, not as an object
	empty   bool // the content of a message that has none is an empty text, not none
	content bool // the template shows no calls: they are part of the content
}

// callForm tries the forms until the template shows a call as it was made.
func (l *lease) callForm(o chat.Options) callForm {
	const question, key = "What is the question?", "argument_key"
	arguments := `{"` + key + `": "argument value"}`
	call := []ToolCall{{"call12345", "function", FunctionCall{"function_name", arguments}}}
	for _, form := range []callForm{{}, {text: true}, {empty: true}, {text: true, empty: true}} {
		turn := chat.Message{Role: "assistant", Fields: map[string]any{"content": nil, "tool_calls": form.calls(call)}}
		if form.empty {
			turn.Content = ""
		}
		result := chat.Message{Role: "tool", Content: "result", Fields: map[string]any{"tool_call_id": call[0].ID, "name": "function_name"}}
		shown, err := l.engine.ChatText([]chat.Message{{Role: "user", Content: question}, turn, result}, o)
		_, shown, _ = strings.Cut(shown, question) // the template's own words about tools come before
		switch {
		case err != nil || !strings.Contains(shown, "function_name") || strings.Contains(shown, "None"):
		case form.text && strings.Contains(shown, arguments):
			return form
		case !form.text && strings.Contains(shown, key) && !strings.Contains(shown, `\"`+key) && !strings.Contains(shown, "'"+key+"'"):
			return form
		}
	}
	return callForm{content: true}
}

// calls gives calls as the template wants them.
func (f callForm) calls(calls []ToolCall) []any {
	list := make([]any, len(calls))
	for i, c := range calls {
		var arguments any = c.Function.Arguments
		if !f.text {
			if value, err := json.Parse([]byte(c.Function.Arguments)); err == nil {
				arguments = value
			}
		}
		function := &json.Object{}
		add(function, "name", c.Function.Name)
		add(function, "arguments", arguments)
		list[i] = &json.Object{Names: []string{"id", "type", "function"}, Values: []any{c.ID, "function", function}}
	}
	return list
}

// spelledCalls is a message's content with its calls behind it: as LFM2 writes them, whose template leaves that to whoever keeps the
// conversation, and otherwise as a list in JSON.
func (l *lease) spelledCalls(m *Message) string {
	var b strings.Builder
	b.WriteString(m.text())
	if toolcall.Detect(l.about.Template).Name() == "lfm2" {
		b.WriteString("<|tool_call_start|>[")
		for i, c := range m.ToolCalls {
			if i > 0 {
				b.WriteString(", ")
			}
			pythonCall(&b, c.Function)
		}
		b.WriteString("]<|tool_call_end|>")
		return b.String()
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	list := make([]any, len(m.ToolCalls))
	for i, c := range m.ToolCalls {
		function := &json.Object{}
		add(function, "name", c.Function.Name)
		add(function, "arguments", json.RawMessage(c.Function.Arguments))
		list[i] = function
	}
	text, _ := json.Marshal(list)
	b.Write(text)
	return b.String()
}

// pythonCall writes a call as Python does.
func pythonCall(b *strings.Builder, f FunctionCall) {
	b.WriteString(f.Name + "(")
	value, _ := json.Parse([]byte(f.Arguments))
	if o, ok := value.(*json.Object); ok {
		for i, name := range o.Names {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(name + "=")
			pythonValue(b, o.Values[i])
		}
	}
	b.WriteByte(')')
}

func pythonValue(b *strings.Builder, value any) {
	separate := func(i int) {
		if i > 0 {
			b.WriteString(", ")
		}
	}
	switch v := value.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		if v {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			separate(i)
			pythonValue(b, item)
		}
		b.WriteByte(']')
	case *json.Object:
		b.WriteByte('{')
		for i, name := range v.Names {
			separate(i)
			pythonValue(b, name)
			b.WriteString(": ")
			pythonValue(b, v.Values[i])
		}
		b.WriteByte('}')
	default: // texts and numbers are JSON's
		text, _ := json.Marshal(v)
		b.Write(text)
	}
}
