package loop

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// Drafts change how many steps a text takes and nothing else: it ends at the same token, whatever ends it in the middle of one.
func TestDraftsChangeNothing(t *testing.T) {
	ends := func(row *step.Row, counter uint32) sample.Token {
		if counter == 17 {
			return letter(endToken)
		}
		return alphabet(row, counter)
	}
	wrong := 0
	for _, depth := range []int{1, 4} {
		for name, q := range map[string]generation.Request{
			"end token":  {},
			"stop text":  {Stop: []string{"jk"}},
			"length":     {MaxTokens: 12},
			"one token":  {MaxTokens: 1},
			"past ends":  {MinTokens: 25, MaxTokens: 40},
			"samples":    {N: 3, MaxTokens: 14},
			"best of":    {N: 1, BestOf: 3, MaxTokens: 14},
			"late stop":  {Stop: []string{"abc", "lmn"}, MinTokens: 5},
			"no drafts":  {MaxTokens: 14, DraftMax: -1},
			"penalties":  {MaxTokens: 14, Sample: sample.Params{PresencePenalty: 1}},
			"all logits": {MaxTokens: 14, Logits: func(int, []float32) {}},
		} {
			run := func(rows int) (generation.Result, int, int) {
				r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: depth, PrefixCache: true, DraftRows: rows}, ends)
				result := r.submit(q).result()
				r.close()
				return result, len(r.runner.steps), r.runner.drafted
			}
			want, plain, _ := run(0)
			require.NoError(t, want.Err)
			got, steps, drafted := run(16)
			assert.Equal(t, want.Choices, got.Choices, "%s at depth %d", name, depth)
			assert.Equal(t, want.Reason, got.Reason)
			if may := q.Drafts() && q.MaxTokens != 1; may && q.N == 0 {
				assert.Less(t, steps, plain, "%s at depth %d", name, depth)
				assert.Positive(t, got.Figures.AcceptedTokens)
				wrong += got.Figures.DraftedTokens - got.Figures.AcceptedTokens
			} else if !may {
				assert.Zero(t, drafted, name)
			}
		}
	}
	assert.Positive(t, wrong)
}

// Under a grammar too: each token of a draft is drawn under the mask that it would have had alone.
func TestDraftsUnderGrammars(t *testing.T) {
	steps := func(r *rig) int { return len(r.runner.steps) }
	for _, depth := range []int{1, 4} {
		for _, c := range []struct {
			source string
			q      generation.Request
			few    bool // drafts of it are often right
		}{
			{"[a-z]{40}", generation.Request{}, true},
			{"[a-z]{40}", generation.Request{MaxTokens: 23}, true},
			{"[a-z]{3,60}", generation.Request{MinTokens: 30, MaxTokens: 45}, true},
			{"[a-z]{3,60}", generation.Request{IgnoreEnd: true}, true},
			{"[a-z]{6}forced![a-z]{20}", generation.Request{}, true},
			{"[a-z]{6}forced![a-z]{20}", generation.Request{Sample: sample.Params{Logprobs: 2}}, true},
			{"([a-m]{2,9}[0-9])+", generation.Request{MaxTokens: 40}, false},
			{"[acegikmoqsuwy]{30}", generation.Request{N: 3}, false},
			{"[a-z]{40}", generation.Request{Stop: []string{"lm"}}, true},
			{"[a-z]{40}", generation.Request{Beams: &generation.Beams{Width: 2}, MaxTokens: 20}, false},
			{"[a-z]{9}(?:a|aa){500}", generation.Request{}, false},
		} {
			c.q.Grammar = &generation.Grammar{Kind: generation.Regex, Source: c.source}
			run := func(rows int) (generation.Result, *rig) {
				r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: depth, PrefixCache: true, DraftRows: rows}, alphabetBeams)
				r.grammars = generation.NewGrammars(r.tokenizer, r.tokenizer.Size(), grammar.Limits{Threads: 60})
				result := r.submit(c.q).result()
				r.close()
				return result, r
			}
			want, plain := run(0)
			got, drafting := run(16)
			assert.Equal(t, want.Choices, got.Choices, c.source)
			assert.Equal(t, want.Reason, got.Reason, c.source)
			if assert.Equal(t, want.Err == nil, got.Err == nil, c.source); want.Err != nil {
				assert.EqualError(t, got.Err, want.Err.Error())
			}
			if c.few {
				assert.Less(t, steps(drafting), steps(plain)*3/4, c.source)
				assert.Positive(t, got.Figures.AcceptedTokens)
			}
			assert.Equal(t, c.q.Beams == nil, drafting.runner.drafted > 0, c.source)
		}
	}
}

// What a draft breaks is computed again without it; what is broken all the same fails.
func TestBrokenDrafts(t *testing.T) {
	for _, depth := range []int{1, 4} {
		r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: depth, PrefixCache: true, DraftRows: 16}, alphabet)
		require.NoError(t, r.Call(func() {
			r.runner.broken = func(row *step.Row) bool { return row.Start > 0 && row.Count > 1 || row.Start > 20 }
		}))
		short := r.submit(generation.Request{MaxTokens: 14}).result()
		require.NoError(t, short.Err)
		assert.Equal(t, "abcdefghijklmn", short.Text)
		assert.Zero(t, short.Figures.AcceptedTokens)
		long := r.submit(generation.Request{MaxTokens: 40}).result()
		assert.ErrorIs(t, long.Err, generation.ErrNotNumbers)
		assert.Equal(t, "abcdefghijklmnopqrst", long.Text)
		r.close()
		drafts := 0
		for _, s := range r.runner.steps {
			if s.Rows[0].Start > 0 && s.Rows[0].Count > 1 {
				drafts++
			}
		}
		assert.Equal(t, 2, drafts, "one of each request")
	}
}

// Where many sequences run nobody is asked for drafts.
func TestManySequencesHaveNoDrafts(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: 2, MaxSeqs: 8, DraftRows: 4}, alphabet)
	var all []*stream
	require.NoError(t, r.Call(func() { // all come at once
		for range 6 {
			all = append(all, r.submit(generation.Request{MaxTokens: 20}))
		}
	}))
	for _, s := range all {
		require.NoError(t, s.result().Err)
	}
	r.close()
	for i, s := range r.runner.steps[1:] {
		for _, row := range s.Rows {
			if len(s.Rows) >= 4 {
				assert.EqualValues(t, 1, row.Count, "step %d", i)
			}
		}
	}
}
