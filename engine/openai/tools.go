package openai

import "quire/engine/json"

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Parameters  any // a JSON schema; nil: no parameters

	value any // as templates see it, in the client's order
}

// The tool choices that are no function's name.
const (
	ToolsAuto = "auto" // the model decides
	ToolsNone = "none" // the model is told of no tools
)

// readTools reads {"type": "function", "function": {…}}.
func readTools(f *fields) (tools []Tool) {
	for i, v := range f.list("tools") {
		t := f.r.fields(v, item("tools", i))
		if !isFunction(t) {
			return nil
		}
		if t.need("function") == nil {
			return nil
		}
		function := t.inner("function")
		tool := readFunction(function)
		function.done()
		t.done()
		tool.value = v
		tools = append(tools, tool)
	}
	return tools
}

// isFunction refuses tools that are no functions.
func isFunction(t *fields) bool {
	t.need("type")
	kind := t.textOr("type", "")
	if kind != "" && kind != "function" {
		t.r.fail(invalid(t.at("type"), "unsupported_value", "%q is %s: only tools of type \"function\" are supported.", t.at("type"), quoted(kind)))
	}
	return kind == "function"
}

func readFunction(f *fields) (t Tool) {
	t.Name, t.Description = f.needText("name"), f.textOr("description", "")
	if p := f.value("parameters"); p != nil {
		if _, ok := p.(*json.Object); !ok {
			f.r.wrong(f.at("parameters"), p, "an object")
		}
		t.Parameters = p
	}
	if f.is("strict") {
		f.r.warn("%q: no answer is held to a schema yet", f.at("strict"))
	}
	return t
}

// shown is the tool as templates see it.
func (t *Tool) shown() any {
	if t.value != nil {
		return t.value
	}
	function := &json.Object{}
	add(function, "name", t.Name)
	if t.Description != "" {
		add(function, "description", t.Description)
	}
	if t.Parameters != nil {
		add(function, "parameters", t.Parameters)
	}
	return &json.Object{Names: []string{"type", "function"}, Values: []any{"function", function}}
}

// readToolChoice reads none, auto, required or a function's name, of which the last two are refused.
func readToolChoice(f *fields) string {
	switch v := f.value("tool_choice").(type) {
	case nil:
	case string:
		return v
	case *json.Object:
		f.r.fail(forcedCall)
	default:
		f.r.wrong("tool_choice", v, "text or an object")
	}
	return ""
}

// checkTools holds tools and the choice among them to what is supported.
func checkTools(c *checker, tools []Tool, choice string) {
	for i, t := range tools {
		if t.Name == "" {
			c.fail(missing(item("tools", i) + ".function.name"))
		}
	}
	switch choice {
	case "", ToolsAuto, ToolsNone:
	case "required":
		c.fail(forcedCall)
	default:
		c.choice("tool_choice", choice, ToolsAuto, ToolsNone)
	}
}

var forcedCall = unsupported("tool_choice", `A "tool_choice" that forces a call is not supported yet: use "auto" or "none".`)
