package chat

import (
	"errors"
	"fmt"
	"slices"

	"quire/engine/json"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string
	Content any            // a string, or the parts of a multimodal message; nil: the message has no content
	Fields  map[string]any // what else the template may ask for, such as tool_calls or name; "content": nil is a content that is none

	order []string // of the fields, where the message was JSON
}

// UnmarshalJSON reads a message of a JSON text. Its fields, and what they hold, keep the text's order, and integers their digits. A
// content that is null is none for a template, and a message without content has none.
func (m *Message) UnmarshalJSON(data []byte) (err error) {
	defer recoverError(&err)
	d, ok := parseJSON(data).(*dict)
	if !ok {
		return errors.New("is not an object with a role")
	}
	role, ok := d.at("role").(string)
	if !ok {
		return errors.New("has no role")
	}
	*m = Message{Role: role, Fields: map[string]any{}}
	for _, key := range d.keys {
		name := key.(string)
		m.order = append(m.order, name)
		switch value := d.at(key); {
		case name == "content" && value != nil:
			m.Content = plainText(value)
		case name != "role":
			m.Fields[name] = value
		}
	}
	return nil
}

// MarshalJSON writes a message as it was read: its fields in their order.
func (m Message) MarshalJSON() (text []byte, err error) {
	defer recoverError(&err)
	return []byte(jsonText(m.value())), nil
}

// ReadMessages reads the messages of a conversation, and says of a wrong one which it is.
func ReadMessages(list []json.RawMessage) ([]Message, error) {
	messages := make([]Message, len(list))
	for i, text := range list {
		if err := messages[i].UnmarshalJSON(text); err != nil {
			return nil, fmt.Errorf("message %d %w", i, err)
		}
	}
	return messages, nil
}

// plainText gives what is no text back as JSON, which others can read.
func plainText(value any) any {
	if text, ok := value.(string); ok {
		return text
	}
	return json.RawMessage(jsonText(value))
}

// jsonText writes a value as JSON.
func jsonText(value any) string {
	e := &evaluator{limits: usualLimits}
	return toJSON(e, 0, value, []any{missing{}, missing{}, missing{}, missing{}}).(string)
}

// value is the message as a template sees it.
func (m Message) value() *dict {
	order := m.order
	if order == nil {
		order = append([]string{"role", "content"}, sortedKeys(m.Fields)...)
	}
	d := newDict()
	for _, name := range order {
		held, ok := m.Fields[name]
		switch {
		case name == "role":
			d.set(name, m.Role)
		case name == "content" && m.Content != nil:
			d.set(name, toValue(m.Content))
		case ok:
			d.set(name, toValue(held))
		}
	}
	// What was set after the text was read.
	for _, name := range sortedKeys(m.Fields) {
		if !slices.Contains(order, name) {
			d.set(name, toValue(m.Fields[name]))
		}
	}
	return d
}
