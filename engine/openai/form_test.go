package openai_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

const point = `{"type": "object", "properties": {"z": {"type": "integer", "minimum": 0, "maximum": 99}, "a": {"enum": ["b", "c"]}}, "required": ["z", "a"], "additionalProperties": false}`

// isPoint checks a text against the schema, and its order.
func isPoint(t *testing.T, text string) {
	t.Helper()
	var p struct {
		Z *int
		A string
	}
	require.NoError(t, json.Unmarshal([]byte(text), &p), text)
	require.NotNil(t, p.Z)
	assert.Contains(t, []string{"b", "c"}, p.A)
	assert.Less(t, strings.Index(text, "z"), strings.Index(text, `"a"`), "names come in the schema's order")
}

// TestForms: whatever the model would say, a field that asks for a form has the answer keep to it, in chats, texts and responses.
func TestForms(t *testing.T) {
	matches := func(pattern string) func(*testing.T, string) {
		return func(t *testing.T, text string) { assert.Regexp(t, pattern, text) }
	}
	object := func(t *testing.T, text string) {
		var o map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &o), text)
	}
	for _, c := range []struct {
		field string
		check func(*testing.T, string)
	}{
		{`"response_format": {"type": "json_schema", "json_schema": {"name": "point", "strict": true, "schema": ` + point + `}}`, isPoint},
		{`"response_format": {"type": "json_schema", "json_schema": {"name": "point", "schema": ` + point + `}}`, isPoint},
		{`"response_format": {"type": "json_object", "schema": ` + point + `}`, isPoint},
		{`"response_format": {"type": "json_object", "schema": ` + string(must(json.Marshal(point))) + `}`, isPoint},
		{`"response_format": {"type": "json_schema", "schema": ` + point + `}`, isPoint},
		{`"grammar": "", "json_schema": ` + point, isPoint},
		{`"response_format": {"type": "json_object", "schema": {}}`, object},
		{`"response_format": {"type": "grammar", "grammar": "root ::= \"yes\""}`, matches(`^yes$`)},
		{`"response_format": {"type": "json_object"}`, object},
		{`"response_format": {"type": "json_schema", "json_schema": {"name": "any"}}`, object},
		{`"json_schema": ` + point, isPoint},
		{`"guided_json": ` + point, isPoint},
		{`"guided_json": ` + string(must(json.Marshal(point))), isPoint},
		{`"structured_outputs": {"json": ` + point + `, "regex": null, "json_object": null, "disable_fallback": false, "disable_any_whitespace": false, "whitespace_pattern": null}`, isPoint},
		{`"structured_outputs": {"json_object": true}`, object},
		{`"structured_outputs": {"choice": ["left", "right"]}`, matches(`^(left|right)$`)},
		{`"guided_choice": ["up \"and\\\n\tdown", "down\u0001"]`, matches("^(up \"and\\\\\n\tdown|down\x01)$")},
		{`"regex": "[a-c]{3}-[0-9]+x"`, matches(`^[a-c]{3}-[0-9]+x$`)},
		{`"guided_regex": "\"\\\\[a-c]\\n"`, matches(`^"\\[a-c]$`)},
		{`"structured_outputs": {"regex": "[a-c]{3}"}`, matches(`^[a-c]{3}$`)},
		{`"grammar": "root ::= \"yes\" | other\nother ::= \"no\" [!]{2}"`, matches(`^(yes|no!!)$`)},
		{`"guided_grammar": "root ::= \"yes\""`, matches(`^yes$`)},
		{`"grammar": "root ::= \"yes\" |"`, matches(`^(yes)?$`)},
	} {
		for _, template := range []string{openaitest.ChatML, thinking} {
			d := newDoor(t, template, says("Of course! Here it is: {}"))
			o := d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], `+c.field+`}`)
			require.Equal(t, "stop", at(o, "choices.0.finish_reason"))
			c.check(t, strings.TrimSuffix(at(o, "choices.0.message.content").(string), "\n"))
			assert.Nil(t, o["warnings"])
		}
		d := newDoor(t, "", says("Of course!"))
		o := d.post(t, "/v1/completions", `{"prompt": "?", "max_tokens": 1000, `+c.field+`}`)
		c.check(t, strings.TrimSuffix(at(o, "choices.0.text").(string), "\n"))
	}
	d := newDoor(t, thinking, says("Of course!"))
	format := `{"format": {"type": "json_schema", "name": "point", "strict": true, "schema": ` + point + `}}`
	o := d.post(t, "/v1/responses", `{"input": "?", "text": `+format+`}`)
	output := o["output"].([]any)
	isPoint(t, at(output[len(output)-1], "content.0.text").(string))
	assert.JSONEq(t, format, write(t, o["text"]))
	o = d.post(t, "/v1/responses", `{"input": "?", "reasoning_format": "none", "text": {"format": {"type": "grammar", "grammar": "root ::= \"yes\""}}}`)
	assert.Equal(t, "yes", at(o, "output.0.content.0.text"))
	o = d.post(t, "/v1/responses", `{"input": "?", "response_format": {"type": "text"}}`) // which asks for nothing
	assert.Len(t, o["warnings"], 1)
}

// TestWrongForms: what is wrong is told in the request's own words, whether the model thinks or not.
func TestWrongForms(t *testing.T) {
	for body, told := range map[string]string{
		`"grammar": "answer ::= \"a\""`:           `"grammar" cannot be held to: the rule root is not defined.`,
		`"grammar": "root ::= other"`:             `"grammar" cannot be held to: line 1, column 10: the rule other is not defined.`,
		`"regex": "ab(?=c)"`:                      `"regex" cannot be held to: character 3: looking ahead or back, (?=, is not supported.`,
		`"guided_json": {"properties": {"a": 1}}`: `"guided_json" cannot be held to: #/properties/a: a schema must be an object, true or false.`,
	} {
		for _, template := range []string{openaitest.ChatML, thinking} {
			d := newDoor(t, template, says("No."))
			a := d.call(t, "POST", "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], `+body+`}`)
			assert.Equal(t, 400, a.Status)
			assert.Equal(t, told, at(parse(t, a.Body), "error.message"))
		}
	}
}

// TestFormFails: what turns out of a form amid its answer is told as what is known before, streamed or not.
func TestFormFails(t *testing.T) {
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"messages": [{"role": "user", "content": "?"}], "regex": "a+"`,
		"/v1/completions":      `{"prompt": "?", "regex": "a+"`,
	} {
		d := newDoor(t, openaitest.ChatML, says("aaaa"))
		d.models.FailAfter, d.models.Err = 2, &grammar.Error{Kind: grammar.Regex, Text: "it is read in too many ways"}
		const told = `"regex" cannot be held to: it is read in too many ways.`
		a := d.call(t, "POST", path, body+"}")
		assert.Equal(t, []any{400, told}, []any{a.Status, at(parse(t, a.Body), "error.message")})
		events := d.events(t, path, body+`, "stream": true}`)
		assert.Equal(t, told, at(events[len(events)-1], "error.message"))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// TestFormThinks: what the model thinks comes before, and stays apart; where the prompt has opened or closed it, it goes on or does not come.
func TestFormThinks(t *testing.T) {
	const body = `{"messages": [{"role": "user", "content": "?"}], "regex": "[a-c]{3}"}`
	said := "<think>Let me see: \"{</think>\n\nabc"
	d := newDoor(t, thinking, func(string, int) string { return said })
	message := at(d.post(t, "/v1/chat/completions", body), "choices.0.message")
	assert.Equal(t, []any{"Let me see: \"{", "abc"}, []any{at(message, "reasoning_content"), at(message, "content")})
	said = "abc"
	message = at(d.post(t, "/v1/chat/completions", body), "choices.0.message")
	assert.Equal(t, []any{nil, "abc"}, []any{at(message, "reasoning_content"), at(message, "content")})

	opens := strings.Replace(thinking, "assistant\n{% endif %}", "assistant\n<think>\n{% endif %}", 1)
	require.NotEqual(t, thinking, opens)
	d = newDoor(t, opens, func(string, int) string { return said })
	said = "Let me see.</think>bca"
	message = at(d.post(t, "/v1/chat/completions", body), "choices.0.message")
	assert.Equal(t, []any{"Let me see.", "bca"}, []any{at(message, "reasoning_content"), at(message, "content")})
	said = "bca" // which is no end of what it thinks
	message = at(d.post(t, "/v1/chat/completions", body), "choices.0.message")
	assert.Regexp(t, "^[a-c]{3}$", at(message, "content"))

	d = newDoor(t, strings.Replace(opens, "<think>\n{% endif %}", "<think>\n\n</think>\n\n{% endif %}", 1), func(string, int) string { return said })
	message = at(d.post(t, "/v1/chat/completions", body), "choices.0.message")
	assert.Equal(t, []any{nil, "bca"}, []any{at(message, "reasoning_content"), at(message, "content")})

	d = newDoor(t, thinking, says("Hm."))
	message = at(d.post(t, "/v1/chat/completions", strings.TrimSuffix(body, "}")+`, "reasoning_format": "none"}`), "choices.0.message")
	assert.Regexp(t, "^[a-c]{3}$", at(message, "content"))

	d = newDoor(t, opens, says("</think>\n\nabcabcabc"))
	message = at(d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "regex": "[a-c]{9}", "reasoning_format": "none"}`), "choices.0.message")
	assert.Equal(t, []any{nil, "abcabcabc"}, []any{at(message, "reasoning_content"), at(message, "content")}, "what the prompt has begun ends at once")
	d = newDoor(t, openaitest.ChatML, says("<|channel|>final<|message|>abcabcabc"))
	message = at(d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "regex": "[a-c]{9}", "reasoning_format": "none", "tool_format": "harmony"}`), "choices.0.message")
	assert.Equal(t, []any{nil, "abcabcabc"}, []any{at(message, "reasoning_content"), at(message, "content")}, "the answer has its channel")

	// Beside tools, too, nothing but the form is left where no thoughts are wanted, whatever the prompt has begun.
	d = newDoor(t, opens, says("Let me see.</think>{}"))
	beside := `{"messages": [{"role": "user", "content": "?"}], "reasoning_format": "none", "tools": [` + dated + `], "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"const": 5}}}`
	for _, format := range []string{`}`, `, "tool_format": "mistral"}`} {
		message = at(d.post(t, "/v1/chat/completions", beside+format), "choices.0.message")
		if at(message, "tool_calls") == nil {
			assert.Equal(t, "5", at(message, "content"))
		} else {
			assert.Nil(t, at(message, "content"))
		}
	}
}

const dated = `{"type": "function", "function": {"name": "date", "parameters": {"type": "object", "properties": {"day": {"type": "integer", "minimum": 1, "maximum": 31}}, "required": ["day"], "additionalProperties": false}}}`

// TestForcedCalls: with a tool choice that asks for a call there is one, of a tool that may be called, whatever the model would say.
func TestForcedCalls(t *testing.T) {
	for _, c := range []struct {
		choice string
		names  []string
		single bool
	}{
		{`"required"`, []string{"weather", "date"}, false},
		{`"required", "parallel_tool_calls": false`, []string{"weather", "date"}, true},
		{`"required", "response_format": {"type": "json_schema", "json_schema": {"name": "point", "schema": ` + point + `}}`, []string{"weather", "date"}, false}, // which is for messages
		{`{"type": "function", "function": {"name": "date"}}`, []string{"date"}, true},
		{`{"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "date"}}]}}`, []string{"date"}, false},
	} {
		for _, format := range []string{"", `, "tool_format": "mistral"`, `, "tool_format": "qwen3-coder"`, `, "tool_format": "pythonic"`} {
			d := newDoor(t, openaitest.ChatML, says("I would rather not."))
			o := d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "n": 3, "tools": [`+weather+`, `+dated+`], "tool_choice": `+c.choice+format+`}`)
			for _, choice := range o["choices"].([]any) {
				assert.Equal(t, "tool_calls", at(choice, "finish_reason"))
				assert.Nil(t, at(choice, "message.content"))
				calls := at(choice, "message.tool_calls").([]any)
				require.NotEmpty(t, calls)
				if c.single {
					require.Len(t, calls, 1)
				}
				for _, call := range calls {
					require.Contains(t, c.names, at(call, "function.name"))
					arguments := parse(t, []byte(at(call, "function.arguments").(string)))
					if at(call, "function.name") == "date" {
						day := arguments["day"].(float64)
						assert.True(t, 1 <= day && day <= 31 && day == float64(int(day)), "%v", day)
					}
				}
			}
		}
	}
	d := newDoor(t, openaitest.ChatML, says("I would rather not."))
	o := d.post(t, "/v1/responses", `{"input": "?", "tools": [`+flatWeather+`], "tool_choice": {"type": "function", "name": "weather"}}`)
	assert.Equal(t, "function_call", at(o, "output.0.type"))
	events := d.events(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "stream": true, "tools": [`+dated+`], "tool_choice": "required"}`)
	arguments := ""
	for _, e := range events {
		if text, ok := at(e, "choices.0.delta.tool_calls.0.function.arguments").(string); ok {
			arguments += text
		}
	}
	assert.NotNil(t, parse(t, []byte(arguments[:strings.Index(arguments, "}")+1]))["day"])

	// A format that the request names is written as the template writes it.
	d = newDoor(t, openaitest.ChatML+"{# [ARGS] #}", says("[TOOL_CALLS]date[ARGS]{\"day\": 5}"))
	o = d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "tools": [`+dated+`], "tool_choice": "required", "tool_format": "mistral"}`)
	assert.Equal(t, `{"day": 5}`, at(o, "choices.0.message.tool_calls.0.function.arguments"))

	// A model whose syntax is not known is asked to be told.
	d = newDoor(t, "{% for message in messages %}{{ message.content }}{% endfor %}", says("No."))
	a := d.call(t, "POST", "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "tools": [`+dated+`], "tool_choice": "required"}`)
	assert.Equal(t, 400, a.Status)
	assert.Contains(t, string(a.Body), "tool_format")
}

// TestStrictTools: where the model decides, it may answer; calls of strict tools keep to their schemas.
func TestStrictTools(t *testing.T) {
	strict := strings.Replace(dated, `"name": "date"`, `"name": "date", "strict": true`, 1)
	body := `{"messages": [{"role": "user", "content": "?"}], "tools": [` + strict + `]}`
	said := "It is \"Monday\" {today}."
	d := newDoor(t, openaitest.ChatML, func(string, int) string { return said })
	o := d.post(t, "/v1/chat/completions", strings.TrimSuffix(body, "}")+`, "tool_choice": ""}`)
	assert.Equal(t, said, at(o, "choices.0.message.content"))
	assert.Nil(t, o["warnings"])
	said = "Well.\n<tool_call>\n{\"name\": \"date\", \"arguments\": {\"day\": 12}}\n</tool_call>"
	o = d.post(t, "/v1/chat/completions", body)
	assert.Equal(t, []any{"Well.", `{"day": 12}`}, []any{at(o, "choices.0.message.content"), at(o, "choices.0.message.tool_calls.0.function.arguments")})
	said = "Well.\n<tool_call>\n{\"name\": \"date\", \"arguments\": {\"day\": 32}}\n</tool_call>" // which is not allowed
	o = d.post(t, "/v1/chat/completions", body)
	assert.NotContains(t, write(t, at(o, "choices")), "32")

	// A form goes with tools that may be called, not with those that must be.
	said = `{"z": 5, "a": "b"}`
	both := strings.TrimSuffix(body, "}") + `, "response_format": {"type": "json_schema", "json_schema": {"name": "point", "schema": ` + point + `}}}`
	o = d.post(t, "/v1/chat/completions", both)
	assert.Equal(t, said, at(o, "choices.0.message.content"))
	said = "<tool_call>\n{\"name\": \"date\", \"arguments\": {\"day\": 12}}\n</tool_call>"
	o = d.post(t, "/v1/chat/completions", both)
	assert.Equal(t, "date", at(o, "choices.0.message.tool_calls.0.function.name"))
}

// TestTypedForms: what Go asks by types is what a body asks.
func TestTypedForms(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("No."))
	var asked []*generation.Grammar
	d.models.Ask = func(r generation.Request) { asked = append(asked, r.Grammar) }
	q := func() *openai.ChatRequest {
		return &openai.ChatRequest{Messages: []openai.Message{{Role: "user", Content: "?"}}}
	}
	schema := q()
	schema.ResponseFormat = &openai.ResponseFormat{Type: "json_schema", JSONSchema: &openai.JSONSchema{Name: "x", Schema: json.RawMessage(point)}}
	regex := q()
	regex.Grammar = &generation.Grammar{Kind: generation.Regex, Source: "[a-c]"}
	forced := q()
	forced.Tools, forced.ToolChoice = []openai.Tool{{Name: "now"}, {Name: "later"}}, "later"
	for _, request := range []*openai.ChatRequest{schema, regex, forced} {
		_, err := d.ChatCompletion(t.Context(), request)
		require.NoError(t, err)
	}
	require.Len(t, asked, 3)
	assert.JSONEq(t, point, asked[0].Source)
	assert.Equal(t, generation.Grammar{Kind: generation.Regex, Source: "[a-c]"}, *asked[1])
	assert.Contains(t, asked[2].Source, "later")
	assert.NotContains(t, asked[2].Source, "now")
	missing := q()
	missing.ResponseFormat = &openai.ResponseFormat{Type: "json_schema"}
	_, err := d.ChatCompletion(t.Context(), missing)
	assert.ErrorContains(t, err, "response_format.json_schema")
	deep := `{"const":` + strings.Repeat("[", 700) + strings.Repeat("]", 700) + `}`
	d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "guided_json": `+deep+`}`)
	assert.Equal(t, deep, asked[3].Source)
	bad := map[string]any{"maximum": math.NaN()} // what cannot be written is refused, never left out
	schema.ResponseFormat.JSONSchema.Schema = bad
	_, err = d.ChatCompletion(t.Context(), schema)
	assert.ErrorContains(t, err, `"response_format.json_schema.schema" is no JSON`)
	forced.Tools[1].Parameters = bad
	_, err = d.ChatCompletion(t.Context(), forced)
	assert.ErrorContains(t, err, `"tools[1].function.parameters" is no JSON`)
}
