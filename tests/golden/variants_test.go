package golden

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/tests/testdata"
)

// Arithmetic that rounds what is multiplied keeps to what golden logits say of f16; rounding to 8 bits has a tolerance of its own.
func TestVariants(t *testing.T) {
	for _, variant := range []string{"f16", "matrix", "packed"} {
		t.Run(variant, func(t *testing.T) {
			if variant == "packed" && !gputest.First && !all() {
				t.Skip("the first host has these tokens; a browser's software adapter takes over a minute")
			}
			f, size := testdata.Open(t, "models/quire-tales.gguf")
			e, err := engine.Open(context.Background(), gpu.ReaderSource(f, size), engine.Options{KVType: "f32", Context: 1024, TokenBudget: 256, Variant: variant})
			if err != nil {
				require.ErrorContains(t, err, "variant "+variant)
				t.Skip(err)
			}
			t.Cleanup(func() { assert.NoError(t, e.Close()) })
			assert.Contains(t, e.Info().Variant, variant)
			p := load(t, "quire-tales", "turns")
			tolerance := 3 * p.F16Arith
			if variant == "packed" {
				tolerance = packedTolerance
			}
			follow(t, e, p, tolerance)
		})
	}
}

// packedTolerance is twice what rounding to 8 bits was measured to do to the logits of quire-tales.
const packedTolerance = 0.44

// Eight rows of Q4_0's codes go by strips, with sums of sixteen in f16. Where no such kernels may be had, the variant says so.
func TestStrips(t *testing.T) {
	f := loadFamily(t, "quant-q4_0")
	file, size := testdata.Open(t, "families/quant-q4_0.gguf")
	e, err := engine.Open(context.Background(), gpu.ReaderSource(file, size), engine.Options{KVType: "f32", TokenBudget: 8, MaxSeqs: 1, Variant: "f16"})
	if err != nil {
		require.ErrorContains(t, err, "variant f16")
		t.Skip(err)
	}
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	assert.Contains(t, strings.Join(slices.Collect(maps.Values(e.Kernels())), "\n"), "strips ")
	worst, eights := 0.0, 0
	for _, p := range f.Prompts {
		generate(t, e, engine.Request{Prompt: p.PromptIDs, MaxTokens: 1, IgnoreEnd: true, Logits: func(at int, logits []float32) {
			if at >= len(p.PromptIDs)/8*8 { // of a chunk of fewer
				return
			}
			eights++
			for id, want := range f.want(&p, at) {
				worst = max(worst, math.Abs(float64(logits[id])-float64(want)))
			}
		}})
	}
	assert.Positive(t, eights)
	assert.LessOrEqual(t, worst, stripsTolerance)
	assert.Greater(t, worst, f.tolerance(), "this is f32")
	t.Logf("largest difference of a logit at %d positions: %.2g", eights, worst)
}

// stripsTolerance is twice what sums of strips in f16 were measured to do to the logits of quant-q4_0, which are up to 8.7.
const stripsTolerance = 0.04
