package openai

import (
	"strings"

	"quire/engine/json"
)

// Message is a turn of a conversation.
type Message struct {
	Role       string // system, developer, user, assistant or tool
	Content    string
	Parts      []Part // in place of Content
	Reasoning  string // an assistant's, which templates may leave out
	Name       string
	ToolCalls  []ToolCall // an assistant's
	ToolCallID string     // a tool's

	Extra map[string]any // what else a template may ask for
}

// Part is a part of a message's content.
type Part struct {
	Type string `json:"type"` // "text"
	Text string `json:"text"`
}

// text is the message's content as one text.
func (m *Message) text() string {
	if m.Parts == nil {
		return m.Content
	}
	texts := make([]string, len(m.Parts))
	for i, p := range m.Parts {
		texts[i] = p.Text
	}
	return strings.Join(texts, "\n")
}

// ToolCall is a call that an assistant made.
type ToolCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"` // "function"
	Function FunctionCall `json:"function"`
}

// FunctionCall names a function, with its arguments as JSON.
type FunctionCall struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

var roles = []string{"system", "developer", "user", "assistant", "tool"}

// readMessages reads a conversation.
func readMessages(f *fields) []Message {
	value := f.need("messages")
	list, ok := value.([]any)
	if !ok && value != nil {
		f.r.wrong("messages", value, "a list of messages")
	}
	messages := make([]Message, len(list))
	for i, v := range list {
		messages[i] = readMessage(f.r.fields(v, item("messages", i)))
	}
	return messages
}

func readMessage(f *fields) (m Message) {
	if v := f.need("role"); v != nil {
		m.Role = valueOr(f.text("role"), "")
	}
	m.Content, m.Parts = readContent(f, "content", partsOf(m.Role, "text")...)
	m.Reasoning = f.textOr("reasoning_content", f.textOr("reasoning", ""))
	f.skip("reasoning")
	m.Name, m.ToolCallID = f.textOr("name", ""), f.textOr("tool_call_id", "")
	for i, v := range f.list("tool_calls") {
		m.ToolCalls = append(m.ToolCalls, readToolCall(f.r.fields(v, item(f.at("tool_calls"), i))))
	}
	if f.value("function_call") != nil {
		f.r.fail(unsupported(f.at("function_call"), `"function_call" is not supported: use "tool_calls".`))
	}
	if f.value("content") == nil && (m.Role != "assistant" || len(m.ToolCalls) == 0 && m.Reasoning == "") {
		f.r.fail(missing(f.at("content")))
	}
	if f.value("audio") != nil {
		f.r.fail(unsupported(f.at("audio"), `%q is not supported: only text is.`, f.at("audio")))
	}
	f.skip("refusal", "annotations") // as an answer's message has them
	for i, name := range f.object.Names {
		if !f.asked[i] && f.object.Values[i] != nil {
			if m.Extra == nil {
				m.Extra = map[string]any{}
			}
			m.Extra[name] = f.object.Values[i]
		}
	}
	return m
}

// partsOf are the types of parts that a role's content may have: those that hold text, and of an assistant what it refused.
func partsOf(role string, types ...string) []string {
	if role == "assistant" {
		types = append(types, "refusal")
	}
	return types
}

// readContent reads a text, or a list of parts of the types that hold text.
func readContent(f *fields, name string, types ...string) (text string, parts []Part) {
	switch v := f.value(name).(type) {
	case nil:
	case string:
		return v, nil
	case []any:
		parts = make([]Part, len(v))
		for i, p := range v {
			parts[i] = readPart(f.r, p, item(f.at(name), i), types)
		}
	default:
		f.r.wrong(f.at(name), v, "text or a list of parts")
	}
	return "", parts
}

func readPart(r *reader, value any, path string, types []string) Part {
	if text, ok := value.(string); ok {
		return Part{"text", text}
	}
	f := r.fields(value, path)
	kind := f.need("type")
	name, ok := kind.(string)
	switch {
	case kind == nil:
	case !ok:
		r.wrong(f.at("type"), kind, "text")
	default:
		for _, t := range types {
			if name == t {
				field := "text"
				if name == "refusal" {
					field = name
				}
				if f.need(field) == nil {
					return Part{}
				}
				part := Part{"text", f.textOr(field, "")}
				f.skip("annotations", "logprobs", "cache_control")
				f.done()
				return part
			}
		}
		r.fail(invalid(f.at("type"), "unsupported_value", "%q is %s: only parts of type %q are supported.", f.at("type"), quoted(name), types[0]))
	}
	return Part{}
}

func readToolCall(f *fields) (c ToolCall) {
	c.ID, c.Type = f.textOr("id", ""), f.textOr("type", "function")
	if c.Type != "function" {
		f.r.fail(invalid(f.at("type"), "unsupported_value", "%q is %s: only calls of type \"function\" are supported.", f.at("type"), quoted(c.Type)))
	}
	if f.need("function") == nil {
		return c
	}
	function := f.inner("function")
	c.Function.Name = function.needText("name")
	switch v := function.value("arguments").(type) {
	case nil:
		c.Function.Arguments = "{}"
	case string:
		if c.Function.Arguments = v; strings.TrimSpace(v) == "" { // as clients keep a call without any
			c.Function.Arguments = "{}"
		}
	case *json.Object: // as ollama has them
		text, _ := json.Marshal(v)
		c.Function.Arguments = string(text)
	default:
		f.r.wrong(function.at("arguments"), v, "text that holds JSON")
	}
	function.done()
	f.skip("index")
	f.done()
	return c
}

// checkMessages holds a conversation to what templates are made for.
func checkMessages(c *checker, field string, messages []Message) {
	c.length(field, len(messages), 1, anyNumber)
	for i := range messages {
		m, path := &messages[i], item(field, i)
		c.choice(path+".role", m.Role, roles...)
		switch {
		case m.Role == "tool" && m.ToolCallID == "" && m.Name == "":
			c.fail(missing(path + ".tool_call_id"))
		case m.Role != "assistant" && len(m.ToolCalls) > 0:
			c.fail(invalid(path+".tool_calls", "invalid_value", "%q goes only with the role \"assistant\".", path+".tool_calls"))
		}
		for j, p := range m.Parts {
			if p.Type != "text" {
				c.fail(invalid(item(path+".content", j)+".type", "unsupported_value", "Only parts of type \"text\" are supported."))
			}
		}
	}
}
