package openai

import (
	"quire/engine/json"
)

// ChatRequest asks for answers to a conversation.
type ChatRequest struct {
	Model    string // "": the only model, or the first
	Messages []Message
	Sampling

	Logprobs    bool // log-probabilities of the answer's tokens
	TopLogprobs int  // and of so many of the likeliest tokens in each place

	Tools             []Tool
	ToolChoice        string // ToolsAuto, ToolsNone, ToolsRequired or the name of the function to call; "": auto
	ParallelToolCalls *bool  // false: at most one call an answer
	ToolFormat        string // how the model writes calls; "": as its template tells

	ReasoningFormat string         // "none" leaves reasoning in the answer; "", "auto" and "deepseek" give it apart
	TemplateValues  map[string]any // further variables of the chat template
	Continue        bool           // go on with the last message, an assistant's, rather than begin one
	NoPrompt        bool           // do not begin the assistant's turn
	Truncate        bool           // leave out the oldest turns of a conversation that is longer than the context

	ResponseFormat *ResponseFormat

	allowed []string     // names of the tools that may be called; none: all
	values  *json.Object // TemplateValues in the client's order
	input   string       // what the body calls Messages; "": messages
	reader  reader
}

// ReadChatRequest reads the body of a call of /v1/chat/completions.
func ReadChatRequest(body []byte) (*ChatRequest, error) {
	q := &ChatRequest{}
	r := &q.reader
	f := r.read(body)
	q.Model = f.textOr("model", "")
	q.Messages = readMessages(f)
	q.Sampling = readSampling(f, "max_completion_tokens", "max_tokens")
	q.Logprobs, q.TopLogprobs = f.is("logprobs"), valueOr(f.integer("top_logprobs"), 0)
	q.Tools, q.ParallelToolCalls = readTools(f), f.flag("parallel_tool_calls")
	q.ToolChoice, q.allowed = readToolChoice(f, false)
	q.ToolFormat, q.ReasoningFormat = f.textOr("tool_format", ""), f.textOr("reasoning_format", "")
	q.Continue = f.is("continue_final_message")
	prompt := f.flag("add_generation_prompt")
	q.NoPrompt = prompt != nil && !*prompt
	q.Truncate = readTruncation(f)
	q.values = readTemplateValues(f)
	q.ResponseFormat = readResponseFormat(f, "response_format", false)
	if text, ok := f.object.At("text").(*json.Object); ok {
		r.misplaced(text.At("format"), "text.format", "response_format")
	}
	refuseChat(f)
	f.done()
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// readTruncation reads whether a conversation may lose its oldest turns.
func readTruncation(f *fields) bool {
	text := f.textOr("truncation", "disabled")
	c := checker{}
	c.choice("truncation", text, "auto", "disabled")
	f.r.check(&c)
	return text == "auto"
}

// readTemplateValues reads what variables the chat template is given.
func readTemplateValues(f *fields) *json.Object {
	values := &json.Object{}
	effort(f, "reasoning_effort", values)
	if o := f.inner("chat_template_kwargs"); o != nil {
		for i, name := range o.object.Names {
			add(values, name, o.object.Values[i])
		}
	}
	return values
}

// effort reads how much the model is to think, for which templates have their own names.
func effort(f *fields, name string, values *json.Object) {
	text := f.text(name)
	if text == nil {
		return
	}
	if *text == "none" {
		add(values, "enable_thinking", false)
		add(values, "thinking", false)
	}
	add(values, "reasoning_effort", *text)
}

func add(o *json.Object, name string, value any) {
	o.Names, o.Values = append(o.Names, name), append(o.Values, value)
}

// refuseChat refuses what is not text, and what is older than tools.
func refuseChat(f *fields) {
	for i, v := range f.list("modalities") {
		if v != "text" {
			f.r.fail(invalid(item("modalities", i), "unsupported_value", `"modalities" may hold "text" only.`))
		}
	}
	for _, name := range []string{"audio", "prediction", "web_search_options"} {
		if f.value(name) != nil {
			f.r.fail(unsupported(name, "%q is not supported.", name))
		}
	}
	for _, name := range []string{"functions", "function_call"} {
		if f.value(name) != nil {
			f.r.fail(unsupported(name, `%q is not supported: use "tools" and "tool_choice".`, name))
		}
	}
	if f.is("store") {
		f.r.warn(`"store": nothing is stored`)
	}
}

// field is what the body calls the conversation.
func (q *ChatRequest) field() string {
	if q.input == "" {
		return "messages"
	}
	return q.input
}

// formatField is what the body calls the form of the answer.
func (q *ChatRequest) formatField() string {
	if q.input == "input" {
		return "text.format"
	}
	return "response_format"
}

// check holds a request to what can be done.
func (q *ChatRequest) check() *Error {
	c := &checker{}
	checkMessages(c, q.field(), q.Messages)
	q.Sampling.check(c)
	c.integer("top_logprobs", &q.TopLogprobs, 0, maxLogprobs)
	if q.TopLogprobs > 0 && !q.Logprobs {
		c.fail(invalid("top_logprobs", "invalid_value", `"top_logprobs" goes only with "logprobs": true.`))
	}
	q.checkTools(c)
	q.ResponseFormat.check(c, q.formatField())
	if q.ReasoningFormat != "" {
		c.choice("reasoning_format", q.ReasoningFormat, "none", "auto", "deepseek")
	}
	if n := len(q.Messages); q.Continue && n > 0 && q.Messages[n-1].Role != "assistant" {
		c.fail(invalid("continue_final_message", "invalid_value", `"continue_final_message" needs a last message of the role "assistant".`))
	}
	return c.err
}
