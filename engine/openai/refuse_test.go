package openai_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/loop"
	"quire/engine/openai"
	"quire/engine/openai/openaitest"
	"quire/engine/schedule"
)

// refused is what an error's body says, without its sentence.
type refused struct {
	status      int
	param, code any
}

func TestRefused(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("Yes."))
	const chat, text, response, embed, rank = "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/rerank"
	user := func(fields string) string { return `{"messages": [{"role": "user", "content": "?"}], ` + fields + `}` }
	prompt := func(fields string) string { return `{"prompt": "?", ` + fields + `}` }
	input := func(fields string) string { return `{"input": "?", ` + fields + `}` }
	for _, c := range []struct {
		path, body string
		refused
	}{
		{chat, ``, refused{400, nil, "invalid_json"}},
		{chat, `{"messages": [`, refused{400, nil, "invalid_json"}},
		{chat, `[]`, refused{400, nil, "invalid_type"}},
		{chat, strings.Repeat("[", 2000), refused{400, nil, "invalid_json"}},
		{chat, `{}`, refused{400, "messages", "missing_required_parameter"}},
		{chat, `{"messages": "?"}`, refused{400, "messages", "invalid_type"}},
		{chat, `{"messages": []}`, refused{400, "messages", "empty_array"}},
		{chat, `{"messages": ["?"]}`, refused{400, "messages[0]", "invalid_type"}},
		{chat, `{"messages": [{"content": "?"}]}`, refused{400, "messages[0].role", "missing_required_parameter"}},
		{chat, `{"messages": [{"role": "fox", "content": "?"}]}`, refused{400, "messages[0].role", "invalid_value"}},
		{chat, `{"messages": [{"role": "user"}]}`, refused{400, "messages[0].content", "missing_required_parameter"}},
		{chat, `{"messages": [{"role": "user", "content": 1}]}`, refused{400, "messages[0].content", "invalid_type"}},
		{chat, `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant"}]}`, refused{400, "messages[1].content", "missing_required_parameter"}},
		{chat, `{"messages": [{"role": "user", "content": "?"}, {"role": "user", "content": "?"}, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}`,
			refused{400, "messages[2].content[0].type", "unsupported_value"}},
		{chat, `{"messages": [{"role": "user", "content": [{"type": "text"}]}]}`, refused{400, "messages[0].content[0].text", "missing_required_parameter"}},
		{chat, `{"messages": [{"role": "user", "content": [{"text": "?"}]}]}`, refused{400, "messages[0].content[0].type", "missing_required_parameter"}},
		{chat, `{"messages": [{"role": "tool", "content": "?"}]}`, refused{400, "messages[0].tool_call_id", "missing_required_parameter"}},
		{chat, `{"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "type": "function"}]}]}`, refused{400, "messages[0].tool_calls[0].function", "missing_required_parameter"}},
		{chat, `{"messages": [{"role": "user", "content": "?", "tool_calls": [{"id": "1", "function": {"name": "f"}}]}]}`, refused{400, "messages[0].tool_calls", "invalid_value"}},
		{chat, user(`"model": "missing"`), refused{404, "model", "model_not_found"}},
		{chat, user(`"model": 1`), refused{400, "model", "invalid_type"}},
		{chat, user(`"temperature": 3`), refused{400, "temperature", "decimal_above_max_value"}},
		{chat, user(`"temperature": "1"`), refused{400, "temperature", "invalid_type"}},
		{chat, user(`"top_p": -1`), refused{400, "top_p", "decimal_below_min_value"}},
		{chat, user(`"top_k": 1.5`), refused{400, "top_k", "invalid_type"}},
		{chat, user(`"max_tokens": 0`), refused{400, "max_tokens", "integer_below_min_value"}},
		{chat, user(`"max_completion_tokens": -1`), refused{400, "max_completion_tokens", "integer_below_min_value"}},
		{chat, user(`"max_tokens": 3, "min_tokens": 4`), refused{400, "min_tokens", "invalid_value"}},
		{chat, user(`"n": 0`), refused{400, "n", "integer_below_min_value"}},
		{chat, user(`"n": 17`), refused{400, "n", "invalid_value"}},
		{chat, user(`"n": 1e9`), refused{400, "n", "integer_above_max_value"}},
		{chat, user(`"n": 3, "best_of": 2`), refused{400, "best_of", "integer_below_min_value"}},
		{chat, user(`"best_of": 2, "stream": true`), refused{400, "best_of", "invalid_value"}},
		{chat, user(`"beams": 2, "stream": true`), refused{400, "beams", "invalid_value"}},
		{chat, user(`"beams": 2, "n": 3`), refused{400, "n", "invalid_value"}},
		{chat, user(`"beams": 2, "temperature": 1`), refused{400, "temperature", "invalid_value"}},
		{chat, user(`"beams": 100`), refused{400, "beams", "invalid_value"}},
		{chat, user(`"beams": 2, "early_stopping": "soon"`), refused{400, "early_stopping", "invalid_value"}},
		{chat, user(`"stop": 1`), refused{400, "stop", "invalid_type"}},
		{chat, user(`"stop": ["x", 1]`), refused{400, "stop[1]", "invalid_type"}},
		{chat, user(`"stop": ""`), refused{400, "stop", "invalid_value"}},
		{chat, user(`"presence_penalty": 2.1`), refused{400, "presence_penalty", "decimal_above_max_value"}},
		{chat, user(`"frequency_penalty": -2.1`), refused{400, "frequency_penalty", "decimal_below_min_value"}},
		{chat, user(`"repetition_penalty": 0`), refused{400, "repetition_penalty", "decimal_below_min_value"}},
		{chat, user(`"repeat_penalty": 0`), refused{400, "repeat_penalty", "decimal_below_min_value"}},
		{chat, user(`"logit_bias": {"` + strings.Repeat("x", 1000) + `": 1}`), refused{400, "logit_bias." + strings.Repeat("x", 100) + "…", "invalid_value"}},
		{chat, user(`"stop": ` + strings.Repeat("1", 1000)), refused{400, "stop", "invalid_type"}},
		{chat, user(`"logit_bias": {"5": 101}`), refused{400, "logit_bias.5", "decimal_above_max_value"}},
		{chat, user(`"logit_bias": {"9": -101, "7": 101, "8": 101, "6": 0}`), refused{400, "logit_bias.7", "decimal_above_max_value"}},
		{chat, user(`"logit_bias": {"9999": 1}`), refused{400, "logit_bias", "invalid_value"}},
		{chat, user(`"dry_multiplier": 101`), refused{400, "dry_multiplier", "decimal_above_max_value"}},
		{chat, user(`"dry_multiplier": 1, "dry_base": 0`), refused{400, "dry_base", "invalid_value"}},
		{chat, user(`"dry_multiplier": 1, "dry_penalty_last_n": -2`), refused{400, "dry_penalty_last_n", "integer_below_min_value"}},
		{chat, user(`"dry_multiplier": 1, "dry_sequence_breakers": [""]`), refused{400, "dry_sequence_breakers", "invalid_value"}},
		{chat, user(`"beams": 2, "presence_penalty": 1`), refused{400, "beams", "invalid_value"}},
		{chat, user(`"logit_bias": {"five": 1}`), refused{400, "logit_bias.five", "invalid_value"}},
		{chat, user(`"logit_bias": [1]`), refused{400, "logit_bias", "invalid_type"}},
		{chat, user(`"logit_bias": {"5": "1"}`), refused{400, "logit_bias.5", "invalid_type"}},
		{chat, user(`"top_logprobs": 2`), refused{400, "top_logprobs", "invalid_value"}},
		{chat, user(`"logprobs": true, "top_logprobs": 21`), refused{400, "top_logprobs", "integer_above_max_value"}},
		{chat, user(`"logprobs": 1`), refused{400, "logprobs", "invalid_type"}},
		{chat, user(`"stream": "yes"`), refused{400, "stream", "invalid_type"}},
		{chat, user(`"stream_options": {"include_usage": true}`), refused{400, "stream_options", "invalid_value"}},
		{chat, user(`"deadline": 0`), refused{400, "deadline", "decimal_below_min_value"}},
		{chat, user(`"lora": "foxes"`), refused{400, "lora[0]", "adapter_not_found"}},
		{chat, user(`"lora": [{"scale": 1}]`), refused{400, "lora[0].name", "missing_required_parameter"}},
		{chat, user(`"response_format": {"type": "json_schema"}`), refused{400, "response_format.json_schema", "missing_required_parameter"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {}}`), refused{400, "response_format.json_schema.name", "missing_required_parameter"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {"name": "two words"}}`), refused{400, "response_format.json_schema.name", "invalid_value"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": 1}}`), refused{400, "response_format.json_schema.strict", "invalid_type"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {"name": "x", "description": 1}}`), refused{400, "response_format.json_schema.description", "invalid_type"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": 1}}`), refused{400, "response_format.json_schema.schema", "invalid_type"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"fox": 1}}}`), refused{400, "response_format", "invalid_value"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"allOf": [{"$ref": "#"}]}}}`), refused{400, "response_format", "invalid_value"}},
		{chat, user(`"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"enum": [1], "type": "string"}}}`), refused{400, "response_format", "invalid_value"}},
		{chat, user(`"response_format": {"type": "xml"}`), refused{400, "response_format.type", "invalid_value"}},
		{chat, user(`"response_format": "text"`), refused{400, "response_format", "invalid_type"}},
		{chat, user(`"grammar": "root ::= x"`), refused{400, "grammar", "invalid_value"}},
		{chat, user(`"guided_grammar": ""`), refused{400, "guided_grammar", "invalid_value"}},
		{chat, user(`"guided_grammar": 1`), refused{400, "guided_grammar", "invalid_type"}},
		{chat, user(`"regex": "(a"`), refused{400, "regex", "invalid_value"}},
		{chat, user(`"guided_regex": "(?=a)"`), refused{400, "guided_regex", "invalid_value"}},
		{chat, user(`"guided_json": "{"`), refused{400, "guided_json", "invalid_value"}},
		{chat, user(`"guided_json": [1]`), refused{400, "guided_json", "invalid_type"}},
		{chat, user(`"guided_choice": []`), refused{400, "guided_choice", "empty_array"}},
		{chat, user(`"guided_choice": [1]`), refused{400, "guided_choice[0]", "invalid_type"}},
		{chat, user(`"structured_outputs": {"structural_tag": "x"}`), refused{400, "structured_outputs.structural_tag", "unsupported_parameter"}},
		{chat, user(`"structured_outputs": {"json": {}, "whitespace_pattern": "[ ]"}`), refused{400, "structured_outputs.whitespace_pattern", "unsupported_parameter"}},
		{chat, user(`"structured_outputs": {"json": {}, "disable_any_whitespace": true}`), refused{400, "structured_outputs.disable_any_whitespace", "unsupported_parameter"}},
		{chat, user(`"guided_json": {}, "guided_whitespace_pattern": "[ ]"`), refused{400, "guided_whitespace_pattern", "unsupported_parameter"}},
		{chat, user(`"structured_outputs": {"regex": "a", "choice": ["b"]}`), refused{400, "structured_outputs.choice", "invalid_value"}},
		{chat, user(`"regex": "a", "response_format": {"type": "json_object"}`), refused{400, "response_format", "invalid_value"}},
		{chat, user(`"json_schema": {"type": "fox"}`), refused{400, "json_schema", "invalid_value"}},
		{text, prompt(`"grammar": "root ::= x"`), refused{400, "grammar", "invalid_value"}},
		{text, prompt(`"regex": "a", "grammar": "root ::= \"x\""`), refused{400, "regex", "invalid_value"}},
		{chat, user(`"tool_choice": "required"`), refused{400, "tool_choice", "invalid_value"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": "required", "regex": "a"`), refused{400, "tool_choice", "invalid_value"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": "required", "ignore_eos": true`), refused{400, "ignore_eos", "invalid_value"}},
		{chat, user(`"tools": [{"type": "function", "function": {"name": "f", "strict": true}}], "ignore_eos": true`), refused{400, "ignore_eos", "invalid_value"}},
		{chat, user(`"tools": [` + weather + `], "regex": "a+"`), refused{400, "regex", "invalid_value"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": {"type": "function", "function": {"name": "fox"}}`), refused{400, "tool_choice", "invalid_value"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": {"type": "function", "function": {}}`), refused{400, "tool_choice.function.name", "missing_required_parameter"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": {"type": "function"}`), refused{400, "tool_choice.function", "missing_required_parameter"}},
		{response, input(`"tools": [` + flatWeather + `], "tool_choice": {"type": "function"}`), refused{400, "tool_choice.name", "missing_required_parameter"}},
		{response, input(`"tools": [` + flatWeather + `], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}`), refused{400, "tool_choice.tools[0].type", "unsupported_value"}},
		{response, input(`"response_format": {"type": "json_object"}`), refused{400, "response_format", "unsupported_parameter"}},
		{chat, user(`"text": {"format": {"type": "json_object"}}`), refused{400, "text.format", "unsupported_parameter"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": {"type": "web_search"}`), refused{400, "tool_choice.type", "unsupported_value"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}`), refused{400, "tool_choice.allowed_tools.tools", "empty_array"}},
		{chat, user(`"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "fox": 1}}}], "tool_choice": "required"`), refused{400, "tools[0].function.parameters", "invalid_value"}},
		{chat, user(`"tools": [` + weather + `, {"type": "function", "function": {"name": "two words", "strict": true}}]`), refused{400, "tools[1].function.name", "invalid_value"}},
		{chat, user(`"tools": [{"type": "function", "function": {"name": "f", "strict": "yes"}}]`), refused{400, "tools[0].function.strict", "invalid_type"}},
		{chat, user(`"tools": [` + weather + `], "tool_choice": "perhaps"`), refused{400, "tool_choice", "invalid_value"}},
		{chat, user(`"tools": [{"type": "web_search"}]`), refused{400, "tools[0].type", "unsupported_value"}},
		{chat, user(`"tools": [{"type": "function", "function": {}}]`), refused{400, "tools[0].function.name", "missing_required_parameter"}},
		{chat, user(`"tool_format": "elvish"`), refused{400, "tool_format", "invalid_value"}},
		{chat, user(`"functions": []`), refused{400, "functions", "unsupported_parameter"}},
		{chat, user(`"modalities": ["text", "audio"]`), refused{400, "modalities[1]", "unsupported_value"}},
		{chat, user(`"audio": {"voice": "x"}`), refused{400, "audio", "unsupported_parameter"}},
		{chat, `{"messages": [{"role": "user", "content": "` + strings.Repeat("x", openaitest.Context) + `"}]}`, refused{400, "messages", "context_length_exceeded"}},
		{chat, `{"messages": [{"role": "user", "content": "` + strings.Repeat("x", 20*openaitest.Context) + `"}]}`, refused{400, "messages", "context_length_exceeded"}},

		{text, `{}`, refused{400, "prompt", "missing_required_parameter"}},
		{text, `{"prompt": {}}`, refused{400, "prompt", "invalid_type"}},
		{text, `{"prompt": []}`, refused{400, "prompt", "empty_array"}},
		{text, `{"prompt": ""}`, refused{400, "prompt", "invalid_value"}},
		{text, `{"prompt": [1, "x"]}`, refused{400, "prompt[1]", "invalid_type"}},
		{text, `{"prompt": [1, 9999]}`, refused{400, "prompt[1]", "invalid_value"}},
		{text, `{"prompt": [[1], [2, -3]]}`, refused{400, "prompt[1][1]", "invalid_value"}},
		{text, `{"prompt": ["a", {}]}`, refused{400, "prompt[1]", "invalid_type"}},
		{text, `{"prompt": ["a", "` + strings.Repeat("x", openaitest.Context) + `"], "stream": true}`, refused{400, "prompt[1]", "context_length_exceeded"}},
		{text, prompt(`"suffix": "x"`), refused{400, "suffix", "unsupported_parameter"}},
		{text, prompt(`"logprobs": 21`), refused{400, "logprobs", "integer_above_max_value"}},
		{text, prompt(`"logprobs": true`), refused{400, "logprobs", "invalid_type"}},
		{text, prompt(`"max_tokens": -1`), refused{400, "max_tokens", "integer_below_min_value"}},
		{chat, `{"messages": [{"role": "user", "content": [{"type": "refusal", "refusal": "No."}]}]}`, refused{400, "messages[0].content[0].type", "unsupported_value"}},
		{chat, `{"messages": [{"role": "assistant", "content": [{"type": "refusal"}]}]}`, refused{400, "messages[0].content[0].refusal", "missing_required_parameter"}},
		{text, prompt(`"best_of": 2, "stream": true`), refused{400, "best_of", "invalid_value"}},
		{text, prompt(`"echo": true, "logprobs": 1, "n": 2`), refused{400, "echo", "invalid_value"}},

		{response, `{}`, refused{400, "input", "missing_required_parameter"}},
		{response, `{"input": []}`, refused{400, "input", "empty_array"}},
		{response, `{"input": 1}`, refused{400, "input", "invalid_type"}},
		{response, `{"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}`, refused{400, "input[0].content[0].type", "unsupported_value"}},
		{response, `{"input": [{"role": "fox", "content": "?"}]}`, refused{400, "input[0].role", "invalid_value"}},
		{response, `{"input": [{"type": "item_reference", "id": "x"}]}`, refused{400, "input[0].type", "unsupported_value"}},
		{response, `{"input": [{"type": "function_call", "name": "f"}]}`, refused{400, "input[0].call_id", "missing_required_parameter"}},
		{response, `{"input": [{"role": "user", "content": "?"}, {"type": "function_call_output", "call_id": "", "output": "x"}]}`, refused{400, "input[1].call_id", "missing_required_parameter"}},
		{response, input(`"tools": [{"type": "function", "name": ""}]`), refused{400, "tools[0].name", "missing_required_parameter"}},
		{response, input(`"store": true`), refused{400, "store", "unsupported_parameter"}},
		{response, input(`"previous_response_id": "resp_1"`), refused{400, "previous_response_id", "unsupported_parameter"}},
		{response, input(`"conversation": "c"`), refused{400, "conversation", "unsupported_parameter"}},
		{response, input(`"background": true`), refused{400, "background", "unsupported_parameter"}},
		{response, input(`"truncation": "middle"`), refused{400, "truncation", "invalid_value"}},
		{response, input(`"truncation": true`), refused{400, "truncation", "invalid_type"}},
		{response, input(`"text": {"format": {"type": "grammar"}}`), refused{400, "text.format.grammar", "missing_required_parameter"}},
		{response, input(`"text": {"format": {"type": "json_schema", "schema": {}}}`), refused{400, "text.format.name", "missing_required_parameter"}},
		{response, input(`"text": {"format": {"type": "json_schema", "name": "x", "schema": {"fox": 1}}}`), refused{400, "text.format", "invalid_value"}},
		{response, input(`"tools": [{"type": "function", "name": "f", "parameters": {"fox": 1}}], "tool_choice": {"type": "function", "name": "f"}`), refused{400, "tools[0].parameters", "invalid_value"}},
		{response, input(`"tools": [{"type": "web_search"}]`), refused{400, "tools[0].type", "unsupported_value"}},
		{response, input(`"tools": [{"type": "function"}]`), refused{400, "tools[0].name", "missing_required_parameter"}},
		{response, input(`"max_output_tokens": 0`), refused{400, "max_output_tokens", "integer_below_min_value"}},
		{response, `{"input": "` + strings.Repeat("x", openaitest.Context) + `"}`, refused{400, "input", "context_length_exceeded"}},

		{embed, `{}`, refused{400, "input", "missing_required_parameter"}},
		{embed, `{"input": ""}`, refused{400, "input", "invalid_value"}},
		{embed, `{"input": ["a", ""]}`, refused{400, "input[1]", "invalid_value"}},
		{embed, `{"input": ["a", "` + strings.Repeat("x", openaitest.Context+1) + `"]}`, refused{400, "input[1]", "context_length_exceeded"}},
		{embed, `{"input": ["a", "` + strings.Repeat("x", 20*openaitest.Context) + `"]}`, refused{400, "input[1]", "context_length_exceeded"}},
		{embed, input(`"encoding_format": "int8"`), refused{400, "encoding_format", "invalid_value"}},
		{embed, input(`"dimensions": 3`), refused{400, "dimensions", "unsupported_parameter"}},
		{embed, input(`"dimensions": 0`), refused{400, "dimensions", "integer_below_min_value"}},

		{rank, `{"documents": ["a"]}`, refused{400, "query", "missing_required_parameter"}},
		{rank, `{"query": "a"}`, refused{400, "documents", "missing_required_parameter"}},
		{rank, `{"query": "a", "documents": []}`, refused{400, "documents", "empty_array"}},
		{rank, `{"query": "a", "documents": ["b", 1]}`, refused{400, "documents[1]", "invalid_type"}},
		{rank, `{"query": "a", "documents": ["b", "` + strings.Repeat("x", openaitest.Context) + `"]}`, refused{400, "documents[1]", "context_length_exceeded"}},
		{rank, `{"query": "` + strings.Repeat("x", openaitest.Context) + `", "documents": ["b", "c"]}`, refused{400, "documents[0]", "context_length_exceeded"}},
		{rank, `{"query": "a", "documents": ["b"], "top_n": 0}`, refused{400, "top_n", "integer_below_min_value"}},

		{"/tokenize", `{}`, refused{400, "content", "missing_required_parameter"}},
		{"/detokenize", `{"tokens": [1, 9999]}`, refused{400, "tokens[1]", "invalid_value"}},
		{"/detokenize", `{"tokens": "x"}`, refused{400, "tokens", "invalid_type"}},
		{"/v1/audio/speech", `{}`, refused{404, nil, "unknown_url"}},
	} {
		a := d.call(t, "POST", c.path, c.body)
		assert.Equal(t, []string{"application/json"}, header(a, "Content-Type"))
		body := c.body[:min(len(c.body), 200)]
		e, ok := parse(t, a.Body)["error"].(object)
		if !assert.True(t, ok, "%s %s was taken: %s", c.path, body, a.Body) {
			continue
		}
		assert.Equal(t, c.refused, refused{a.Status, e["param"], e["code"]}, "%s %s: %s", c.path, body, e["message"])
		assert.Equal(t, "invalid_request_error", e["type"])
		assert.NotEmpty(t, e["message"])
		assert.Less(t, len(a.Body), 1000, "what a client writes is not given back at any length: %s", body)
	}
}

// TestFailures: what goes wrong in a model has a status of its own, before a stream has begun.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		kind   string
	}{
		{schedule.ErrQueueFull, 503, "overloaded_error"},
		{loop.ErrClosed, 503, "overloaded_error"},
		{generation.ErrNotNumbers, 500, "server_error"},
		{errors.New("gpu: the device is gone"), 500, "server_error"},
	} {
		d := newDoor(t, openaitest.ChatML, says("Yes."))
		d.models.Err = c.err
		for path, body := range map[string]string{
			"/v1/chat/completions": `{"messages": [{"role": "user", "content": "?"}]}`, "/v1/completions": `{"prompt": ["?", "!"]}`, "/v1/responses": `{"input": "?"}`, "/v1/embeddings": `{"input": "?"}`,
		} {
			for _, stream := range []string{"", `, "stream": true}`} {
				if stream != "" {
					body = strings.TrimSuffix(body, "}") + stream
				}
				if stream != "" && path == "/v1/embeddings" {
					continue
				}
				a := d.call(t, "POST", path, body)
				require.Equal(t, c.status, a.Status, "%s %s", path, body)
				assert.Equal(t, c.kind, at(parse(t, a.Body), "error.type"))
				assert.NotContains(t, string(a.Body), "gpu:")
				if c.status == 503 {
					assert.NotEmpty(t, header(a, "Retry-After"))
				}
			}
		}
	}
}

func TestMethodsAndPaths(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("Yes."))
	a := d.call(t, "GET", "/v1/chat/completions", "")
	assert.Equal(t, 405, a.Status)
	assert.Equal(t, []string{"POST"}, header(a, "Allow"))
	assert.Equal(t, 405, d.call(t, "POST", "/v1/models", "").Status)
	assert.Equal(t, 404, d.call(t, "GET", "/", "").Status)
	assert.Equal(t, 404, d.call(t, "GET", "/v1", "").Status)
	assert.Equal(t, 404, d.call(t, "GET", "/v1/modelsx", "").Status)
	assert.Equal(t, 200, d.call(t, "HEAD", "/health", "").Status)
	assert.Equal(t, object{"status": "ok"}, parse(t, d.call(t, "GET", "/health", "").Body))
	model := object{"id": "kite-1", "object": "model", "created": 1700000000.0, "owned_by": "quire", "max_model_len": 4096.0, "loaded": true}
	assert.Equal(t, object{"object": "list", "data": []any{model}}, parse(t, d.call(t, "GET", "/v1/models", "").Body))
	assert.Equal(t, model, parse(t, d.call(t, "GET", "/models/kite-1", "").Body))
	assert.Equal(t, model, parse(t, d.call(t, "GET", "/v1/models/kite-1/", "").Body))
	assert.Equal(t, []any{model}, parse(t, d.call(t, "GET", "/v1/models/", "").Body)["data"])
	a = d.call(t, "GET", "/v1/models/fox/1", "")
	assert.Equal(t, 404, a.Status)
	assert.Equal(t, "model_not_found", at(parse(t, a.Body), "error.code"))
}

func TestBodyLimit(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, says("Yes."))
	d.BodyLimit = 100
	a := d.call(t, "POST", "/v1/chat/completions", `{"messages": [{"role": "user", "content": "`+strings.Repeat("x", 100)+`"}]}`)
	assert.Equal(t, 413, a.Status)
	assert.Equal(t, "request_too_large", at(parse(t, a.Body), "error.code"))
}

// TestNoTemplate: a model without a chat template can go on with texts.
func TestNoTemplate(t *testing.T) {
	d := newDoor(t, "", says("Yes."))
	a := d.call(t, "POST", "/v1/chat/completions", `{"messages": [{"role": "user", "content": "?"}]}`)
	assert.Equal(t, 400, a.Status)
	assert.Contains(t, at(parse(t, a.Body), "error.message"), "/v1/completions")
	_, err := d.ChatCompletion(context.Background(), &openai.ChatRequest{})
	assert.Error(t, err)
}
