package loop

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
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
