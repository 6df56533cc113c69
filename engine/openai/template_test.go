package openai_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestCallsInTemplates: an assistant's calls reach a template in the form that it shows them in. The templates are what published
// models' boil down to.
func TestCallsInTemplates(t *testing.T) {
	const calls = `{%- for m in messages %}[{{ m.role }}]{% if m.tool_calls %}`
	const rest = `{% else %}{{ m.content }}{% endif %}{% endfor %}`
	for name, c := range map[string]struct{ template, want string }{
		"an object":                {calls + `{% for c in m.tool_calls %}<{{ c.function.name }} {{ c.function.arguments | tojson }}>{% endfor %}` + rest, `<weather {"b": [1, 2.5], "a": "x"}>`},
		"an object's items":        {calls + `{% for c in m.tool_calls %}<{{ c.function.name }}{% for k, v in c.function.arguments | items %} {{ k }}={{ v }}{% endfor %}>{% endfor %}` + rest, `<weather b=[1, 2.5] a=x>`},
		"a text":                   {calls + `{% for c in m.tool_calls %}<{{ c.function.name + ' ' + c.function.arguments }}>{% endfor %}` + rest, `<weather {"b": [1, 2.50],  "a": "x"}>`},
		"a text, which shows both": {calls + `{% for c in m.tool_calls %}<{{ c.function.name }} {{ c.function.arguments }}>{% endfor %}` + rest, `<weather {"b": [1, 2.50],  "a": "x"}>`},
		"either":                   {calls + `{% for c in m.tool_calls %}<{{ c.function.name }} {{ c.function.arguments if c.function.arguments is string else c.function.arguments | tojson }}>{% endfor %}` + rest, `<weather {"b": [1, 2.5], "a": "x"}>`},
		"no content":               {calls + `{% if m.content is none %}{% for c in m.tool_calls %}<{{ c.function.name }} {{ c.function.arguments | tojson }}>{% endfor %}{% endif %}` + rest, `<weather {"b": [1, 2.5], "a": "x"}>`},
		"an empty content":         {calls + `{{ m.content + '' }}{% for c in m.tool_calls %}<{{ c.function.name }} {{ c.function.arguments | tojson }}>{% endfor %}` + rest, `<weather {"b": [1, 2.5], "a": "x"}>`},
		"empty unless the last":    {calls + `{{ m.content if loop.last else m.content.strip() }}{% for c in m.tool_calls %}<{{ c.function.name }} {{ c.function.arguments | tojson }}>{% endfor %}` + rest, `<weather {"b": [1, 2.5], "a": "x"}>`},
		"none shown":               {`{%- for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}`, `[{"name":"weather","arguments":{"b": [1, 2.50],  "a": "x"}}]`},
		"as LFM2 has them":         {`{#<|tool_list_start|>#}{%- for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}`, `<|tool_call_start|>[weather(b=[1, 2.50], a="x")]<|tool_call_end|>`},
	} {
		d := newDoor(t, c.template, nil)
		o := d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "Weather?"},
			{"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"b\": [1, 2.50],  \"a\": \"x\"}"}}]},
			{"role": "tool", "tool_call_id": "c1", "content": "sun"}]}`)
		assert.Equal(t, "[user]Weather?[assistant]"+c.want+"[tool]sun", o["prompt"], name)
	}
}

// TestRoles: a template that knows no developer has a system, and one that knows no system has its words from the user.
func TestRoles(t *testing.T) {
	const body = `{"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Why?"}]}`
	shown := `{%- for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}`
	for template, want := range map[string]string{
		shown:                   "[system]Be brief.[user]Why?",
		shown + "{#developer#}": "[developer]Be brief.[user]Why?",
		`{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}` + shown: "[user]Be brief.\n\nWhy?",
	} {
		assert.Equal(t, want, newDoor(t, template, nil).post(t, "/apply-template", body)["prompt"])
	}
	a := newDoor(t, `{{ raise_exception('nothing goes') }}`, nil).call(t, "POST", "/apply-template", body)
	assert.Equal(t, 400, a.Status)
	assert.Contains(t, at(parse(t, a.Body), "error.message"), "nothing goes")
}

// TestToolNames: an answer of a tool has its function's name, which some templates ask for.
func TestToolNames(t *testing.T) {
	d := newDoor(t, `{%- for m in messages %}[{{ m.role }} {{ m.name }}]{% endfor %}`, nil)
	o := d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?", "name": "ann"},
		{"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
		{"role": "tool", "tool_call_id": "c1", "content": "sun"}, {"role": "tool", "tool_call_id": "c1", "name": "given", "content": "sun"}]}`)
	assert.Equal(t, "[user ann][assistant ][tool weather][tool given]", o["prompt"])
}

// TestSystemTools: tools reach a template that looks for them in the system's message.
func TestSystemTools(t *testing.T) {
	d := newDoor(t, `{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none %}<tools>{{ message['tools'] }}</tools>{% endif %}{% endfor %}`, nil)
	const tools = `"tools": [{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]`
	const shown = `<tools>[{"name":"now","parameters":{"type":"object","properties":{}}}]</tools><user>Hi`
	assert.Equal(t, "<system>Be brief."+shown, d.post(t, "/apply-template", `{`+tools+`, "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}`)["prompt"])
	assert.Equal(t, "<system>"+shown, d.post(t, "/apply-template", `{`+tools+`, "messages": [{"role": "user", "content": "Hi"}]}`)["prompt"])
	assert.Equal(t, "<user>Hi", d.post(t, "/apply-template", `{`+tools+`, "tool_choice": "none", "messages": [{"role": "user", "content": "Hi"}]}`)["prompt"])
}
