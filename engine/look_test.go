package engine

import (
	"context"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/reference/referencetest"
	"quire/engine/step"
)

// What is looked at is what the engine computes with: queries, K and V are those of the reference, and plain softmax over their
// scores gives what the kernel gave.
func TestLook(t *testing.T) {
	prompt := testPrompts(4)[3]
	for _, c := range []struct {
		model, kvType string
		within        float64 // of the cache's type
	}{{"tiny-tales", "f32", 1e-4}, {"tiny-tales", "f16", 5e-3}, {"tiny-tales", "bf16", 4e-2}, {"tiny-tales", "q8", 4e-2}} {
		if os.Getenv("QUIRE_ALL") == "" && c.kvType != "f16" && (c.kvType != "q8" || runsFew()) {
			continue
		}
		t.Run(c.model+" "+c.kvType, func(t *testing.T) {
			m := referencetest.Load(t, c.model)
			e := openModel(t, c.model, equal(func(o *Options) { o.KVType, o.Deterministic = c.kvType, false }))
			beside := submit(t, e, Request{Prompt: prompt[:9], MaxTokens: 30, IgnoreEnd: true})
			s := m.NewState()
			queries := make([][]float64, len(m.Layers))
			s.Queries = func(layer int, rows []float64) {
				queries[layer] = append([]float64{}, rows[len(rows)-m.Heads*m.HeadDim:]...)
			}
			_, err := s.Forward(prompt)
			require.NoError(t, err)
			for _, layer := range []int{0, len(m.Layers) - 1} {
				l, err := e.Look(context.Background(), prompt, layer, 1)
				require.NoError(t, err)
				assert.Equal(t, len(prompt)-1, l.Position)
				assert.Len(t, l.Layers, len(m.Layers))
				near(t, queries[layer], l.Query, c.within, "queries of layer %d", layer)
				near(t, s.Keys[layer], l.Keys, c.within, "K of layer %d", layer)
				near(t, s.Values[layer], l.Values, c.within, "V of layer %d", layer)
				near(t, softmaxOf(l), l.Out, 1e-4, "what comes of layer %d", layer)
			}
			assert.Len(t, beside.Result().IDs, 30)
			assert.Empty(t, e.sightings)
		})
	}
}

// Answers share the prompt's whole blocks, and write to a copy of the last.
func TestLookAtAnswers(t *testing.T) {
	prompt := testPrompts(4)[3][:21]
	e := openModel(t, "tiny-tales", equal())
	l, err := e.Look(context.Background(), prompt, 1, 2)
	require.NoError(t, err)
	require.Len(t, l.Tables, 2)
	assert.Equal(t, l.Tables[0][:2], l.Tables[1][:2])
	assert.NotEqual(t, l.Tables[0][2], l.Tables[1][2])
	assert.Len(t, l.Answers[1], 2)
	again, err := e.Look(context.Background(), append(prompt[:16:16], 9), -1, 1)
	require.NoError(t, err)
	assert.Equal(t, 2, again.Layer, "the middle one of four")
	assert.Equal(t, l.Tables[0][:2], again.Tables[0][:2], "a prompt that begins alike finds the blocks")

	for what, ask := range map[string]func() (*Look, error){
		"layer 99 has no attention; layers [0 1": func() (*Look, error) { return e.Look(context.Background(), prompt, 99, 1) },
		"prompt is empty":                        func() (*Look, error) { return e.Look(context.Background(), nil, 0, 1) },
	} {
		_, err := ask()
		assert.ErrorIs(t, err, ErrBadRequest)
		assert.ErrorContains(t, err, what)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = e.Look(cancelled, testPrompts(4)[3], 0, 1)
	assert.Error(t, err)
	assert.Empty(t, e.sightings)
}

func near(t *testing.T, want []float64, got []float32, within float64, what string, args ...any) {
	t.Helper()
	require.Len(t, got, len(want), append([]any{what}, args...)...)
	size := 0.0
	for _, w := range want {
		size = max(size, math.Abs(w))
	}
	for i, w := range want {
		if math.Abs(w-float64(got[i])) > within*size {
			assert.InDelta(t, w, got[i], within*size, append([]any{what}, args...)...)
			return
		}
	}
}

// softmaxOf is attention in float64, of all scores at once.
func softmaxOf(l *Look) []float64 {
	out := make([]float64, l.Heads*l.HeadDim)
	for head := range l.Heads {
		at := func(key int) int { return (key*l.KVHeads + head*l.KVHeads/l.Heads) * l.HeadDim }
		scores, top := make([]float64, l.Position+1), math.Inf(-1)
		for key := l.From; key <= l.Position; key++ {
			for i := range l.HeadDim {
				scores[key] += float64(l.Scale) * float64(l.Query[head*l.HeadDim+i]) * float64(l.Keys[at(key)+i])
			}
			if l.Softcap > 0 {
				scores[key] = float64(l.Softcap) * math.Tanh(scores[key]/float64(l.Softcap))
			}
			top = max(top, scores[key])
		}
		sum := 0.0
		if len(l.Sinks) > 0 {
			sum = math.Exp(float64(l.Sinks[head]) - top)
		}
		for key := l.From; key <= l.Position; key++ {
			sum += math.Exp(scores[key] - top)
		}
		for key := l.From; key <= l.Position; key++ {
			for i := range l.HeadDim {
				out[head*l.HeadDim+i] += math.Exp(scores[key]-top) / sum * float64(l.Values[at(key)+i])
			}
		}
	}
	return out
}

// A device that is lost in the step that is looked at has it looked at again, and leaks nothing.
func TestLookWhenTheDeviceIsLost(t *testing.T) {
	if runsFew() {
		t.Skip("compiling everything again takes seconds on a software GPU")
	}
	e := openModel(t, "tiny-tales", equal())
	look := func() *Look {
		l, err := e.Look(context.Background(), testPrompts(4)[3], 0, 1)
		require.NoError(t, err)
		near(t, softmaxOf(l), l.Out, 1e-4, "what comes of the layer")
		return l
	}
	want, held := look(), gpu.LiveBuffers()
	lost := false
	e.trace = func(*step.Step) {
		if !lost {
			lost = true
			e.machine.device.Destroy()
		}
	}
	got := look()
	assert.True(t, lost)
	assert.Equal(t, want.Out, got.Out)
	assert.Equal(t, held, gpu.LiveBuffers())
	assert.Empty(t, e.sightings)
}

// Windows, sinks and bounded scores are told with the rest: what is plainly computed of them is what came of the layer.
func TestLookAtKinds(t *testing.T) {
	prompt := testPrompts(4)[3]
	names := []string{"gptoss-f32"}
	if os.Getenv("QUIRE_ALL") != "" {
		names = append(names, "gemma2", "gemma3", "gemma4", "qwen35")
	}
	for _, name := range names {
		e := openTiny(t, name)
		windows, bounded, sinks := 0, 0, 0
		for layer := range e.plan.Config.Layers {
			if _, ok := e.plan.Sight(layer); !ok {
				continue
			}
			l, err := e.Look(context.Background(), prompt, layer, 1)
			require.NoError(t, err)
			near(t, softmaxOf(l), l.Out, 1e-2, "%s, layer %d", name, layer)
			windows, bounded, sinks = windows+l.From, bounded+int(l.Softcap), sinks+len(l.Sinks)
		}
		assert.Equal(t, name == "qwen35", windows == 0, name)
		assert.Equal(t, name == "gptoss-f32", sinks > 0, name)
		assert.Equal(t, name == "gemma2", bounded > 0, name)
		require.NoError(t, e.Close())
	}
}
