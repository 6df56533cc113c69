package openai

import (
	"maps"
	"slices"
	"strings"

	"quire/engine/chat"
	"quire/engine/json"
)

// chatText renders a request's conversation.
func (l *lease) chatText(q *ChatRequest) (string, *Error) {
	if l.about.Template == "" {
		return "", unsupported("messages", "The model %q has no chat template: ask /v1/completions to go on with a text.", l.name)
	}
	o := chat.Options{AddGenerationPrompt: !q.NoPrompt && !q.Continue, Extra: map[string]any{}}
	if q.values != nil {
		for i, name := range q.values.Names {
			o.Extra[name] = q.values.Values[i]
		}
	}
	for name, value := range q.TemplateValues {
		o.Extra[name] = value
	}
	if len(q.Tools) > 0 && q.ToolChoice != ToolsNone {
		tools := make([]any, len(q.Tools))
		for i := range q.Tools {
			tools[i] = q.Tools[i].shown()
		}
		o.Tools = tools
	}
	messages := l.turns(q, o)
	text, err := l.engine.ChatText(messages, o)
	if err != nil {
		return "", asError(err, q.field())
	}
	if q.Continue {
		return untilAnswer(text, q.Messages[len(q.Messages)-1].text())
	}
	return text, nil
}

// untilAnswer cuts a conversation after its last message, which is to go on.
func untilAnswer(text, answer string) (string, *Error) {
	answer = strings.TrimSpace(answer)
	at := strings.LastIndex(text, answer)
	if answer == "" || at < 0 {
		return "", unsupported("continue_final_message", "The last message is not in the conversation as the model's chat template writes it: it cannot go on.")
	}
	return text[:at+len(answer)], nil
}

// turns gives messages as the template wants them.
func (l *lease) turns(q *ChatRequest, o chat.Options) []chat.Message {
	form := callForm{}
	if slices.ContainsFunc(q.Messages, func(m Message) bool { return len(m.ToolCalls) > 0 }) {
		form = l.callForm(o)
	}
	called := map[string]string{} // names of functions by the calls' ids
	turns := make([]chat.Message, len(q.Messages))
	for i := range q.Messages {
		m := &q.Messages[i]
		turn := chat.Message{Role: m.Role, Content: m.Content, Fields: map[string]any{}}
		for name, value := range m.Extra {
			turn.Fields[name] = value
		}
		if m.Parts != nil {
			parts := make([]any, len(m.Parts))
			for j, p := range m.Parts {
				parts[j] = map[string]any{"type": p.Type, "text": p.Text}
			}
			turn.Content = parts
		}
		set := func(name, value string) {
			if value != "" {
				turn.Fields[name] = value
			}
		}
		set("name", m.Name)
		set("reasoning_content", m.Reasoning)
		switch {
		case m.Role == "developer" && !strings.Contains(l.about.Template, "developer"):
			turn.Role = "system"
		case m.Role == "tool":
			set("tool_call_id", m.ToolCallID)
			if m.Name == "" {
				set("name", called[m.ToolCallID])
			}
		case len(m.ToolCalls) > 0:
			if m.text() == "" && !form.empty {
				turn.Content, turn.Fields["content"] = nil, nil
			}
			turn.Fields["tool_calls"] = form.calls(m.ToolCalls)
			for _, c := range m.ToolCalls {
				called[c.ID] = c.Function.Name
			}
		}
		if m.Reasoning != "" && (len(m.ToolCalls) == 0 || m.text() == "") && strings.Contains(l.about.Template, "thinking") {
			turn.Fields["thinking"] = m.Reasoning // gpt-oss, which has either this or content beside calls
		}
		turns[i] = turn
	}
	return turns
}

// callForm is how a template wants an assistant's calls: their arguments as JSON's text or as an object, and the content of a message
// that has none as an empty text or as none.
type callForm struct {
	text  bool
	empty bool
}

// callForm tries the forms until the template shows a call as it was made.
func (l *lease) callForm(o chat.Options) callForm {
	const key = "argument_key"
	arguments := `{"` + key + `": "argument value"}`
	call := []ToolCall{{"call12345", "function", FunctionCall{"function_name", arguments}}}
	for _, form := range []callForm{{text: true}, {}, {text: true, empty: true}, {empty: true}} {
		turn := chat.Message{Role: "assistant", Fields: map[string]any{"content": nil, "tool_calls": form.calls(call)}}
		if form.empty {
			turn.Content = ""
		}
		shown, err := l.engine.ChatText([]chat.Message{{Role: "user", Content: "?"}, turn}, o)
		_, shown, _ = strings.Cut(shown, "?") // the template's own words about tools come before
		switch {
		case err != nil || !strings.Contains(shown, "function_name") || strings.Contains(shown, "None"):
		case form.text && strings.Contains(shown, arguments), !form.text && strings.Contains(shown, key) && !strings.Contains(shown, `\"`+key):
			return form
		}
	}
	return callForm{}
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
		function := &json.Object{Names: []string{"name", "arguments"}, Values: []any{c.Function.Name, arguments}}
		list[i] = &json.Object{Names: []string{"id", "type", "function"}, Values: []any{c.ID, "function", function}}
	}
	return list
}

// warnings says what of a request the model's template does not use.
func (l *lease) warnings(q *ChatRequest) []string {
	r := reader{warnings: slices.Clone(q.reader.warnings)}
	for i := range q.Messages {
		for _, name := range slices.Sorted(maps.Keys(q.Messages[i].Extra)) {
			if !strings.Contains(l.about.Template, name) {
				r.warn("%s is not known and was ignored", quoted(item("messages", i)+"."+name))
			}
		}
	}
	if len(q.Tools) > 0 && q.ToolChoice != ToolsNone && !strings.Contains(l.about.Template, "tools") {
		r.warn(`"tools": the model's chat template tells it of no tools`)
	}
	return r.warnings
}
