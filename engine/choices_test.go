package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// choicesOf reads a stream to its end and checks that what streamed is what the result says.
func choicesOf(t testing.TB, s *Stream) Result {
	t.Helper()
	var ids [][]int32
	var texts []string
	for c, more := s.Next(); more; c, more = s.Next() {
		for len(ids) <= c.Index {
			ids, texts = append(ids, nil), append(texts, "")
		}
		ids[c.Index] = append(ids[c.Index], c.Token.ID)
		texts[c.Index] += c.Text
	}
	r := s.Result()
	require.NoError(t, r.Err)
	require.Len(t, r.Choices, len(ids))
	for i, c := range r.Choices {
		assert.Equal(t, i, c.Index)
		assert.Equal(t, ids[i], c.IDs)
		assert.Equal(t, texts[i], c.Text)
	}
	assert.Equal(t, r.Choices[0].IDs, r.IDs)
	assert.Equal(t, r.Choices[0].Text, r.Text)
	assert.Equal(t, r.Choices[0].Reason, r.Reason)
	return r
}

func idsOf(r Result) (all [][]int32) {
	for _, c := range r.Choices {
		all = append(all, c.IDs)
	}
	return all
}

// Samples from one prefill are what requests of their own would give, whatever runs beside them, and share the prompt's
// blocks.
func TestSamples(t *testing.T) {
	const tokens = 12
	e := openModel(t, "tiny-tales", Options{Deterministic: true, Context: 128, MaxSeqs: 8, KVMemory: 4 << 20})
	draws := sample.Params{Temperature: 0.9, TopP: 0.95, Seed: 41}
	prompts := slices.Delete(testPrompts(4), 2, 3) // 1, 17 and 40 tokens: blocks have 16
	alone := func(prompt []int32, p sample.Params) []int32 {
		return choicesOf(t, submit(t, e, Request{Prompt: prompt, MaxTokens: tokens, Sample: p})).IDs
	}
	for _, prompt := range prompts {
		beside := submit(t, e, Request{Prompt: prompts[1], MaxTokens: tokens})
		several := submit(t, e, Request{Prompt: prompt, MaxTokens: tokens, Sample: draws, N: 4})
		greedy := submit(t, e, Request{Prompt: prompt, MaxTokens: tokens, N: 2})
		r := choicesOf(t, several)
		var want [][]int32
		for i := range 4 {
			p := draws
			p.Seed += uint64(i)
			want = append(want, alone(prompt, p))
		}
		assert.Equal(t, want, idsOf(r), "a prompt of %d", len(prompt))
		assert.NotEqual(t, want[0], want[1])
		assert.Equal(t, len(slices.Concat(want...)), r.Figures.GeneratedTokens)
		one := alone(prompt, sample.Params{})
		assert.Equal(t, [][]int32{one, one}, idsOf(choicesOf(t, greedy)))
		assert.Equal(t, alone(prompts[1], sample.Params{}), choicesOf(t, beside).IDs)
		if len(prompt) == 40 {
			assert.Equal(t, 2+4*2, r.Figures.Blocks, "two full blocks of the prompt are shared, and two are each one's own")
		}
	}
}

// BestOf gives the draws with the best mean log-probability, and shows log-probabilities only to who asks.
func TestBestOf(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Deterministic: true, Context: 128, MaxSeqs: 8, KVMemory: 4 << 20})
	prompt := testPrompts(2)[1]
	r := Request{Prompt: prompt, MaxTokens: 12, Sample: sample.Params{Temperature: 1, TopP: 1, Seed: 7, Logprobs: 2}, N: 5}
	all := choicesOf(t, submit(t, e, r)).Choices
	for i := range all {
		sum := 0.0
		for _, token := range all[i].Tokens {
			sum += float64(token.Logprob)
			require.Len(t, token.Top, 2)
		}
		assert.InDelta(t, sum, all[i].Logprob, 1e-9)
		assert.InDelta(t, sum/float64(len(all[i].IDs)), all[i].Score, 1e-9)
	}
	start := all[0].Text[:3]
	slices.SortStableFunc(all, func(a, b Choice) int {
		if a.Score > b.Score {
			return -1
		}
		return 1
	})
	r.N, r.BestOf, r.Sample.Logprobs = 2, 5, 0
	chosen := choicesOf(t, submit(t, e, r))
	assert.Equal(t, [][]int32{all[0].IDs, all[1].IDs}, idsOf(chosen))
	assert.Equal(t, all[0].Score, chosen.Choices[0].Score)
	assert.Empty(t, chosen.Choices[0].Tokens)
	assert.Equal(t, 60, chosen.Figures.GeneratedTokens)

	r.N, r.BestOf, r.Stop = 3, 0, []string{start}
	stopped := choicesOf(t, submit(t, e, r))
	for _, c := range stopped.Choices {
		assert.NotContains(t, c.Text, r.Stop[0], "each sample has its own stop")
	}
	assert.Equal(t, FinishStop, stopped.Choices[0].Reason)
}

func TestCancelledChoices(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 512, MaxSeqs: 8, KVMemory: 4 << 20})
	for name, r := range map[string]Request{
		"samples": {N: 3, Sample: sample.Defaults()},
		"best of": {N: 2, BestOf: 3, Sample: sample.Defaults()},
		"beams":   {N: 2, Beams: &Beams{Width: 3}},
	} {
		r.Prompt, r.IgnoreEnd = testPrompts(2)[1], true
		ctx, cancel := context.WithCancel(context.Background())
		s, err := e.Submit(ctx, r)
		require.NoError(t, err)
		for before := e.Stats().Tokens; e.Stats().Tokens < before+30; {
			submit(t, e, Request{Prompt: r.Prompt, MaxTokens: 1}).Result()
		}
		cancel()
		result := s.Result()
		assert.Equal(t, FinishCancelled, result.Reason, name)
		require.Len(t, result.Choices, r.N, name)
		for _, c := range result.Choices {
			assert.NotEmpty(t, c.IDs, name)
			assert.Equal(t, FinishCancelled, c.Reason, name)
		}
	}
	submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 1}).Result()
	assert.Zero(t, e.Stats().Running)
	assert.Zero(t, e.Stats().Blocks.Active, "cancelled requests give their blocks back")
}
