package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

func TestGrammar(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Deterministic: false, Context: 256, MaxSeqs: 4, KVMemory: 4 << 20})
	for _, g := range []Grammar{
		{Kind: Regex, Source: "[a-f]{3,7}-[0-9]+x"},
		{Kind: JSONSchema, Source: `{"type":"object","properties":{"name":{"type":"string","maxLength":12},"age":{"type":"integer","minimum":0,"maximum":99},"constant":{"const":"a long one that is forced"}},"required":["name","age","constant"],"additionalProperties":false}`},
	} {
		for n := range 3 {
			p := sample.Params{Temperature: float64(n) * 2, TopP: 1, Seed: uint64(n)}
			r := submit(t, e, Request{Prompt: testPrompts(4)[3], MaxTokens: 100, Sample: p, Grammar: &g}).Result()
			require.NoError(t, r.Err)
			t.Log(r.Reason, len(r.IDs), r.Text)
			assert.Equal(t, FinishStop, r.Reason)
		}
	}
}
