package openai_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

// FuzzRequests: whatever a body holds, a call is answered, and a refusal has the form of one.
func FuzzRequests(f *testing.F) {
	for _, body := range []string{
		`{"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}]}], "logit_bias": {"5": 1}, "stop": ["x"], "tools": [` + weather + `], "stream": true}`,
		`{"messages": [{"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{"}}]}, {"role": "tool", "tool_call_id": "1", "content": ""}], "n": 2, "chat_template_kwargs": {"messages": 1}}`,
		`{"prompt": ["a", [97]], "echo": true, "logprobs": 1, "max_tokens": 0, "lora": ["kites"], "beams": 2}`,
		`{"input": [{"type": "function_call", "call_id": "1", "name": "f"}, {"type": "reasoning", "summary": [{"text": "?"}]}], "include": ["x"]}`,
		`{"query": "?", "documents": [{"text": "a"}], "content": "a", "tokens": [97], "max_tokens": 1e3, "deadline": 1e-3}`,
		`{"a": 1, "a": 2, "messages": null}`, `[]`, `"`, ``,
	} {
		f.Add([]byte(body))
	}
	models := &openaitest.Models{Engine: openaitest.New("kite-1", openaitest.ChatML)}
	models.Say = says("<tool_call>{}</tool_call>")
	api := &openai.API{Models: models}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range []string{"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/rerank", "/tokenize", "/detokenize", "/apply-template"} {
			a := api.Handle(t.Context(), openai.Call{Method: "POST", Path: path, Body: body})
			switch {
			case a.Events != nil:
				n := 0
				for range a.Events {
					if n++; n > 3 {
						break
					}
				}
			case a.Status != 200:
				e := parse(t, a.Body)["error"].(object)
				assert.NotEmpty(t, e["message"])
				assert.Less(t, a.Status, 500, "%s", a.Body)
			default:
				parse(t, a.Body)
			}
		}
	})
}
