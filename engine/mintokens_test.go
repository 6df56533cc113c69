package engine

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// Before MinTokens no end token is drawn: the likeliest other one is, and log-probabilities stay those of all tokens.
func TestMinTokens(t *testing.T) {
	if runsFew() {
		t.Skip("kernel's TestWithheldTokens is enough here")
	}
	e := openModel(t, "quire-tales", Options{Deterministic: true, Depth: 3, KVType: "f32", Context: 256, MaxSeqs: 8, KVMemory: 64 << 20})
	ends := e.tokenizer.Ends()
	isEnd := func(c Candidate) bool { return slices.Contains(ends, c.ID) }
	ask := Request{Prompt: dialogue(t, 16), MaxTokens: 40, Sample: sample.Params{Logprobs: 5}}
	short := submit(t, e, ask).Result()
	require.Equal(t, FinishStop, short.Reason)
	n := len(short.IDs)
	require.Less(t, n, 30, "the answer is short")

	for _, minTokens := range []int{n - 1, n + 2} {
		ask.MinTokens, ask.MaxTokens = minTokens, n+3
		beside := submit(t, e, Request{Prompt: ask.Prompt, MaxTokens: 40})
		got := submit(t, e, ask).Result()
		require.NoError(t, got.Err)
		assert.Equal(t, short.IDs, beside.Result().IDs, "another request ends as ever")
		assert.Equal(t, short.Tokens[:n-1], got.Tokens[:n-1])
		assert.Equal(t, short.Tokens[n-1].Top, got.Tokens[n-1].Top, "the same logits")
		if minTokens < n {
			assert.Equal(t, short.IDs, got.IDs, "the end may be the token after MinTokens")
			continue
		}
		assert.GreaterOrEqual(t, len(got.IDs), minTokens)
		for i, token := range got.Tokens[:minTokens] {
			assert.False(t, isEnd(token.Candidate), "token %d", i)
			likeliest := slices.IndexFunc(token.Top, func(c Candidate) bool { return !isEnd(c) })
			assert.Equal(t, token.Top[likeliest], token.Candidate, "token %d", i)
		}
		assert.True(t, isEnd(got.Tokens[n-1].Top[0]), "the end is what it wanted to say")
	}

	draws := Request{Prompt: ask.Prompt, MaxTokens: n + 8, MinTokens: n + 8, N: 4, Sample: sample.Params{Temperature: 1, TopP: 0.9, Seed: 3}}
	for _, c := range submit(t, e, draws).Result().Choices {
		assert.Len(t, c.IDs, n+8)
		assert.False(t, slices.ContainsFunc(c.IDs, e.tokenizer.IsEnd))
		assert.Equal(t, LimitTokens, c.Limit)
	}
}
