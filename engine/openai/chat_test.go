package openai_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/openai"
	"quire/engine/openai/openaitest"
	"quire/engine/sample"
)

const weather = `{"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}`

func TestChat(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("A kite flies."))
	var asked string
	d.models.Say = func(prompt string, _ int) string {
		asked = prompt
		return "A kite flies."
	}
	a := d.call(t, "POST", "/v1/chat/completions", `{"model": "kite-1", "messages": [
		{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "What is"}, {"type": "text", "text": "a kite?"}]}]}`)
	require.Equal(t, 200, a.Status, "%s", a.Body)
	assert.Equal(t, []string{"application/json"}, header(a, "Content-Type"))
	o := parse(t, a.Body)
	assert.Equal(t, "chat.completion", o["object"])
	assert.Equal(t, "kite-1", o["model"])
	assert.Equal(t, 1800000000.0, o["created"])
	assert.True(t, strings.HasPrefix(o["id"].(string), "chatcmpl-"))
	assert.Equal(t, []any{object{"index": 0.0, "logprobs": nil, "finish_reason": "stop", "message": object{"role": "assistant", "content": "A kite flies.", "refusal": nil}}}, o["choices"])
	assert.NotContains(t, o, "warnings")
	assert.Contains(t, asked, "<|im_start|>system\nBe brief.<|im_end|>", "a template that knows no developer has a system")
	assert.True(t, strings.HasSuffix(asked, "<|im_start|>assistant\n"), asked)

	prompt := at(o, "usage.prompt_tokens").(float64)
	assert.Equal(t, object{"prompt_tokens": prompt, "completion_tokens": 14.0, "total_tokens": prompt + 14,
		"prompt_tokens_details": object{"cached_tokens": float64(int(prompt) / 16 * 16)}, "completion_tokens_details": object{"reasoning_tokens": 0.0}}, o["usage"])
}

// TestChatRequest: what a body asks is what the engine is asked.
func TestChatRequest(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("Yes."))
	var got generation.Request
	d.models.Ask = func(r generation.Request) { got = r }
	ask := func(fields string) generation.Request {
		t.Helper()
		d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}]`+fields+`}`)
		return got
	}
	r := ask(``)
	assert.Zero(t, r.MaxTokens)
	assert.Equal(t, d.models.About().Defaults.Temperature, r.Sample.Temperature)
	r = ask(`, "max_tokens": 5, "max_completion_tokens": 7, "seed": -1, "temperature": 0.5, "top_p": 0.25, "top_k": 3, "min_p": 0.125, "n": 2, "stop": "x"`)
	assert.Equal(t, 7, r.MaxTokens)
	assert.Equal(t, ^uint64(0), r.Sample.Seed)
	assert.Equal(t, []any{0.5, 0.25, 3, 0.125}, []any{r.Sample.Temperature, r.Sample.TopP, r.Sample.TopK, r.Sample.MinP})
	assert.Equal(t, []any{2, []string{"x"}}, []any{r.N, r.Stop})
	r = ask(`, "max_tokens": 5, "top_k": -1, "best_of": 3, "stop": ["x", "y"], "user": "ann", "cache_salt": "s", "priority": -2, "min_tokens": 1, "ignore_eos": true, "n_predict": 3`)
	assert.Equal(t, []any{5, 0, 3, []string{"x", "y"}, "ann", "s", -2, 1, true}, []any{r.MaxTokens, r.Sample.TopK, r.BestOf, r.Stop, r.Tenant, r.Salt, r.Priority, r.MinTokens, r.IgnoreEnd})
	r = ask(`, "presence_penalty": 1, "frequency_penalty": -1, "repeat_penalty": 1.5, "logit_bias": {"97": -100, "98": 2.5}, "dry_multiplier": 0.5, "dry_penalty_last_n": -1, "dry_sequence_breakers": ["."]`)
	assert.Equal(t, []any{1.0, -1.0, 1.5, map[int32]float64{97: -100, 98: 2.5}}, []any{r.Sample.PresencePenalty, r.Sample.FrequencyPenalty, r.Sample.RepetitionPenalty, r.Sample.LogitBias})
	dry := sample.NewDRY(0.5)
	dry.Breakers = []string{"."}
	assert.Equal(t, dry, r.Sample.DRY)
	r = ask(`, "dry_multiplier": 0.5, "dry_penalty_last_n": 0`)
	assert.False(t, r.Sample.DRY.On(), "no tokens are looked at")
	r = ask(`, "dry_multiplier": 2, "dry_base": 3, "dry_allowed_length": 4, "dry_penalty_last_n": 5, "repetition_penalty": 2, "repeat_penalty": 3`)
	assert.Equal(t, []any{2.0, 3.0, 4, 5, 2.0}, []any{r.Sample.DRY.Multiplier, r.Sample.DRY.Base, r.Sample.DRY.AllowedLength, r.Sample.DRY.Range, r.Sample.RepetitionPenalty})
	r = ask(`, "lora": ["kites", {"name": "kites", "scale": 0.5}], "deadline": 60, "logprobs": true, "top_logprobs": 4, "temperature": null, "stop": null`)
	assert.Equal(t, []generation.LoRA{{Adapter: 7, Scale: 1}, {Adapter: 7, Scale: 0.5}}, r.LoRA)
	assert.Equal(t, int64(1800000060), r.Deadline.Unix())
	assert.Equal(t, 4, r.Sample.Logprobs)
}

func TestChatStream(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, func(_ string, choice int) string { return []string{"One é.", "Two"}[choice] })
	events := d.events(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "stream": true, "n": 2, "stream_options": {"include_usage": true}}`)
	texts, roles, reasons := [2]string{}, [2]any{}, [2]any{}
	var ended []int
	for _, e := range events[:len(events)-1] {
		assert.Equal(t, events[0]["id"], e["id"])
		assert.Equal(t, "chat.completion.chunk", e["object"])
		assert.Contains(t, e, "usage", "what was asked for and comes later is null")
		assert.Nil(t, e["usage"])
		choice := at(e, "choices.0").(object)
		i := int(choice["index"].(float64))
		assert.Nil(t, reasons[i], "a chunk after the choice's end")
		if role := at(choice, "delta.role"); role != nil {
			assert.Empty(t, texts[i])
			roles[i] = role
		}
		if content, ok := at(choice, "delta.content").(string); ok {
			texts[i] += content
		}
		if reasons[i] = choice["finish_reason"]; reasons[i] != nil {
			ended = append(ended, i)
			assert.True(t, i == 0 || len(texts[0]) < len("One é."), "the shorter one's end is told as it comes")
		}
	}
	assert.Equal(t, []int{1, 0}, ended)
	assert.Equal(t, [2]string{"One é.", "Two"}, texts)
	assert.Equal(t, [2]any{"assistant", "assistant"}, roles)
	assert.Equal(t, [2]any{"stop", "stop"}, reasons)
	last := events[len(events)-1]
	assert.Equal(t, []any{}, last["choices"])
	assert.Equal(t, float64(len("One é.")+1+4), at(last, "usage.completion_tokens"))
	for _, e := range d.events(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "stream": true, "n": 2}`) {
		assert.NotContains(t, e, "usage", "nobody asked")
	}
}

// TestChatForms: a stream's deltas joined are the whole answer.
// Every call has an id, unless its door has told one.
func TestID(t *testing.T) {
	d := newDoor(t, "", nil)
	seen := map[string]bool{}
	for _, path := range []string{"/v1/models", "/v1/models", "/health", "/v1/nothing"} {
		ids := header(d.call(t, "GET", path, ""), openai.HeaderID)
		require.Len(t, ids, 1, path)
		assert.Regexp(t, `^req_\w{24}$`, ids[0])
		assert.False(t, seen[ids[0]], "%s twice", ids[0])
		seen[ids[0]] = true
	}
	assert.Empty(t, header(d.Handle(context.Background(), openai.Call{Method: "GET", Path: "/health", ID: "req_1"}), openai.HeaderID))
}

// What an assistant refused to say is what it said.
func TestRefusals(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("It flies."))
	want := at(d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": [{"type": "text", "text": "I must not."}]}]}`), "prompt")
	assert.Contains(t, want, "I must not.")
	got := at(d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": [{"type": "refusal", "refusal": "I must not."}]}]}`), "prompt")
	assert.Equal(t, want, got)
	d.post(t, "/v1/responses", `{"input": [{"role": "user", "content": "?"}, {"role": "assistant", "content": [{"type": "refusal", "refusal": "I must not."}]}, {"role": "user", "content": "?"}]}`)
}

func TestChatForms(t *testing.T) {
	think := openaitest.ChatML + "{#<think></think>#}"
	for name, c := range map[string]struct {
		template, say, fields, want string
	}{
		"call":            {openaitest.ChatML, `<tool_call>{"name": "weather", "arguments": {"city": "Aarhus"}}</tool_call>`, `, "tools": [` + weather + `]`, `{"content": null, "calls": [["weather", {"city": "Aarhus"}]], "finish": "tool_calls"}`},
		"two calls":       {openaitest.ChatML, `Well. <tool_call>{"name": "weather", "arguments": {"city": "A"}}</tool_call><tool_call>{"name": "weather", "arguments": {"city": "B"}}</tool_call>`, `, "tools": [` + weather + `]`, `{"content": "Well.", "calls": [["weather", {"city": "A"}], ["weather", {"city": "B"}]], "finish": "tool_calls"}`},
		"one of two":      {openaitest.ChatML, `<tool_call>{"name": "weather", "arguments": {"city": "A"}}</tool_call><tool_call>{"name": "weather", "arguments": {"city": "B"}}</tool_call>`, `, "parallel_tool_calls": false, "tools": [` + weather + `]`, `{"content": null, "calls": [["weather", {"city": "A"}]], "finish": "tool_calls"}`},
		"no tools":        {openaitest.ChatML, `<tool_call>{}</tool_call>`, ``, `{"content": "<tool_call>{}</tool_call>", "finish": "stop"}`},
		"tools not to be": {openaitest.ChatML, `<tool_call>{}</tool_call>`, `, "tool_choice": "none", "tools": [` + weather + `]`, `{"content": "<tool_call>{}</tool_call>", "finish": "stop"}`},
		"reasoning":       {think, "<think>Hm.</think>It flies.", ``, `{"reasoning": "Hm.", "content": "It flies.", "finish": "stop"}`},
		"begun reasoning": {think + "{% if add_generation_prompt %}<think>\n{% endif %}", "Hm.</think>It flies.", ``, `{"reasoning": "Hm.", "content": "It flies.", "finish": "stop"}`},
		"reasoning in it": {think, "<think>Hm.</think>It flies.", `, "reasoning_format": "none"`, `{"content": "<think>Hm.</think>It flies.", "finish": "stop"}`},
		"cut":             {openaitest.ChatML, "It flies.", `, "max_tokens": 2`, `{"content": "It", "finish": "length"}`},
		"stop":            {openaitest.ChatML, "It flies.", `, "stop": ["fl"]`, `{"content": "It ", "finish": "stop"}`},
		"control token":   {openaitest.ChatML + "{#[TOOL_CALLS]#}", `[TOOL_CALLS]weather[ARGS]{"city": "A"}`, `, "tools": [` + weather + `], "tool_format": "mistral"`, `{"content": null, "calls": [["weather", {"city": "A"}]], "finish": "tool_calls"}`},
		"nothing":         {openaitest.ChatML, "", ``, `{"content": "", "finish": "stop"}`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, c.template, says(c.say))
			body := `{"messages": [{"role": "user", "content": "?"}]` + c.fields
			assert.JSONEq(t, c.want, write(t, summary(t, d.post(t, "/v1/chat/completions", body+`}`))), "whole")
			assert.JSONEq(t, c.want, write(t, summary(t, joined(d.events(t, "/v1/chat/completions", body+`, "stream": true}`)))), "streamed")
		})
	}
}

// summary is what matters of a completion.
func summary(t *testing.T, o object) object {
	m := at(o, "choices.0.message").(object)
	s := object{"content": m["content"], "finish": at(o, "choices.0.finish_reason")}
	if r, ok := m["reasoning_content"]; ok {
		s["reasoning"] = r
	}
	var calls []any
	ids := map[any]bool{}
	for _, c := range list(m["tool_calls"]) {
		assert.Equal(t, "function", at(c, "type"))
		assert.NotEmpty(t, at(c, "id"))
		assert.False(t, ids[at(c, "id")], "an id twice")
		ids[at(c, "id")] = true
		calls = append(calls, []any{at(c, "function.name"), parse(t, []byte(at(c, "function.arguments").(string)))})
	}
	if calls != nil {
		s["calls"] = calls
	}
	return s
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

// joined is the completion that a stream's chunks make.
func joined(events []object) object {
	m := object{"content": nil}
	add := func(o object, name string, value any) {
		if text, ok := value.(string); ok {
			before, _ := o[name].(string)
			o[name] = before + text
		}
	}
	var calls []any
	var reason any
	for _, e := range events {
		choice := at(e, "choices.0")
		add(m, "reasoning_content", at(choice, "delta.reasoning_content"))
		if at(choice, "delta.role") == nil {
			add(m, "content", at(choice, "delta.content"))
		}
		for _, d := range list(at(choice, "delta.tool_calls")) {
			i := int(at(d, "index").(float64))
			for len(calls) <= i {
				calls = append(calls, object{"function": object{}})
			}
			add(calls[i].(object), "id", at(d, "id"))
			add(calls[i].(object), "type", at(d, "type"))
			add(calls[i].(object)["function"].(object), "name", at(d, "function.name"))
			add(calls[i].(object)["function"].(object), "arguments", at(d, "function.arguments"))
		}
		if r := at(choice, "finish_reason"); r != nil {
			reason = r
		}
	}
	if calls != nil {
		m["tool_calls"] = calls
	} else if m["content"] == nil {
		m["content"] = ""
	}
	return object{"choices": []any{object{"message": m, "finish_reason": reason}}}
}

func TestToolsInTheTemplate(t *testing.T) {
	var asked string
	d := newDoor(t, openaitest.ChatML, func(prompt string, _ int) string {
		asked = prompt
		return "Sunny."
	})
	d.post(t, "/v1/chat/completions", `{"tools": [`+weather+`], "messages": [{"role": "user", "content": "Weather?"},
		{"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"b\": 1,  \"a\": 2.50}"}}]},
		{"role": "tool", "tool_call_id": "c1", "content": "sun"}]}`)
	assert.Contains(t, asked, `Tools: [{"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]`)
	assert.Contains(t, asked, `<tool_call>{"name": "weather", "arguments": {"b": 1, "a": 2.5}}</tool_call>`)
	assert.Contains(t, asked, "<|im_start|>tool\nsun")
	d.post(t, "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "function": {"name": "weather", "arguments": ""}}]},
		{"role": "tool", "tool_call_id": "c1", "content": "sun"}]}`)
	assert.Contains(t, asked, `{"name": "weather", "arguments": {}}`, "a call without arguments")
}

func TestLogprobs(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("é!"))
	body := `{"messages": [{"role": "user", "content": "?"}], "logprobs": true, "top_logprobs": 2`
	whole := at(d.post(t, "/v1/chat/completions", body+`}`), "choices.0.logprobs.content").([]any)
	require.Len(t, whole, 3, "one a byte, none for the end")
	assert.Equal(t, object{"token": "\uFFFD", "logprob": -0.5, "bytes": []any{195.0}, "top_logprobs": []any{
		object{"token": "\uFFFD", "logprob": -0.5, "bytes": []any{195.0}}, object{"token": "\uFFFD", "logprob": -1.5, "bytes": []any{196.0}}}}, whole[0])
	var streamed []any
	for _, e := range d.events(t, "/v1/chat/completions", body+`, "stream": true}`) {
		streamed = append(streamed, list(at(e, "choices.0.logprobs.content"))...)
	}
	assert.Equal(t, whole, streamed)
}

// TestChatTruncation: with "auto" a conversation that is longer than the context loses its oldest turns, and the answer says how many messages.
func TestChatTruncation(t *testing.T) {
	var asked string
	d := newDoor(t, openaitest.ChatML, func(prompt string, _ int) string {
		asked = prompt
		return "Well."
	})
	var items []string
	for i := range 30 {
		items = append(items, fmt.Sprintf(`{"role": "user", "content": "question %d %s"}, {"role": "assistant", "content": "answer %d"}`, i, strings.Repeat("word ", 40), i))
	}
	long := `{"messages": [` + strings.Join(items, ", ") + `, {"role": "user", "content": "The last?"}]`
	const path, auto = "/v1/chat/completions", `, "truncation": "auto"`
	dropped, ok := d.post(t, path, long+auto+`}`)["dropped"].(float64)
	require.True(t, ok)
	assert.Equal(t, 60-2*strings.Count(asked, "question "), int(dropped))
	for _, more := range []string{``, `, "n": 2`, `, "stream_options": {"include_usage": true}`} {
		events := d.events(t, path, long+auto+`, "stream": true`+more+`}`)
		for i, e := range events {
			if i == len(events)-1 {
				assert.Equal(t, dropped, e["dropped"], more)
			} else {
				assert.NotContains(t, e, "dropped", more)
			}
		}
	}
	assert.NotContains(t, d.post(t, path, `{"messages": [{"role": "user", "content": "?"}]`+auto+`}`), "dropped")
	assert.Equal(t, 400, d.call(t, "POST", path, long+`}`).Status)
	assert.Equal(t, "truncation", at(parse(t, d.call(t, "POST", path, `{"messages": [], "truncation": "middle"}`).Body), "error.param"))
}

func TestWarnings(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("Yes."))
	body := `{"messages": [{"role": "user", "content": "?", "mood": "glad"}], "colour": "red", "logit_bais": null, "stream_options": {"include_usage": true, "x": 1}, "stream": true}`
	want := []any{`"stream_options.x" is not known and was ignored`, `"colour" is not known and was ignored`, `"messages[0].mood" is not known and was ignored`}
	events := d.events(t, "/v1/chat/completions", body)
	assert.Equal(t, want, events[len(events)-1]["warnings"])
	a := d.call(t, "POST", "/v1/chat/completions", strings.Replace(body, `, "stream": true`, ``, 1))
	assert.Equal(t, 400, a.Status, "stream_options goes with a stream")
	a = d.call(t, "POST", "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}], "colour\n": "é"}`)
	assert.Equal(t, []any{`"colour\n" is not known and was ignored`}, parse(t, a.Body)["warnings"])
	assert.Equal(t, []string{`"colour\n" is not known and was ignored`}, header(a, openai.HeaderWarning))
}

func TestPrefix(t *testing.T) {
	prefix := func(body string) string {
		q, err := openai.ReadChatRequest([]byte(body))
		require.NoError(t, err)
		return q.Prefix()
	}
	first := prefix(`{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is a kite?"}]}`)
	assert.Equal(t, "6367ccfeee3cf50a", first, `printf 'system\nBe brief.\0user\nWhat is a kite?\0' | sha256sum`)
	assert.Equal(t, first, prefix(`{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "What is a kite?"}]}, {"role": "assistant", "content": "A toy."}, {"role": "user", "content": "Why?"}]}`))
	assert.NotEqual(t, first, prefix(`{"messages": [{"role": "user", "content": "What is a kite?"}]}`))

	rules := strings.Repeat("Be brief, and polite. ", 12)
	long := prefix(`{"messages": [{"role": "system", "content": "` + rules + `"}, {"role": "user", "content": "What is a kite?"}]}`)
	assert.Equal(t, "1965bba0b2ce5436", long, `(printf 'system\n'; yes 'Be brief, and polite. ' | tr -d '\n' | head -c 249) | sha256sum`)
	assert.Equal(t, long, prefix(`{"messages": [{"role": "system", "content": "`+rules+`"}, {"role": "user", "content": "What is a fox?"}]}`), "it begins the same way")
	tale := prefix(`{"messages": [{"role": "user", "content": "` + rules + `What is a kite?"}]}`)
	assert.Equal(t, tale, prefix(`{"messages": [{"role": "user", "content": "`+rules+`What is a fox?"}]}`))
	assert.NotEqual(t, tale, long)
}

// TestTyped: what Go asks by types is what a body asks.
func TestTyped(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("It flies."))
	q := &openai.ChatRequest{Messages: []openai.Message{{Role: "user", Content: "What is a kite?"}}, Tools: []openai.Tool{{Name: "weather"}}}
	whole, err := d.ChatCompletion(context.Background(), q)
	require.NoError(t, err)
	assert.Equal(t, "It flies.", *whole.Choices[0].Message.Content)
	s, err := d.StreamChatCompletion(context.Background(), q)
	require.NoError(t, err)
	var text []string
	for chunk, err := range s.All() {
		require.NoError(t, err)
		if c := chunk.Choices[0].Delta.Content; c != nil {
			text = append(text, *c)
		}
	}
	assert.Equal(t, "It flies.", strings.Join(text, ""))
	assert.Greater(t, len(slices.Compact(text)), 5, "piece by piece")
	q.Messages[0].Role = "fox"
	_, err = d.ChatCompletion(context.Background(), q)
	var refused *openai.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "messages[0].role", refused.Param)
}
