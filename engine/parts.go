package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"quire/engine/chat"
)

// readable gives messages whose content a template can read. A list of text parts stays one where the template reads such
// lists, and is otherwise the texts, a line each. Other parts are refused by name.
func readable(t *chat.Template, messages []chat.Message) ([]chat.Message, error) {
	joined := map[int]string{}
	for i, m := range messages {
		if !isList(m.Content) {
			continue
		}
		texts, err := textParts(m.Content)
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

func isList(content any) bool {
	if raw, ok := content.(json.RawMessage); ok {
		return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("["))
	}
	return content != nil && reflect.TypeOf(content).Kind() == reflect.Slice
}

// textParts returns the texts of a list of {"type": "text", "text": …}.
func textParts(content any) ([]string, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	texts := make([]string, len(list))
	for i, element := range list {
		var part struct{ Type, Text any }
		if err := json.Unmarshal(element, &part); err != nil {
			part.Type = nil
		}
		kind, named := part.Type.(string)
		text, isText := part.Text.(string)
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
