package openai

import (
	"slices"
	"strings"

	"quire/engine/chat"
)

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
			switch {
			case form.content:
				turn.Content = l.spelledCalls(m)
			case m.text() == "" && !form.empty:
				turn.Content, turn.Fields["content"] = nil, nil
			}
			if !form.content {
				turn.Fields["tool_calls"] = form.calls(m.ToolCalls)
			}
			for _, c := range m.ToolCalls {
				called[c.ID] = c.Function.Name
			}
		}
		if m.Reasoning != "" && (len(m.ToolCalls) == 0 || m.text() == "") && strings.Contains(l.about.Template, "thinking") {
			turn.Fields["thinking"] = m.Reasoning // gpt-oss, which has either this or content beside calls
		}
		turns[i] = turn
	}
	if q.Continue {
		markEnd(turns)
	}
	return turns
}

// here stands where the last message is to go on. Its space tells whether the template takes white space off a message's end.
const here = "QUIRE-GOES-ON-HERE "

// markEnd puts the mark behind the last message.
func markEnd(messages []chat.Message) {
	last := &messages[len(messages)-1]
	switch content := last.Content.(type) {
	case string:
		last.Content = content + here
	case []any:
		if len(content) > 0 {
			part := content[len(content)-1].(map[string]any)
			part["text"] = part["text"].(string) + here
		}
	}
}
