package reference

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trainCase is a model so small that every gradient can be measured by differences.
func trainCase(tied bool) (Config, Weights[float64], []int32, []int32) {
	c := Config{Architecture: "llama", Layers: 2, Width: 8, Heads: 4, KVHeads: 2, HeadDim: 4, FFN: 12, Vocabulary: 9, Eps: 1e-3,
		Rope: RopeParams{Base: 100, Dim: 4}}
	random := rand.New(rand.NewPCG(3, 4))
	w := Weights[float64]{embeddingName: normal(random, c.Vocabulary*c.Width), outputNormName: normal(random, c.Width)}
	if !tied {
		w[outputName] = normal(random, c.Vocabulary*c.Width)
	}
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	for i := range c.Layers {
		for _, m := range []struct {
			name string
			size int
		}{{"attn_norm", c.Width}, {"attn_q", q * c.Width}, {"attn_k", kv * c.Width}, {"attn_v", kv * c.Width}, {"attn_output", c.Width * q},
			{"ffn_norm", c.Width}, {"ffn_gate", c.FFN * c.Width}, {"ffn_up", c.FFN * c.Width}, {"ffn_down", c.Width * c.FFN}} {
			w[layerName(i, m.name)] = normal(random, m.size)
		}
	}
	return c, w, []int32{1, 5, 5, 8, 0, 2, 1}, []int32{5, 5, 8, 3, 2, 1, 1}
}

// TestGradient compares the backward pass with central differences of the forward pass, weight by weight.
func TestGradient(t *testing.T) {
	for name, tied := range map[string]bool{"tied": true, "untied": false} {
		t.Run(name, func(t *testing.T) {
			c, w, tokens, targets := trainCase(tied)
			tokens, targets = append(tokens, 4, 4, 7, 6, 6, 0, 3), append(targets, 4, 7, 6, 6, 0, 3, 8)
			_, gradient := Gradient(c, w, tokens, targets, 7)
			require.Len(t, gradient, len(w))
			const h = 1e-5
			for name, values := range w {
				require.Len(t, gradient[name], len(values), name)
				for i := 0; i < len(values); i += 5 {
					kept := values[i]
					values[i] = kept + h
					above, _ := Gradient(c, w, tokens, targets, 7)
					values[i] = kept - h
					below, _ := Gradient(c, w, tokens, targets, 7)
					values[i] = kept
					want := (above - below) / (2 * h)
					assert.InDelta(t, want, gradient[name][i], 1e-7*(1+math.Abs(want)), "%s[%d]", name, i)
				}
			}
		})
	}
}

// TestGradientIsOfTheForwardPass compares the loss with the logits of State.Forward.
func TestGradientIsOfTheForwardPass(t *testing.T) {
	c, w, tokens, targets := trainCase(false)
	m := &Model{Config: c, Embedding: narrow(w[embeddingName]), OutputNorm: narrow(w[outputNormName]), Output: narrow(w[outputName])}
	for i := range c.Layers {
		l := func(name string) []float32 { return narrow(w[layerName(i, name)]) }
		m.Layers = append(m.Layers, Layer{AttnNorm: l("attn_norm"), Q: l("attn_q"), K: l("attn_k"), V: l("attn_v"), O: l("attn_output"),
			FFNNorm: l("ffn_norm"), Gate: l("ffn_gate"), Up: l("ffn_up"), Down: l("ffn_down")})
	}
	for name := range w {
		w[name] = widen(narrow(w[name])) // the forward pass takes float32
	}
	logits, err := m.NewState().Forward(tokens)
	require.NoError(t, err)
	want := 0.0
	for i, row := range logits {
		_, lse := softmax(row)
		want += (lse - row[targets[i]]) / float64(len(targets))
	}
	loss, _ := Gradient(c, w, tokens, targets, len(tokens))
	assert.InDelta(t, want, loss, 1e-12)
}

func TestLearningRate(t *testing.T) {
	a := AdamW[float64]{Rate: 1, Floor: 0.2, Warmup: 4, Steps: 12}
	for step, want := range map[int]float64{1: 0.25, 4: 1, 8: 0.6, 12: 0.2, 100: 0.2} {
		assert.InDelta(t, want, a.LearningRate(step), 1e-15, "step %d", step)
	}
	a.Steps = 0
	assert.Equal(t, 1.0, a.LearningRate(100))
}

// TestAdamW follows two steps of one weight by hand.
func TestAdamW(t *testing.T) {
	a := AdamW[float64]{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1, Clip: 1, Rate: 0.5}
	w := Weights[float64]{"a.weight": {2}, "a_norm.weight": {2}}
	norm := a.Update(w, Weights[float64]{"a.weight": {3}, "a_norm.weight": {4}})
	assert.Equal(t, 5.0, norm)
	assert.InDelta(t, 2-0.5*(1+0.2), w["a.weight"][0], 1e-7, "the first step has size 1, whatever the gradient")
	assert.InDelta(t, 2-0.5, w["a_norm.weight"][0], 1e-7, "norms do not decay")
	a.Update(w, Weights[float64]{"a.weight": {0}, "a_norm.weight": {0}})
	first, second := 0.9*0.1*0.6/(1-0.81), 0.99*0.01*0.36/(1-0.9801)
	assert.InDelta(t, 1.4-0.5*(first/math.Sqrt(second)+0.14), w["a.weight"][0], 1e-7)
}
