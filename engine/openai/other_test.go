package openai_test

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

func TestEmbeddings(t *testing.T) {
	d := newDoor(t, "", nil)
	vector := []any{float64(float32(0.6)), float64(float32(0.8)), 0.0, 0.0}
	o := d.post(t, "/v1/embeddings", `{"model": "kite-1", "input": ["a", "bc"], "dimensions": 4}`)
	assert.Equal(t, "list", o["object"])
	require.Len(t, o["data"], 2)
	for i := range 2 {
		e := o["data"].([]any)[i].(object)
		assert.Equal(t, []any{"embedding", float64(i)}, []any{e["object"], e["index"]})
		assert.InDeltaSlice(t, vector, e["embedding"], 1e-6)
	}
	assert.Equal(t, object{"prompt_tokens": 3.0, "total_tokens": 3.0}, o["usage"])
	for _, input := range []string{`"a"`, `[97]`, `[[97]]`, `["a"]`} {
		assert.Equal(t, 1.0, at(d.post(t, "/v1/embeddings", `{"input": `+input+`}`), "usage.prompt_tokens"), input)
	}

	text := at(d.post(t, "/v1/embeddings", `{"input": "a", "encoding_format": "base64"}`), "data.0.embedding").(string)
	data, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	require.Len(t, data, 16)
	assert.InDelta(t, 0.8, math.Float32frombits(binary.LittleEndian.Uint32(data[4:])), 1e-6)

	var got generation.Request
	d.models.Ask = func(r generation.Request) { got = r }
	d.post(t, "/v1/embeddings", `{"input": "a", "pooling": "last", "normalize": false, "user": "ann"}`)
	assert.Equal(t, generation.Embed{Pooling: generation.PoolLast, Raw: true}, *got.Embed)
	assert.Equal(t, "ann", got.Tenant)

	d.models.Change(func(a *openai.About) { a.Pooling = generation.PoolRank })
	d.post(t, "/v1/embeddings", `{"input": "a"}`)
	assert.Equal(t, generation.PoolMean, got.Embed.Pooling, "a score is no embedding")
	d.models.Change(func(a *openai.About) { a.Scores, a.NoText = false, true })
	for path, body := range map[string]string{"/v1/rerank": `{"query": "a", "documents": ["b"]}`, "/v1/completions": `{"prompt": "a"}`} {
		a := d.call(t, "POST", path, body)
		assert.Equal(t, []any{400, "model"}, []any{a.Status, at(parse(t, a.Body), "error.param")}, path)
	}
}

func TestRerank(t *testing.T) {
	d := newDoor(t, "", nil)
	for _, path := range []string{"/v1/rerank", "/rerank", "/v2/rerank", "/v1/reranking"} {
		o := d.post(t, path, `{"query": "?", "documents": ["a fox", {"text": "kite, kite"}, "a kite"], "top_n": 2, "return_documents": true}`)
		assert.Equal(t, "kite-1", o["model"])
		results := o["results"].([]any)
		require.Len(t, results, 2)
		assert.Equal(t, []any{1.0, object{"text": "kite, kite"}}, []any{at(results[0], "index"), at(results[0], "document")})
		assert.InDelta(t, 1/(1+math.Exp(-1)), at(results[0], "relevance_score"), 1e-6)
		assert.Equal(t, 2.0, at(results[1], "index"))
		assert.InDelta(t, 0.5, at(results[1], "relevance_score"), 1e-6)
		assert.Positive(t, at(o, "usage.total_tokens"))
	}
	o := d.post(t, "/v1/rerank", `{"query": "?", "texts": ["a fox"], "raw_scores": true}`)
	assert.Equal(t, []any{object{"index": 0.0, "relevance_score": -1.0}}, o["results"])
}

func TestTokens(t *testing.T) {
	d := newDoor(t, openaitest.ChatML, nil)
	assert.Equal(t, object{"tokens": []any{97.0, 257.0}}, d.post(t, "/tokenize", `{"content": "a<|im_start|>"}`))
	assert.Len(t, d.post(t, "/tokenize", `{"content": "a<|im_start|>", "parse_special": false}`)["tokens"], 13)
	assert.Equal(t, []any{object{"id": 195.0, "piece": []any{195.0}}, object{"id": 169.0, "piece": []any{169.0}}, object{"id": 97.0, "piece": "a"}},
		d.post(t, "/tokenize", `{"content": "éa", "with_pieces": true}`)["tokens"])
	assert.Equal(t, object{"tokens": []any{}}, d.post(t, "/v1/tokenize", `{"content": ""}`))
	assert.Equal(t, object{"content": "a<|im_start|>é"}, d.post(t, "/detokenize", `{"tokens": [97, 257, 195, 169]}`))
	assert.Equal(t, object{"content": ""}, d.post(t, "/detokenize", `{"tokens": []}`))
	o := d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}]}`)
	assert.Equal(t, "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n", o["prompt"])
	for answer, want := range map[string]string{"A kite ": "A kite ", "<": "<", "d": "d", "|im_end|": "|im_end|"} { // which is in the marks behind it, too
		o = d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "`+answer+`"}], "continue_final_message": true}`)
		assert.Equal(t, "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n"+want, o["prompt"])
	}
	o = d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": [{"type": "text", "text": "A kite"}]}], "continue_final_message": true}`)
	assert.Equal(t, "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\nA kite", o["prompt"])
	trims := newDoor(t, strings.Replace(openaitest.ChatML, "message.content if", "message.content | trim if", 1), nil)
	o = trims.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": " A kite \n"}], "continue_final_message": true}`)
	assert.Equal(t, "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\nA kite", o["prompt"], "as the template has it")
	for _, content := range []string{`" "`, `""`, `[]`} {
		a := d.call(t, "POST", "/apply-template", `{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": `+content+`}], "continue_final_message": true}`)
		assert.Equal(t, 400, a.Status, content)
	}
	o = d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}], "add_generation_prompt": false}`)
	assert.Equal(t, "<|im_start|>user\n?<|im_end|>\n", o["prompt"])
}

func TestTemplateValues(t *testing.T) {
	d := newDoor(t, `{{ reasoning_effort }} {{ enable_thinking }} {{ mood | tojson }}`, nil)
	o := d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}], "reasoning_effort": "none", "chat_template_kwargs": {"mood": {"z": 1, "a": [2.5]}}}`)
	assert.Equal(t, `none False {"z": 1, "a": [2.5]}`, o["prompt"])
	o = d.post(t, "/apply-template", `{"messages": [{"role": "user", "content": "?"}], "reasoning_effort": "high", "chat_template_kwargs": {"enable_thinking": true, "mood": 1}}`)
	assert.Equal(t, `high True 1`, o["prompt"])
}
