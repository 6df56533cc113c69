package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
	"quire/engine/step"
)

// Behind the last layer's attention only rows go on that something is asked of: what is drawn is the same, to the bit, as when every row
// is asked for its logits, for one prompt in chunks and for two that end in one step.
func TestAskedRows(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Deterministic: true, NoPrefixCache: true, Context: 256, TokenBudget: 40, LongPrompt: -1, MaxSeqs: 2})
	var steps [][2]int // tokens and outputs
	e.trace = func(s *step.Step) { steps = append(steps, [2]int{len(s.Tokens), len(s.Outputs)}) }
	prompt := func(n, seed int) (ids []int32) {
		for i := range n {
			ids = append(ids, int32(3+(i*i*5+i*seed)%250))
		}
		return ids
	}
	ask := func(ids []int32, all bool) *Stream {
		r := Request{Prompt: ids, MaxTokens: 2, IgnoreEnd: true, Sample: sample.Params{Logprobs: 5}}
		if all {
			r.Logits = func(int, []float32) {}
		}
		return submit(t, e, r)
	}
	end := func(s *Stream) []sample.Token {
		r := s.Result()
		require.NoError(t, r.Err)
		require.Len(t, r.Tokens, 2)
		return r.Tokens
	}
	long, one, other := prompt(40+20, 1), prompt(17, 7), prompt(21, 11)
	want := [][]sample.Token{end(ask(long, true)), end(ask(one, true)), end(ask(other, true))}

	steps = nil
	assert.Equal(t, want[0], end(ask(long, false)))
	assert.Equal(t, [][2]int{{40, 0}, {20, 1}, {1, 1}}, steps)

	steps = nil
	var both []*Stream
	require.NoError(t, e.loop.Call(func() {
		both = append(both, ask(one, false), ask(other, false)) // one step takes both
	}))
	assert.Equal(t, want[1], end(both[0]))
	assert.Equal(t, want[2], end(both[1]))
	assert.Equal(t, [2]int{38, 2}, steps[0])
}
