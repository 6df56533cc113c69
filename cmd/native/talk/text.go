package talk

import (
	"strings"
	"unicode"

	"quire/engine/chat"
	"quire/engine/json"
)

// Text gives a message's content as a text: that of its parts, a line each, where it has parts.
func Text(m chat.Message) string {
	switch content := m.Content.(type) {
	case string:
		return content
	case json.RawMessage:
		value, err := json.Parse(content)
		if err != nil {
			return ""
		}
		list, _ := value.([]any)
		var texts []string
		for _, element := range list {
			part, _ := element.(*json.Object)
			if part == nil {
				continue
			}
			if text, ok := part.At("text").(string); ok {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "\n")
	}
	return ""
}

// reasoningField is where a message has its reasoning: chat templates look for it there.
const reasoningField = "reasoning_content"

// Reasoning gives what a message's author thought before it.
func Reasoning(m chat.Message) string {
	text, _ := m.Fields[reasoningField].(string)
	return text
}

// Clean takes out of a text what would steer a terminal: control characters but line ends and tabs. A model's text may hold any.
func Clean(text string) string {
	if strings.IndexFunc(text, steers) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if steers(r) {
			return -1
		}
		return r
	}, text)
}

func steers(r rune) bool {
	return r != '\n' && r != '\t' && unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}
