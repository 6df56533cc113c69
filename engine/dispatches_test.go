package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// A decode step that goes to the GPU by itself has at most five dispatches a layer, two for the embedding and the head, and two that draw, however they do.
func TestDecodeDispatches(t *testing.T) {
	if runsFew() {
		t.Skip("a model has as many on every host")
	}
	e := openModel(t, "tiny-tales", Options{Context: 64, MaxSeqs: 1, Eager: true, Depth: 4})
	for _, p := range []sample.Params{{}, {Temperature: 0.8, TopK: 40}, {Temperature: 0.8, TopK: 40, TopP: 0.95, MinP: 0.02}, {Temperature: 1, TopP: 0.9}} {
		r := submit(t, e, Request{Prompt: testPrompts(3)[2], MaxTokens: 6, IgnoreEnd: true, Sample: p}).Result()
		require.NoError(t, r.Err)
		assert.LessOrEqual(t, e.Stats().Dispatches, 5*e.plan.Config.Layers+4, "%+v", p)
	}
}
