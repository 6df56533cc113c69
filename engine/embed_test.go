package engine

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vectorOf embeds a prompt, the vector as it is.
func vectorOf(t testing.TB, e *Engine, prompt []int32, p Pooling) []float32 {
	t.Helper()
	r := submit(t, e, Request{Prompt: prompt, Embed: &Embed{Pooling: p, Raw: true}}).Result()
	require.NoError(t, r.Err)
	assert.Equal(t, FinishStop, r.Reason)
	return r.Embedding
}

// What a model that sees only what came before says of a prompt's last token is what it says of that token in any longer
// prompt: the mean of a prompt is that of its beginnings' last tokens, and its first token's vector that of the shortest. So
// it stays when the prompt is cut into chunks, has to make room on the way, shares a batch with text, and loses its device.
func TestEmbeddingsOfChunks(t *testing.T) {
	prompt := testPrompts(4)[3]
	perBlock := uint64(0)
	for _, c := range []struct {
		name    string
		options Options
		tight   bool
	}{
		{"chunks", Options{TokenBudget: 7}, false},
		{"recompute", Options{TokenBudget: 3, Preemption: "recompute"}, true},
		{"swap", Options{TokenBudget: 3, Preemption: "swap"}, true},
	} {
		if runsFew() && c.tight {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			o := c.options
			o.KVType, o.Deterministic, o.MaxSeqs, o.Context = "f32", true, 4, 64
			if c.tight {
				o.KVMemory = 6 * perBlock
			}
			e := openModel(t, "tiny-tales", o)
			perBlock = e.info.KVBytes / uint64(e.info.Blocks+1)
			want := make([]float64, 0)
			var first []float32
			for n := 1; n <= len(prompt); n++ {
				last := vectorOf(t, e, prompt[:n], PoolLast)
				if n == 1 {
					first, want = last, make([]float64, len(last))
				}
				for i, x := range last {
					want[i] += float64(x) / float64(len(prompt))
				}
			}
			talk := submit(t, e, Request{Prompt: prompt[:9], MaxTokens: 40, IgnoreEnd: true})
			other := submit(t, e, Request{Prompt: prompt[3:30], Embed: &Embed{Pooling: PoolMean}, Priority: 1})
			mean := submit(t, e, Request{Prompt: prompt, Embed: &Embed{Pooling: PoolMean, Raw: true}, Priority: 1})
			r := mean.Result()
			require.NoError(t, r.Err)
			worst := 0.0
			for i, x := range r.Embedding {
				worst = max(worst, math.Abs(float64(x)-want[i]))
			}
			assert.Less(t, worst, 1e-5)
			assert.Equal(t, first, vectorOf(t, e, prompt, PoolCLS))
			assert.Len(t, talk.Result().IDs, 40)
			assert.NotEmpty(t, other.Result().Embedding)
			assert.Equal(t, c.tight, e.Stats().Preemptions > 0, "%d preemptions", e.Stats().Preemptions)
		})
	}
}

func TestEmbeddingsThatMakeNoSense(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 64, MaxSeqs: 4})
	for what, r := range map[string]Request{
		"no scores":    {Prompt: []int32{1}, Embed: &Embed{Pooling: PoolRank}},
		"not mean":     {Prompt: []int32{1}, Embed: &Embed{Pooling: "sum"}},
		"goes without": {Prompt: []int32{1}, Embed: &Embed{}, N: 2},
		"has 65 token": {Prompt: make([]int32, 65), Embed: &Embed{}},
	} {
		_, err := e.Submit(context.Background(), r)
		assert.ErrorContains(t, err, what)
	}
	assert.NotEmpty(t, vectorOf(t, e, make([]int32, 64), PoolLast), "nothing comes after it: it may fill the context")
}
