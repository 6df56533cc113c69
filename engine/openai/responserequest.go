package openai

import (
	"strings"

	"quire/engine/json"
)

// ResponseRequest asks for an answer in the form of /v1/responses. Nothing is stored, so that its messages are the whole input.
type ResponseRequest struct {
	ChatRequest
	Instructions string // what comes before the messages, as a system's

	told responseEcho
}

// responseEcho is what a response says of its request, as it was.
type responseEcho struct {
	reasoning, metadata, tools, choice, text any
	user                                     *string
}

// ReadResponseRequest reads the body of a call of /v1/responses.
func ReadResponseRequest(body []byte) (*ResponseRequest, error) {
	q := &ResponseRequest{}
	r := &q.reader
	f := r.read(body)
	q.input = "input"
	q.Model, q.Instructions = f.textOr("model", ""), f.textOr("instructions", "")
	q.Messages = readInput(f)
	q.Sampling = readSampling(f, "max_output_tokens")
	if q.N > 1 {
		r.fail(unsupported("n", `"n" is not supported here: a response is one answer.`))
	}
	q.TopLogprobs = valueOr(f.integer("top_logprobs"), 0)
	q.Logprobs = q.TopLogprobs > 0
	for i, v := range f.list("include") {
		switch v {
		case "message.output_text.logprobs":
			q.Logprobs = true
		default:
			r.warn("%q is not known and was ignored", item("include", i))
		}
	}
	q.told = responseEcho{f.value("reasoning"), f.value("metadata"), f.value("tools"), f.value("tool_choice"), f.value("text"), f.text("user")}
	q.Tools, q.ParallelToolCalls = readFlatTools(f), f.flag("parallel_tool_calls")
	q.ToolChoice, q.allowed = readToolChoice(f, true)
	q.ToolFormat, q.ReasoningFormat = f.textOr("tool_format", ""), f.textOr("reasoning_format", "")
	q.values = readTemplateValues(f)
	if reasoning := f.inner("reasoning"); reasoning != nil {
		effort(reasoning, "effort", q.values)
		reasoning.skip("summary", "generate_summary")
		reasoning.done()
	}
	if text := f.inner("text"); text != nil {
		q.ResponseFormat = readResponseFormat(text, "format", true)
		text.skip("verbosity")
		text.done()
	}
	r.misplaced(f.object.At("response_format"), "response_format", "text.format")
	q.Truncate = readTruncation(f)
	refuseStored(f)
	f.done()
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// chat is the request as one, with the instructions before the messages.
func (q *ResponseRequest) chat() *ChatRequest {
	c := q.ChatRequest
	c.input = "input"
	if q.Instructions != "" {
		c.Messages = append([]Message{{Role: "system", Content: q.Instructions}}, c.Messages...)
	}
	return &c
}

// Prefix names the beginning of the conversation, as a chat's does.
func (q *ResponseRequest) Prefix() string { return q.chat().Prefix() }

// refuseStored refuses what would need something stored.
func refuseStored(f *fields) {
	if f.is("store") {
		f.r.fail(unsupported("store", `"store": true is not supported: nothing is stored, the input is the whole conversation.`))
	}
	for _, name := range []string{"previous_response_id", "conversation", "prompt"} {
		if f.value(name) != nil {
			f.r.fail(unsupported(name, "%q is not supported: nothing is stored, the input is the whole conversation.", name))
		}
	}
	if f.is("background") {
		f.r.fail(unsupported("background", `"background" is not supported: the answer comes with the call.`))
	}
}

// readFlatTools reads {"type": "function", "name": …}.
func readFlatTools(f *fields) (tools []Tool) {
	for i, v := range f.list("tools") {
		t := f.r.fields(v, item("tools", i))
		if !isFunction(t) {
			return nil
		}
		tools = append(tools, readFunction(t))
		t.done()
	}
	return tools
}

// readInput reads a text or a list of items.
func readInput(f *fields) []Message {
	switch v := f.need("input").(type) {
	case nil:
	case string:
		return []Message{{Role: "user", Content: v}}
	case []any:
		in := &inputReader{}
		for i, value := range v {
			in.item(f.r.fields(value, item("input", i)))
		}
		if len(in.messages) == 0 {
			f.r.fail(invalid("input", "empty_array", `"input" is empty.`))
		}
		return in.messages
	default:
		f.r.wrong("input", v, "text or a list of items")
	}
	return nil
}

// inputReader makes messages of items. What a model put out one after another is one message of an assistant.
type inputReader struct {
	messages  []Message
	reasoning string // that belongs to what comes next
	open      bool   // the last message may take calls
}

func (in *inputReader) item(f *fields) {
	kind := f.textOr("type", "message")
	f.skip("id", "status")
	switch kind {
	case "message":
		in.message(f)
	case "function_call":
		call := ToolCall{f.needText("call_id"), "function", FunctionCall{f.needText("name"), f.textOr("arguments", "{}")}}
		if !in.open {
			in.add(Message{Role: "assistant"}, true)
		}
		last := &in.messages[len(in.messages)-1]
		last.ToolCalls = append(last.ToolCalls, call)
	case "function_call_output":
		id := f.needText("call_id")
		f.need("output")
		text, parts := readContent(f, "output", "input_text", "output_text", "text")
		in.add(Message{Role: "tool", Content: text, Parts: parts, ToolCallID: id}, false)
	case "reasoning":
		in.reasoning = reasoningText(f)
		in.open = false
	default:
		f.r.fail(invalid(f.at("type"), "unsupported_value", "%q is %s: only items of the types message, function_call, function_call_output and reasoning are supported.", f.at("type"), quoted(kind)))
	}
	f.done()
}

func (in *inputReader) message(f *fields) {
	f.need("role")
	f.need("content")
	m := Message{Role: f.textOr("role", "")}
	c := checker{}
	c.choice(f.at("role"), m.Role, "user", "assistant", "system", "developer")
	f.r.check(&c)
	m.Content, m.Parts = readContent(f, "content", partsOf(m.Role, "input_text", "output_text", "text")...)
	f.skip("phase")
	in.add(m, m.Role == "assistant")
}

func (in *inputReader) add(m Message, open bool) {
	if m.Role == "assistant" {
		m.Reasoning = in.reasoning
	}
	in.reasoning, in.open = "", open
	in.messages = append(in.messages, m)
}

// reasoningText is what a reasoning item holds, or at least its summary.
func reasoningText(f *fields) string {
	for _, name := range []string{"content", "summary"} {
		var texts []string
		for _, v := range f.list(name) {
			if o, ok := v.(*json.Object); ok {
				if text, ok := o.At("text").(string); ok {
					texts = append(texts, text)
				}
			}
		}
		if len(texts) > 0 {
			f.skip("summary", "encrypted_content")
			return strings.Join(texts, "\n")
		}
	}
	f.skip("encrypted_content")
	return ""
}
