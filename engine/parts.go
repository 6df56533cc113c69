package engine

import (
	"fmt"
	"slices"
	"strings"

	"quire/engine/chat"
	"quire/engine/json"
)

// readable gives messages whose content a template can read. A list of text parts stays one where the template reads such
// lists, and is otherwise the texts, a line each. Other parts are refused by name.
func readable(t *chat.Template, messages []chat.Message) ([]chat.Message, error) {
	joined := map[int]string{}
	for i, m := range messages {
		list, ok := parts(m.Content)
		if !ok {
			continue
		}
		texts, err := textsOf(list)
		if err != nil {
			return nil, fmt.Errorf("%w: message %d: %w", ErrBadRequest, i, err)
		}
		joined[i] = strings.Join(texts, "\n")
	}
	if len(joined) == 0 || takesParts(t) {
		return messages, nil
	}
	messages = slices.Clone(messages)
	for i, text := range joined {
		messages[i].Content = text
	}
	return messages, nil
}

// parts gives content that is a list, as JSON has it.
func parts(content any) (list []any, ok bool) {
	if _, text := content.(string); text || content == nil {
		return nil, false
	}
	data, err := json.Marshal(content)
	if err != nil {
		return nil, false
	}
	value, _ := json.Parse(data)
	list, ok = value.([]any)
	return list, ok
}

// textsOf returns the texts of a list of {"type": "text", "text": …}.
func textsOf(list []any) ([]string, error) {
	texts := make([]string, len(list))
	for i, element := range list {
		part, ok := element.(*json.Object)
		if !ok {
			part = &json.Object{}
		}
		kind, named := part.At("type").(string)
		text, isText := part.At("text").(string)
		switch {
		case named && kind != "text":
			return nil, fmt.Errorf("content part %d is of type %q, and only parts of type \"text\" are taken", i, kind)
		case !named || !isText:
			return nil, fmt.Errorf(`content part %d is not like {"type": "text", "text": "Hello."}`, i)
		}
		texts[i] = text
	}
	return texts, nil
}

// takesParts reports whether a template reads content that is a list of parts, as those of models that see pictures do: it
// shows a part's text, and nothing of how the part is written.
func takesParts(t *chat.Template) bool {
	const text = "What is a kite?"
	shown := func(content any) string {
		s, err := t.Render([]chat.Message{{Role: "user", Content: content}}, chat.Options{})
		if err != nil {
			return ""
		}
		return s
	}
	whole, part := shown(text), shown([]any{map[string]any{"type": "text", "text": text}})
	return strings.Contains(part, text) && strings.Count(part, "type") == strings.Count(whole, "type")
}
