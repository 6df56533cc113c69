package openai

import (
	"slices"
	"strings"

	"quire/engine/chat"
	"quire/engine/json"
)

// wantsSystemTools says whether a template looks for tools in the system's message, as Phi-4-mini's does.
func (l *lease) wantsSystemTools() bool {
	return slices.ContainsFunc([]string{"message['tools']", `message["tools"]`, "message.tools"}, func(text string) bool {
		return strings.Contains(l.about.Template, text)
	})
}

// withSystemTools puts the functions that the model may call, as a text, into the system's message, in front of which there may be none.
func withSystemTools(messages []chat.Message, tools []Tool) []chat.Message {
	functions := make([]any, len(tools))
	for i := range tools {
		functions[i] = tools[i].shown()
		if o, ok := functions[i].(*json.Object); ok && o.At("function") != nil {
			functions[i] = o.At("function")
		}
	}
	text, _ := json.Marshal(functions)
	if len(messages) == 0 || messages[0].Role != "system" {
		messages = append([]chat.Message{{Role: "system", Content: "", Fields: map[string]any{}}}, messages...)
	}
	messages[0].Fields["tools"] = string(text)
	return messages
}
