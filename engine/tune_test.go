//go:build !js

package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/attention"
	"quire/engine/kernel"
	"quire/engine/sample"
)

// What is measured of a model's products is what its kernels are next time, unless the mode is deterministic. The text is the same.
func TestTuneRows(t *testing.T) {
	open := func(o Options) *Engine {
		o.MaxSeqs, o.Context = 2, 64
		return openModel(t, "tiny-tales", o)
	}
	e := open(Options{})
	var kinds []kernel.RowMatrix
	want := submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 3, IgnoreEnd: true}).Result()
	tried, tuning, err := e.TuneRows(context.Background(), 2, func(m kernel.RowMatrix, done, total int) {
		require.Len(t, kinds, done)
		require.Less(t, done, total)
		kinds = append(kinds, m)
	})
	require.NoError(t, err)
	require.NotEmpty(t, kinds)
	assert.Len(t, tried, 2*len(kinds))
	require.Len(t, tuning.Products, len(kinds))
	for i, p := range tuning.Products {
		assert.Equal(t, kinds[i], p.RowMatrix)
	}
	// Of each the one that is no adapter's choice.
	for i := range tuning.Products {
		tuning.Products[i].RowShape = tried[2*i+1].RowShape
		assert.Empty(t, tried[2*i+1].Skipped)
	}
	hashes := func(e *Engine) (all []string) {
		for _, m := range e.kernels {
			if strings.HasPrefix(m.Label, "matvec") {
				all = append(all, m.Hash())
			}
		}
		return all
	}
	o := Options{Tunings: attention.Tunings{tuning}}
	tuned := open(o)
	assert.NotEqual(t, hashes(e), hashes(tuned))
	assert.Equal(t, want.Text, submit(t, tuned, Request{Prompt: testPrompts(1)[0], MaxTokens: 3, IgnoreEnd: true}).Result().Text)
	o.Deterministic = true
	assert.Equal(t, hashes(open(Options{Deterministic: true})), hashes(open(o)))
}

// Tiles that are measured of a model's products are those of its next prompts, unless the mode is deterministic. The logits are the same.
func TestTuneTiles(t *testing.T) {
	prompt := make([]int32, 140)
	for i := range prompt {
		prompt[i] = int32(3 + i%200)
	}
	open := func(o Options) *Engine {
		o.MaxSeqs, o.Context = 2, 256
		return openModel(t, "tiny-tales", o)
	}
	logits := func(e *Engine) Result {
		return submit(t, e, Request{Prompt: prompt, MaxTokens: 3, IgnoreEnd: true, Sample: sample.Params{Logprobs: 5}}).Result()
	}
	plain := open(Options{})
	want := logits(plain)
	e := open(Options{})
	var kinds []kernel.RowMatrix
	tried, tuning, err := e.TuneTiles(context.Background(), true, func(m kernel.RowMatrix, done, total int) {
		require.Len(t, kinds, done)
		require.Less(t, done, total)
		kinds = append(kinds, m)
	})
	require.NoError(t, err)
	require.NotEmpty(t, kinds)
	assert.Len(t, tried, 3*len(kinds))
	require.Len(t, tuning.ProductTiles, len(kinds))
	for i := range tuning.ProductTiles {
		assert.Equal(t, kinds[i], tuning.ProductTiles[i].RowMatrix)
		assert.Empty(t, tried[3*i+1].Skipped)
		tuning.ProductTiles[i].Tile = tried[3*i+1].Tile // no adapter's choice
	}
	o := Options{Tunings: attention.Tunings{tuning}}
	tuned := open(o)
	assert.Contains(t, tuned.Info().Variant, "tile128")
	assert.NotContains(t, plain.Info().Variant, "tile128")
	got := logits(tuned)
	assert.Equal(t, want.Text, got.Text)
	require.Len(t, got.Tokens, 3)
	assert.Equal(t, want.Tokens, got.Tokens)
	o.Deterministic = true
	assert.NotContains(t, open(o).Info().Variant, "tile128")
}

func TestTuneRowsWithoutAChoice(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{MaxSeqs: 2, Context: 64, Variant: "baseline"})
	_, _, err := e.TuneRows(context.Background(), 2, func(kernel.RowMatrix, int, int) {})
	require.ErrorContains(t, err, "leaves no choice")
}
