package openai

import "quire/engine/json"

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Parameters  any  // a JSON schema; nil: no parameters
	Strict      bool // its calls' arguments keep to the schema, even where the model decides whether it is called

	value any // as templates see it, in the client's order
}

// The tool choices that are no function's name.
const (
	ToolsAuto     = "auto"     // the model decides
	ToolsNone     = "none"     // the model is told of no tools
	ToolsRequired = "required" // at least one is called
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
	t.Strict = f.is("strict")
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

// readToolChoice reads none, auto, required, a function's name, or a mode with the functions that may be called. Flat, as responses
// have them, names stand beside types.
func readToolChoice(f *fields, flat bool) (choice string, allowed []string) {
	switch v := f.value("tool_choice").(type) {
	case nil:
	case string:
		if v == "" {
			return "", nil
		}
		c := checker{}
		c.choice("tool_choice", v, ToolsAuto, ToolsNone, ToolsRequired)
		f.r.check(&c)
		return v, nil
	case *json.Object:
		o := f.inner("tool_choice")
		defer o.done()
		o.need("type")
		switch kind := o.textOr("type", ""); kind {
		case "function":
			return oneCall, []string{functionName(o, flat)}
		case "allowed_tools":
			if inner := o.inner("allowed_tools"); inner != nil {
				o = inner
			}
			mode := o.textOr("mode", ToolsAuto)
			c := checker{}
			c.choice(o.at("mode"), mode, ToolsAuto, ToolsRequired)
			f.r.check(&c)
			list := o.list("tools")
			if len(list) == 0 {
				f.r.fail(invalid(o.at("tools"), "empty_array", "%q is empty.", o.at("tools")))
			}
			for i, v := range list {
				one := f.r.fields(v, item(o.at("tools"), i))
				if kind := one.textOr("type", "function"); kind != "function" {
					f.r.fail(notFunction(one, kind))
				}
				allowed = append(allowed, functionName(one, flat))
			}
			return mode, allowed
		default:
			f.r.fail(notFunction(o, kind))
		}
	default:
		f.r.wrong("tool_choice", v, "text or an object")
	}
	return "", nil
}

func notFunction(o *fields, kind string) *Error {
	return invalid(o.at("type"), "unsupported_value", "%q is %s: only functions can be chosen.", o.at("type"), quoted(kind))
}

// functionName reads a function's name, which chats have in an object of its own.
func functionName(o *fields, flat bool) string {
	inner := o.inner("function")
	switch {
	case inner != nil:
		return inner.needText("name")
	case !flat && o.value("name") == nil:
		o.r.fail(missing(o.at("function")))
	}
	return o.needText("name")
}

// oneCall is the choice of one call, of the only tool that is allowed.
const oneCall = "function"

// callsWanted is what a tool choice asks for.
type callsWanted struct {
	required, single bool
	allowed          []string // names; none: all
}

// wanted tells which calls the tool choice asks for.
func (q *ChatRequest) wanted() callsWanted {
	w := callsWanted{allowed: q.allowed, single: q.ParallelToolCalls != nil && !*q.ParallelToolCalls}
	switch q.ToolChoice {
	case "", ToolsAuto, ToolsNone:
	case ToolsRequired:
		w.required = true
	default:
		w.required, w.single = true, true
		if q.allowed == nil {
			w.allowed = []string{q.ToolChoice}
		}
	}
	return w
}

// checkTools holds tools and the choice among them to what can be.
func (q *ChatRequest) checkTools(c *checker) {
	names := map[string]bool{}
	for i, t := range q.Tools {
		if t.Name == "" {
			c.fail(missing(item("tools", i) + ".function.name"))
		}
		names[t.Name] = true
		c.schema(item("tools", i)+".function.parameters", t.Parameters)
	}
	w := q.wanted()
	if w.required && len(q.Tools) == 0 {
		c.fail(invalid("tool_choice", "invalid_value", `"tool_choice" asks for a call, but "tools" is empty.`))
	}
	for _, name := range w.allowed {
		if !names[name] {
			c.fail(invalid("tool_choice", "invalid_value", `"tool_choice" names %s, which is not among "tools".`, quoted(name)))
		}
	}
}
