package engine

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// With partial hits a prompt copies the first tokens of a cached block that goes on otherwise, and says what it says alone.
func TestPartialHits(t *testing.T) {
	first := testPrompts(4)[3] // 40 tokens, in blocks of 16
	second := slices.Concat(first[:25], []int32{200, 201, 202, 203, 204, 205, 206, 207, 208})
	options := Options{Deterministic: true, Context: 128, MaxSeqs: 4, KVMemory: 4 << 20}
	run := func(e *Engine, prompt []int32) Result {
		r := submit(t, e, Request{Prompt: prompt, MaxTokens: 8, IgnoreEnd: true, Sample: sample.Params{Logprobs: 2}}).Result()
		require.NoError(t, r.Err)
		return r
	}
	options.NoPrefixCache = true
	alone := openModel(t, "tiny-tales", options)
	want := run(alone, second)
	options.NoPrefixCache = false
	for _, partial := range []bool{false, true} {
		options.PartialHits = partial
		e := openModel(t, "tiny-tales", options)
		before := run(e, first)
		got := run(e, second)
		assert.Equal(t, want.Choices, got.Choices)
		assert.Equal(t, map[bool]int{false: 16, true: 25}[partial], got.Figures.CachedTokens)
		s := e.Stats()
		assert.Equal(t, uint64(16), s.HitTokens)
		assert.Equal(t, map[bool]uint64{false: 0, true: 9}[partial], s.PartialTokens)
		assert.Equal(t, partial, s.Copies > 0)
		assert.Equal(t, before.Choices, run(e, first).Choices, "the block that was copied is as it was")
	}
}
