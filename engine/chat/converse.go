package chat

import "slices"

// Converse is Render for a conversation that the template may not be made for: where it refuses a system message, as that of Gemma 2
// does, the first user says its words.
func (t *Template) Converse(messages []Message, o Options) (string, error) {
	text, err := t.Render(messages, o)
	if err == nil {
		return text, nil
	}
	if folded, ok := withoutSystem(messages); ok {
		if text, failed := t.Render(folded, o); failed == nil {
			return text, nil
		}
	}
	return "", err
}

// withoutSystem puts a system message's words before the first user's.
func withoutSystem(messages []Message) ([]Message, bool) {
	if len(messages) < 2 || !messages[0].System() || messages[1].Role != "user" {
		return nil, false
	}
	system, ok := messages[0].Content.(string)
	user, isText := messages[1].Content.(string)
	if !ok || !isText {
		return nil, false
	}
	folded := slices.Clone(messages[1:])
	folded[0].Content = system + "\n\n" + user
	return folded, true
}
