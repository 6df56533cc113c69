package engine

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/sample"
	"quire/engine/step"
)

func openRandom(t *testing.T, m randomModel, o Options) *Engine {
	t.Helper()
	file := m.file(t)
	o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
	e, err := Open(context.Background(), gpu.ReaderSource(file, file.Size()), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

// NaN and infinity in any weight that a prompt meets reach its logits, whatever K and V are stored as, and the request says so. A model
// whose RoPE factors are no numbers is not opened.
func TestWeightsThatAreNoNumbers(t *testing.T) {
	nan, infinity := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		tensor string
		weight float32
		kv     string
		always bool
	}{
		{"blk.1.attn_k.weight", nan, "f16", true},
		{"blk.1.attn_q.weight", infinity, "q8", true},
		{"blk.0.attn_v.weight", nan, "q8", true},
		{"blk.1.attn_v.weight", -infinity, "f16", false},
		{"blk.1.ffn_gate.weight", nan, "bf16", false},
		{"blk.1.attn_v.bias", nan, "bf16", true},
		{"blk.1.attn_k.bias", infinity, "f32", false},
		{"blk.1.attn_norm.weight", nan, "bf16", false},
		{"blk.0.attn_output.weight", infinity, "f32", false},
		{"blk.1.ffn_down.weight", nan, "q8", false},
		{"output_norm.weight", infinity, "f16", false},
		{"output.weight", -infinity, "f16", true},
	} {
		if !c.always && os.Getenv("QUIRE_ALL") == "" || runsFew() && c.tensor != "blk.1.attn_k.weight" {
			continue
		}
		t.Run(fmt.Sprintf("%v in %s, %s", c.weight, c.tensor, c.kv), func(t *testing.T) {
			m := randomModel{arch: "qwen2", headDim: 16, rotary: 16, kvHeads: 2, ffn: 96, bias: true, head: true, factors: true}
			m.spoil = func(name string, weights []float32) {
				if name == c.tensor {
					weights[len(weights)/2] = c.weight
				}
			}
			e := openRandom(t, m, Options{KVType: c.kv, MaxSeqs: 2})
			r := submit(t, e, Request{Prompt: []int32{5, 6, 7}, MaxTokens: 2, IgnoreEnd: true}).Result()
			assert.Equal(t, FinishError, r.Reason)
			require.ErrorIs(t, r.Err, ErrNotNumbers)
			assert.Empty(t, r.IDs)
		})
	}
}

// A token whose embedding is NaN fails the requests that meet it, in every way to draw, and nobody else: neither beside them
// nor through the prefix cache.
func TestBrokenRequestHarmsNoOther(t *testing.T) {
	m := randomModel{arch: "llama", headDim: 16, rotary: 16, kvHeads: 2, ffn: 96, head: true}
	o := Options{KVType: "f32", BlockSize: 4, TokenBudget: 24, MaxSeqs: 8, Depth: 4}
	healthy := make([]int32, 18)
	for i := range healthy {
		healthy[i] = int32(3 + (i*i*5+i)%(randomVocabulary-3))
	}
	ask := Request{Prompt: healthy, MaxTokens: 12, IgnoreEnd: true}
	whole := openRandom(t, m, o)
	want := submit(t, whole, ask).Result()
	require.Equal(t, FinishLength, want.Reason)
	other := ask
	other.Prompt = append([]int32{40}, healthy...)
	wantOther := submit(t, whole, other).Result().IDs

	bad := want.IDs[3] // so that the request breaks in its decode
	for _, id := range append(append([]int32(nil), want.IDs[:3]...), append(other.Prompt, wantOther...)...) {
		require.NotEqual(t, bad, id, "the test wants a token that only one of the texts has")
	}
	m.spoil = func(name string, weights []float32) {
		if name == "token_embd.weight" {
			weights[int(bad)*randomWidth+3] = float32(math.NaN())
		}
	}
	e := openRandom(t, m, o)
	beside := submit(t, e, other)
	var failing []*Stream
	long := append(append([]int32(nil), healthy...), bad, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
	requests := []Request{
		{Prompt: long, Logits: func(p int, logits []float32) {
			for _, x := range logits {
				assert.False(t, math.IsNaN(float64(x)), "position %d", p)
			}
		}},
		{Prompt: long, MaxTokens: 1, Sample: sample.Params{Logprobs: 5}},
		{Prompt: long, Sample: sample.Params{Temperature: 1, TopK: 7, TopP: 0.9, MinP: 0.1}, N: 2},
		{Prompt: long, Sample: sample.Params{Temperature: 1}, BestOf: 3},
		{Prompt: long, Beams: &Beams{Width: 2}},
	}
	for _, r := range requests {
		r.MaxTokens, r.IgnoreEnd = max(r.MaxTokens, 3), true
		failing = append(failing, submit(t, e, r))
	}
	for i, s := range failing {
		r := s.Result()
		assert.Equal(t, FinishError, r.Reason, "request %d", i)
		require.ErrorIs(t, r.Err, ErrNotNumbers, "request %d", i)
		for _, c := range r.Choices {
			assert.Empty(t, c.IDs, "request %d", i)
		}
	}
	assert.Equal(t, wantOther, beside.Result().IDs, "beside requests that failed")

	again := submit(t, e, Request{Prompt: healthy, MaxTokens: 1, IgnoreEnd: true}).Result()
	assert.Equal(t, want.IDs[:1], again.IDs[:1])
	assert.Zero(t, again.Figures.CachedTokens, "what a failed request computed is not found")

	late := submit(t, e, ask).Result()
	require.ErrorIs(t, late.Err, ErrNotNumbers)
	assert.Equal(t, want.IDs[:4], late.IDs, "what came before it stays")
}

// A drafted token that the model itself would not say harms nothing, even where its embedding is NaN.
func TestBrokenDraftHarmsNothing(t *testing.T) {
	if runsFew() {
		t.Skip("one host is enough")
	}
	m := randomModel{arch: "llama", headDim: 16, rotary: 16, kvHeads: 2, ffn: 96, head: true}
	prompt := []int32{5, 6, 7, 8, 9, 10}
	o := Options{KVType: "f32", BlockSize: 4, MaxSeqs: 2, Deterministic: true, NoSelfTest: true}
	ask := Request{Prompt: prompt, MaxTokens: 12, IgnoreEnd: true}
	bad := submit(t, openRandom(t, m, o), ask).Result().IDs[3]

	drafts := m.file(t)
	o.DraftModel = gpu.ReaderSource(drafts, drafts.Size())
	m.spoil = func(name string, weights []float32) {
		row := weights[:0]
		if name == "token_embd.weight" || name == "output.weight" {
			row = weights[int(bad)*randomWidth:][:randomWidth]
		}
		for i := range row {
			row[i] = 0
			if name == "token_embd.weight" {
				row[i] = float32(math.NaN())
			}
		}
	}
	e := openRandom(t, m, o)
	plain := ask
	plain.DraftMax = -1
	want := submit(t, e, plain).Result()
	require.NoError(t, want.Err)
	require.NotContains(t, want.IDs, bad)
	drafted := 0
	e.trace = func(s *step.Step) {
		if slices.Contains(s.Tokens, bad) {
			drafted++
		}
	}
	got := submit(t, e, ask).Result()
	require.NoError(t, got.Err)
	assert.Equal(t, want.IDs, got.IDs)
	assert.Equal(t, 1, drafted)
}
