package openai

import (
	"maps"
	"slices"
	"strings"

	"quire/engine/chat"
)

// chatText renders a request's conversation.
func (l *lease) chatText(q *ChatRequest) (string, *Error) {
	messages, o, err := l.conversation(q)
	if err != nil {
		return "", err
	}
	return l.render(q, messages, o)
}

// chatPrompt gives the text of a request's conversation and its tokens. Where it is longer than the context and may be cut, dropped is how
// many messages were left out.
func (l *lease) chatPrompt(q *ChatRequest) (text string, ids []int32, dropped int, err *Error) {
	messages, o, err := l.conversation(q)
	if err != nil {
		return "", nil, 0, err
	}
	if q.Truncate && !l.about.NoText {
		var failed error
		var kept []chat.Message // as they were rendered last
		_, dropped, failed = chat.Fit(messages, l.about.Context, valueOr(q.MaxTokens, 0), func(m []chat.Message) ([]int32, error) {
			kept = m
			shorter, err := l.render(q, m, o)
			switch {
			case err != nil:
				return nil, err
			case l.tooLong(shorter):
				return make([]int32, l.about.Context+1), nil // however many tokens it has
			}
			return l.engine.TextPrompt(shorter)
		})
		if failed != nil {
			return "", nil, 0, asError(failed, q.field())
		}
		messages = kept
	}
	if text, err = l.render(q, messages, o); err == nil {
		ids, err = l.encode(text, q.field())
	}
	return text, ids, dropped, err
}

// conversation gives a request's messages as the template wants them, and what else it is given.
func (l *lease) conversation(q *ChatRequest) ([]chat.Message, chat.Options, *Error) {
	if l.about.Template == "" {
		return nil, chat.Options{}, unsupported("messages", "The model %q has no chat template: ask /v1/completions to go on with a text.", l.name)
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
		if _, given := o.Extra["xml_tools"]; !given && strings.Contains(l.about.Template, "xml_tools") {
			o.Extra["xml_tools"] = tools // SmolLM3's name
		}
	}
	messages := l.turns(q, o)
	if o.Tools != nil && l.wantsSystemTools() {
		messages = withSystemTools(messages, q.Tools)
	}
	return messages, o, nil
}

// render gives the text of messages.
func (l *lease) render(q *ChatRequest, messages []chat.Message, o chat.Options) (string, *Error) {
	text, err := l.engine.ChatText(messages, o)
	if err != nil {
		return "", asError(err, q.field())
	}
	if q.Continue {
		before, found := untilMark(text)
		if !found || strings.TrimSpace(q.Messages[len(q.Messages)-1].text()) == "" {
			return "", unsupported("continue_final_message", "The last message is not in the conversation as the model's chat template writes it: it cannot go on.")
		}
		return before, nil
	}
	return text, nil
}

// untilMark cuts a conversation where its last message is to go on.
func untilMark(text string) (before string, found bool) {
	mark := strings.TrimSpace(here)
	at := strings.LastIndex(text, mark)
	if at < 0 {
		return "", false
	}
	before = text[:at]
	if !strings.HasPrefix(text[at:], here) {
		before = strings.TrimRight(before, " \t\r\n")
	}
	return before, true
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
