package local_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/chat"
	"quire/engine/gpu"
	"quire/engine/json"
	"quire/engine/openai"
	"quire/engine/openai/local"
	"quire/tests/testdata"
)

// TestTales: the built-in model answers calls as the engine answers requests.
func TestTales(t *testing.T) {
	f, size := testdata.Open(t, "models/quire-tales.gguf")
	e, err := engine.Open(context.Background(), gpu.ReaderSource(f, size), engine.Options{GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}, Deterministic: true, Context: 256, MaxSeqs: 4})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	api := &openai.API{Models: local.Models{Engine: local.New(e, "", 0)}}

	const question = "Tell me a story about a fox and a kite that flew over the hills, and about the bear who found it."
	prompt, err := e.ChatPrompt([]chat.Message{{Role: "user", Content: question}}, chat.Options{})
	require.NoError(t, err)
	s, err := e.Submit(context.Background(), engine.Request{Prompt: prompt, MaxTokens: 24})
	require.NoError(t, err)
	want := s.Result()
	require.NoError(t, want.Err)

	body := `{"model": "any", "temperature": 0, "max_tokens": 24, "messages": [{"role": "user", "content": "` + question + `"}]`
	ask := func(path, body string) *openai.Answer {
		return api.Handle(context.Background(), openai.Call{Method: "POST", Path: path, Body: []byte(body)})
	}
	a := ask("/v1/chat/completions", body+`}`)
	require.Equal(t, 200, a.Status, "%s", a.Body)
	answer, err := json.Parse(a.Body)
	require.NoError(t, err)
	o := answer.(*json.Object)
	message := o.At("choices").([]any)[0].(*json.Object).At("message").(*json.Object)
	assert.Equal(t, strings.TrimRight(want.Text, " \n"), strings.TrimRight(message.At("content").(string), " \n"))
	assert.Equal(t, "Quire Tales", o.At("model"))
	usage := o.At("usage").(*json.Object)
	assert.Equal(t, json.Number("24"), usage.At("completion_tokens"))
	cached := usage.At("prompt_tokens_details").(*json.Object).At("cached_tokens")
	assert.NotEqual(t, json.Number("0"), cached, "the prompt was computed once already")

	a = ask("/v1/chat/completions", body+`, "stream": true}`)
	require.Equal(t, 200, a.Status, "%s", a.Body)
	var text strings.Builder
	for event := range a.Events {
		value, err := json.Parse([]byte(strings.TrimPrefix(string(event), "data: ")))
		if err != nil {
			assert.Equal(t, "data: [DONE]\n\n", string(event))
			continue
		}
		delta := value.(*json.Object).At("choices").([]any)[0].(*json.Object).At("delta").(*json.Object)
		if piece, ok := delta.At("content").(string); ok {
			text.WriteString(piece)
		}
	}
	assert.Equal(t, message.At("content"), text.String())

	a = ask("/v1/embeddings", `{"input": "a fox"}`)
	require.Equal(t, 200, a.Status, "%s", a.Body)
	a = ask("/v1/completions", `{"prompt": "Once upon", "echo": true, "logprobs": 1, "max_tokens": 0}`)
	require.Equal(t, 200, a.Status, "%s", a.Body)
	assert.Contains(t, string(a.Body), `"text_offset":[0,0,4],`, "what begins every prompt is no part of the text")
	assert.Contains(t, string(a.Body), `"tokens":["<|endoftext|>","Once"," upon"],`)
	a = ask("/v1/rerank", `{"query": "a", "documents": ["b"]}`)
	assert.Equal(t, 400, a.Status)
	a = ask("/tokenize", `{"content": "`+question+`"}`)
	assert.Equal(t, 200, a.Status)
}
