package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"quire/cmd/native/talk"
	"quire/engine"
	"quire/engine/chat"
)

// checkConversation says which flags about a conversation do not go together.
func (r *runCommand) checkConversation() error {
	switch {
	case r.Messages != "" && (r.Prompts != "" || r.Load != "" || r.Raw):
		return usagef("--messages is a whole conversation: it goes without --prompts, --load and --raw")
	case r.System != "" && (r.Load != "" || r.Raw):
		return usagef("--system goes without --load, whose conversation has begun, and without --raw, which has no such message")
	case r.Messages == "-" && r.Prompt != nil && *r.Prompt == "-":
		return usagef("--messages and the prompt cannot both be stdin")
	}
	return nil
}

// conversation reads --messages, and adds what the user says next, if anything.
func (r *runCommand) conversation(h *host) (messages []chat.Message, err error) {
	var text []byte
	name := r.Messages
	if name == "-" {
		name = "stdin"
		text, err = io.ReadAll(h.in)
	} else {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("--messages: %w", err)
	}
	if text, err = withoutMark(text); err == nil {
		messages, err = talk.ReadMessages(text)
	}
	if err != nil {
		return nil, fmt.Errorf("--messages: %s: %w", name, err)
	}
	if r.System != "" && slices.ContainsFunc(messages, chat.Message.System) {
		return nil, usagef("--system: %s has a system message of its own", name)
	}
	if r.Prompt != nil {
		said, err := r.prompt(h)
		if err == nil && said == "" {
			err = usagef("the prompt is empty")
		}
		if err != nil {
			return nil, err
		}
		messages = append(messages, chat.Message{Role: "user", Content: said})
	}
	return messages, nil
}

// prompt is what the user says: the argument, or stdin.
func (r *runCommand) prompt(h *host) (string, error) {
	if r.Prompt != nil && *r.Prompt != "-" {
		return *r.Prompt, nil
	}
	if r.Prompt == nil && isTerminal(h.in) {
		return "", usagef("no prompt")
	}
	text, err := io.ReadAll(h.in)
	if err != nil {
		return "", fmt.Errorf("stdin: %w", err)
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}

// withSystem puts a system message before a conversation that has none.
func withSystem(text string, messages []chat.Message) []chat.Message {
	if text == "" || slices.ContainsFunc(messages, chat.Message.System) {
		return messages
	}
	return append([]chat.Message{{Role: "system", Content: text}}, messages...)
}

// messagesOf gives the messages that a saved conversation has beside its tokens; nil where it has none.
func messagesOf(s *engine.Session) []chat.Message {
	messages, err := talk.ReadMessages(s.Note())
	if err != nil {
		return nil
	}
	return messages
}

// answered gives a conversation with its next answer, or with more of its last one.
func answered(messages []chat.Message, text string) []chat.Message {
	messages = slices.Clone(messages)
	switch last := len(messages) - 1; {
	case last < 0:
		return nil
	case messages[last].Role == "assistant":
		messages[last].Content = talk.Text(messages[last]) + text
		return messages
	}
	return append(messages, chat.Message{Role: "assistant", Content: text})
}
