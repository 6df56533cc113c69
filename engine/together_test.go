package engine

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// Steps that go to the GPU as one give what they give by themselves: tokens and log-probabilities, where blocks begin and sequences end, are
// held back from ending, come, are preempted and lose the GPU between the two.
func TestTogether(t *testing.T) {
	tokens, losses := 24, 2
	if runsFew() {
		tokens, losses = 16, 0
	}
	random := func(seed uint64) sample.Params {
		p := sample.Defaults()
		p.Seed = seed
		return p
	}
	penalized, logprobs := random(3), random(4)
	penalized.RepetitionPenalty, penalized.FrequencyPenalty = 1.3, 0.4
	logprobs.Logprobs = 3
	prompts := testPrompts(8)
	e := openModel(t, "tiny-tales", Options{Deterministic: true, Depth: 4, Context: 128, MaxSeqs: 6, KVMemory: 1 << 17, Preemption: "recompute", pairs: true})
	requests := []Request{
		{Prompt: prompts[1], MaxTokens: tokens, IgnoreEnd: true},
		{Prompt: prompts[2], MaxTokens: tokens - 1, IgnoreEnd: true, Sample: random(1)},
		{Prompt: prompts[3], MaxTokens: tokens, IgnoreEnd: true, Sample: penalized},
		{Prompt: prompts[4], MaxTokens: tokens, MinTokens: 5, Sample: logprobs},
		{Prompt: prompts[5], MaxTokens: tokens, IgnoreEnd: true, N: 2, Sample: random(5)},
		{Prompt: prompts[6], MaxTokens: 2 * tokens, IgnoreEnd: true},
		{Prompt: prompts[0], MaxTokens: 1, IgnoreEnd: true},
	}
	run := func(alone bool) (out []Result) {
		asked := slices.Clone(requests)
		for i := range asked {
			if alone && asked[i].N < 2 { // steps that bring whole rows of logits go by themselves
				asked[i].Logits = func(int, []float32) {}
			}
		}
		for _, s := range submitAll(t, e, asked) {
			r := s.Result()
			require.NoError(t, r.Err)
			r.Figures = Figures{}
			out = append(out, r)
		}
		return out
	}
	want := run(true)
	before, preempted := e.machine.Stats().Joined, e.Stats().Preemptions
	assert.Equal(t, want, run(false))
	assert.Greater(t, e.machine.Stats().Joined, before+uint64(tokens/4))
	assert.True(t, e.Stats().Preemptions > preempted || runsFew())
	for lost := range losses {
		loseAt(e, 11+lost) // the first and the second of two
		assert.Equal(t, want, run(false), "after %d losses", lost+1)
	}
	assert.Equal(t, losses, e.Stats().Recoveries)
}
