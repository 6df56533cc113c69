package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

const flatWeather = `{"type": "function", "name": "weather", "description": "Tells the weather.", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}, "strict": false}`

const thinking = openaitest.ChatML + "{#<think></think>#}"

const answerWithCall = `<think>Hm.</think>Well.<tool_call>{"name": "weather", "arguments": {"city": "Aarhus"}}</tool_call>`

func TestResponse(t *testing.T) {
	var asked string
	d := newDoor(t, thinking, func(prompt string, _ int) string {
		asked = prompt
		return answerWithCall
	})
	o := d.post(t, "/v1/responses", `{"input": "Weather?", "instructions": "Be brief.", "tools": [`+flatWeather+`], "metadata": {"a": "b"}, "temperature": 0.5, "store": false, "reasoning": {"effort": "low"}}`)
	assert.Contains(t, asked, "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWeather?<|im_end|>")
	assert.Contains(t, asked, `Tools: [{"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters":`)
	assert.Equal(t, []any{"response", "completed", nil, nil, "Be brief.", "kite-1", 0.5, false, object{"a": "b"}, object{"effort": "low"}, "auto", "disabled"},
		[]any{o["object"], o["status"], o["error"], o["incomplete_details"], o["instructions"], o["model"], o["temperature"], o["store"], o["metadata"], o["reasoning"], o["tool_choice"], o["truncation"]})
	output := o["output"].([]any)
	require.Len(t, output, 3)
	for _, item := range output {
		assert.NotEmpty(t, at(item, "id"))
		assert.Equal(t, "completed", at(item, "status"))
	}
	assert.Equal(t, []any{"reasoning", []any{}, []any{object{"type": "reasoning_text", "text": "Hm."}}}, []any{at(output[0], "type"), at(output[0], "summary"), at(output[0], "content")})
	assert.Equal(t, []any{"message", "assistant", []any{object{"type": "output_text", "text": "Well.", "annotations": []any{}, "logprobs": []any{}}}},
		[]any{at(output[1], "type"), at(output[1], "role"), at(output[1], "content")})
	assert.Equal(t, []any{"function_call", "weather"}, []any{at(output[2], "type"), at(output[2], "name")})
	assert.JSONEq(t, `{"city": "Aarhus"}`, at(output[2], "arguments").(string))
	assert.NotEmpty(t, at(output[2], "call_id"))
	assert.NotEqual(t, at(output[2], "id"), at(output[2], "call_id"))
	assert.Equal(t, at(o, "usage.input_tokens").(float64)+at(o, "usage.output_tokens").(float64), at(o, "usage.total_tokens"))

	d.models.Say = says("It flies.")
	o = d.post(t, "/v1/responses", `{"input": "?", "max_output_tokens": 2}`)
	assert.Equal(t, []any{"incomplete", "max_output_tokens", "It"}, []any{o["status"], at(o, "incomplete_details.reason"), at(o, "output.0.content.0.text")})
}

// TestResponseTruncation: with "auto" a conversation that is longer than the context loses its oldest turns, and neither instructions nor the last.
func TestResponseTruncation(t *testing.T) {
	var asked string
	d := newDoor(t, openaitest.ChatML, func(prompt string, _ int) string {
		asked = prompt
		return "Well."
	})
	request := func(turns, words int, more string) string {
		var items []string
		for i := range turns {
			items = append(items, fmt.Sprintf(`{"role": "user", "content": "question %d %s"}, {"role": "assistant", "content": "answer %d"}`, i, strings.Repeat("word ", words), i))
		}
		return `{"instructions": "Be brief.", "input": [` + strings.Join(items, ", ") + `, {"role": "user", "content": "The last?"}]` + more + `}`
	}
	const auto = `, "truncation": "auto"`
	for _, stream := range []string{"", `, "stream": true`} {
		for _, words := range []int{40, 20_000} { // the second: a turn alone has more bytes than the context can hold
			body := request(30, words, auto+stream)
			var o object
			if stream == "" {
				o = d.post(t, "/v1/responses", body)
			} else {
				events := d.events(t, "/v1/responses", body)
				o = at(events[len(events)-1], "response").(object)
			}
			assert.Equal(t, "auto", o["truncation"])
			require.Len(t, o["warnings"], 1)
			assert.Contains(t, at(o, "warnings.0"), `"truncation": the conversation is longer than the context, its oldest messages (`)
			assert.True(t, strings.HasPrefix(asked, "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n"), asked[:60])
			assert.True(t, strings.HasSuffix(asked, "<|im_start|>user\nThe last?<|im_end|>\n<|im_start|>assistant\n"))
			assert.NotContains(t, asked, "question 0 ")
			assert.Equal(t, words == 40, strings.Contains(asked, "question 29 "))
		}
	}
	o := d.post(t, "/v1/responses", request(2, 4, auto))
	assert.Nil(t, o["warnings"])
	assert.Contains(t, asked, "question 0 ")
	for _, body := range []string{request(30, 40, ""), request(30, 40, `, "truncation": "disabled"`), `{"input": "` + strings.Repeat("word ", 1000) + `"` + auto + `}`,
		`{"input": "` + strings.Repeat("word ", 20_000) + `"` + auto + `}`} {
		a := d.call(t, "POST", "/v1/responses", body)
		assert.Equal(t, 400, a.Status)
		assert.Equal(t, "context_length_exceeded", at(parse(t, a.Body), "error.code"))
	}
}

// TestResponseItems: a conversation's items become its messages.
func TestResponseItems(t *testing.T) {
	var asked string
	d := newDoor(t, strings.Replace(thinking, "{{ message.content", "{{ message.reasoning_content }}{{ message.content", 1), func(prompt string, _ int) string {
		asked = prompt
		return "Sunny."
	})
	o := d.post(t, "/v1/responses", `{"tools": [`+flatWeather+`], "input": [
		{"role": "user", "content": "Weather?"},
		{"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
		{"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": "Well.", "annotations": [], "logprobs": []}]},
		{"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_1", "name": "weather", "arguments": "{\"city\": \"A\"}"},
		{"type": "function_call", "call_id": "call_2", "name": "weather", "arguments": "{\"city\": \"B\"}"},
		{"type": "function_call_output", "call_id": "call_1", "output": "sun"},
		{"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "rain"}]},
		{"role": "user", "content": [{"type": "input_text", "text": "And?"}]}]}`)
	_, conversation, _ := strings.Cut(asked, "user\n")
	assert.Equal(t, `Weather?<|im_end|>
<|im_start|>assistant
Hm.Well.<tool_call>{"name": "weather", "arguments": {"city": "A"}}</tool_call><tool_call>{"name": "weather", "arguments": {"city": "B"}}</tool_call><|im_end|>
<|im_start|>tool
sun<|im_end|>
<|im_start|>tool
rain<|im_end|>
<|im_start|>user
And?<|im_end|>
<|im_start|>assistant
`, conversation)
	assert.Nil(t, o["warnings"])
}

// TestResponseStream: events come in order, and tell of the response that the whole answer is.
func TestResponseStream(t *testing.T) {
	d := newDoor(t, thinking, says(answerWithCall))
	body := `{"input": "Weather?", "tools": [` + flatWeather + `]`
	whole := d.post(t, "/v1/responses", body+`}`)
	events := d.events(t, "/v1/responses", body+`, "stream": true}`)
	var kinds []string
	texts := map[any]string{} // by event and item
	open := map[any]object{}
	for i, e := range events {
		assert.Equal(t, float64(i), e["sequence_number"])
		kind := e["type"].(string)
		if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
			kinds = append(kinds, kind)
		}
		switch {
		case kind == "response.output_item.added":
			assert.Equal(t, float64(len(open)), e["output_index"])
			assert.Equal(t, "in_progress", at(e, "item.status"))
			open[e["output_index"]] = e["item"].(object)
		case strings.HasSuffix(kind, ".delta"):
			texts[e["output_index"]] += e["delta"].(string)
			assert.Equal(t, open[e["output_index"]]["id"], e["item_id"])
		case strings.HasSuffix(kind, "text.done"):
			assert.Equal(t, texts[e["output_index"]], e["text"])
		case strings.HasSuffix(kind, "arguments.done"):
			assert.Equal(t, texts[e["output_index"]], e["arguments"])
			assert.Equal(t, "weather", e["name"])
		case kind == "response.content_part.done":
			assert.Equal(t, texts[e["output_index"]], at(e, "part.text"))
		case kind == "response.output_item.done":
			assert.Equal(t, "completed", at(e, "item.status"))
		}
	}
	assert.Equal(t, []string{"response.created", "response.in_progress",
		"response.output_item.added", "response.content_part.added", "response.reasoning_text.delta", "response.reasoning_text.done", "response.content_part.done", "response.output_item.done",
		"response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done",
		"response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
		"response.completed"}, kinds)
	assert.Equal(t, []any{}, at(events[0], "response.output"))
	last := events[len(events)-1]["response"].(object)
	assert.Equal(t, plainly(whole), plainly(last))
}

// plainly is a response without what is new each time.
func plainly(response object) object {
	response = clone(response)
	delete(response, "id")
	for _, item := range response["output"].([]any) {
		delete(item.(object), "id")
		delete(item.(object), "call_id")
	}
	return response
}

func clone(o object) object {
	c := object{}
	for name, value := range o {
		c[name] = value
	}
	return c
}

// TestTypedResponse: what Go asks by types is what a body asks.
func TestTypedResponse(t *testing.T) {
	var asked string
	d := newDoor(t, openaitest.ChatML, func(prompt string, _ int) string {
		asked = prompt
		return "It flies."
	})
	q := &openai.ResponseRequest{Instructions: "Be brief.", ChatRequest: openai.ChatRequest{Messages: []openai.Message{{Role: "user", Content: "What is a kite?"}}}}
	r, err := d.Response(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, "It flies.", r.Output[0].Content[0].Text)
	typed := asked
	a := d.call(t, "POST", "/v1/responses", `{"instructions": "Be brief.", "input": "What is a kite?"}`)
	assert.Equal(t, asked, typed)
	assert.Contains(t, asked, "system\nBe brief.")
	assert.Equal(t, header(a, openai.HeaderPrefix), []string{q.Prefix()})
	q.Messages[0].Role = "fox"
	_, err = d.Response(t.Context(), q)
	var refused *openai.Error
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Param, "input[")
}
