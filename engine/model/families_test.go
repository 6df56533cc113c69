package model

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

type meta = map[string]any

// normed is a tiny model whose layers have what qwen3, gemma3 and gemma4 add to a llama's.
func normed(arch string, layers int, m meta) tiny.Model {
	t := tiny.Model{Architecture: arch, Layers: layers, Meta: meta{}, Tensors: map[string][]int{}}
	for key, value := range m {
		t.Meta[arch+"."+key] = value
	}
	for i := range layers {
		more := map[string]int{"attn_q_norm.weight": tiny.HeadDim, "attn_k_norm.weight": tiny.HeadDim}
		if arch == "gemma3" || arch == "gemma4" {
			more["post_attention_norm.weight"], more["post_ffw_norm.weight"] = tiny.Width, tiny.Width
		}
		for name, length := range more {
			t.Tensors[(&builder{at: i}).name(name)] = []int{length}
		}
	}
	return t
}

// layersOf gives the window, the base and the scaling of each layer's attention.
func layersOf(p *Plan) (windows []int, bases, scales []float64) {
	for _, l := range p.kv {
		windows, bases, scales = append(windows, l.window), append(bases, l.rope.Base), append(scales, l.rope.Scale)
	}
	return windows, bases, scales
}

func TestQwen3(t *testing.T) {
	p, err := NewPlan(normed("qwen3", 2, meta{"rope.freq_base": float32(1e6)}).File(t))
	require.NoError(t, err)
	assert.Empty(t, p.Warnings)
	assert.True(t, p.Tied)
	windows, bases, _ := layersOf(p)
	assert.Equal(t, []int{0, 0}, windows)
	assert.Equal(t, []float64{1e6, 1e6}, bases)
	assert.False(t, p.Ropes[0].Adjacent)

	for what, m := range map[string]meta{
		"qwen3.attention.sliding_window": {"attention.sliding_window": uint32(16)},
		"qwen3.rope.scaling.type":        {"rope.scaling.type": "longrope", "rope.scaling.factor": float32(4)},
		"qwen3.expert_count":             {"expert_count": uint32(4)},
		"qwen3.pooling_type":             {"pooling_type": uint32(5)},
		"qwen3.attention.scale":          {"attention.scale": float32(1)},
	} {
		_, err := NewPlan(normed("qwen3", 2, m).File(t))
		require.ErrorIs(t, err, ErrUnsupported)
		assert.ErrorContains(t, err, what)
	}
	for _, name := range []string{"attn_q_norm", "attn_k_norm"} {
		m := normed("qwen3", 2, nil)
		m.Tensors["blk.1."+name+".weight"] = []int{tiny.HeadDim + 2}
		_, err := NewPlan(m.File(t))
		require.ErrorContains(t, err, "tensor blk.1."+name+".weight has 10 elements, want 8")
		delete(m.Tensors, "blk.1."+name+".weight")
		_, err = NewPlan(m.File(t))
		require.ErrorContains(t, err, "the file has no tensor blk.1."+name+".weight")
	}
	m := normed("qwen3", 2, nil)
	m.Tensors["rope_freqs.weight"] = []int{tiny.HeadDim / 2}
	_, err = NewPlan(m.File(t))
	require.ErrorContains(t, err, "rope_freqs.weight", "no file of the family has them")
}

// Which layers of a gemma3 see a window, and what they rotate by.
func TestGemma3Layers(t *testing.T) {
	const w = 16
	six := []int{w, w, w, w, w, 0, w}
	for name, c := range map[string]struct {
		keys    meta
		windows []int
		groups  []int
	}{
		"every sixth":     {meta{}, six, []int{0, w, w, w, w, w, w}},
		"a number":        {meta{"attention.sliding_window_pattern": uint32(3)}, []int{w, w, 0, w, w, 0, w}, []int{0, w, w, w}},
		"another number":  {meta{"attention.sliding_window_pattern": int32(2)}, []int{w, 0, w, 0, w, 0, w}, []int{0, w, w}},
		"1: none local":   {meta{"attention.sliding_window_pattern": uint32(1)}, make([]int, 7), []int{0}},
		"0: all local":    {meta{"attention.sliding_window_pattern": uint32(0)}, []int{w, w, w, w, w, w, w}, []int{w}},
		"bools":           {meta{"attention.sliding_window_pattern": []bool{false, true, true, false, true, true, false}}, []int{0, w, w, 0, w, w, 0}, []int{0, w, w}},
		"numbers a layer": {meta{"attention.sliding_window_pattern": []int32{1, 1, 1, 1, 1, 0, 1}}, six, []int{0, w, w, w, w, w, w}},
		"no window":       {meta{"attention.sliding_window": uint32(0), "attention.sliding_window_pattern": uint32(6)}, make([]int, 7), []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			keys := meta{"attention.sliding_window": uint32(w), "rope.freq_base": float32(1e6), "rope.freq_base_swa": float32(500),
				"rope.scaling.type": "linear", "rope.scaling.factor": float32(8)}
			for key, value := range c.keys {
				keys[key] = value
			}
			p, err := NewPlan(normed("gemma3", 7, keys).File(t))
			require.NoError(t, err)
			assert.Empty(t, p.Warnings)
			assert.InDelta(t, math.Sqrt(tiny.Width), p.stream, 1e-6, "its stream is as much larger as its embeddings")
			windows, bases, scales := layersOf(p)
			assert.Equal(t, c.windows, windows)
			assert.Equal(t, c.groups, p.Windows())
			for i, window := range windows {
				base, scale := 1e6, 8.0
				if window > 0 {
					base, scale = 500, 1
				}
				assert.Equal(t, []float64{base, scale}, []float64{bases[i], scales[i]}, "layer %d", i)
			}
		})
	}
	p, err := NewPlan(normed("gemma3", 6, meta{"attention.sliding_window": uint32(w)}).File(t))
	require.NoError(t, err)
	_, bases, _ := layersOf(p)
	assert.Equal(t, []float64{1e4, 1e4, 1e4, 1e4, 1e4, 1e4}, bases, "where no key says otherwise")

	p, err = NewPlan(normed("gemma3", 6, meta{"rope.freq_base": float32(1e6), "rope.freq_base_swa": float32(1e4)}).File(t))
	require.NoError(t, err, "a model without windows still names the base of local layers")
	windows, bases, _ := layersOf(p)
	assert.Equal(t, make([]int, 6), windows)
	assert.Equal(t, []float64{1e6, 1e6, 1e6, 1e6, 1e6, 1e6}, bases)
	_, err = NewPlan(normed("gemma3", 6, meta{"attention.sliding_window_pattern": uint32(1)}).File(t))
	require.NoError(t, err, "no layer is local")
	for _, pattern := range []any{uint32(6), uint32(0), []bool{true, false, false, false, false, false}} {
		_, err = NewPlan(normed("gemma3", 6, meta{"attention.sliding_window_pattern": pattern}).File(t))
		require.ErrorContains(t, err, "the file has no gemma3.attention.sliding_window")
	}
	keys := meta{"attention.sliding_window": uint32(1 << 20), "rope.dimension_count": uint32(8), "rope.dimension_count_swa": uint32(4)}
	_, err = NewPlan(normed("gemma3", 6, keys).File(t))
	require.ErrorContains(t, err, "gemma3.rope.dimension_count_swa", "layers are local, however wide the window")
	keys["rope.dimension_count_swa"] = uint32(8)
	_, err = NewPlan(normed("gemma3", 6, keys).File(t))
	require.NoError(t, err, "as the others")

	for what, value := range map[string]any{"2 values": []bool{true, false}, "of text": []string{"a", "b", "c", "d", "e", "f"}, "text": "local", "negative": int32(-1)} {
		_, err := NewPlan(normed("gemma3", 6, meta{"attention.sliding_window": uint32(w), "attention.sliding_window_pattern": value}).File(t))
		assert.ErrorContains(t, err, "gemma3.attention.sliding_window_pattern", what)
	}
	_, err = NewPlan(normed("gemma3", 6, meta{"final_logit_softcapping": float32(30)}).File(t))
	require.NoError(t, err)
	for key, value := range (meta{"attn_logit_softcapping": float32(50), "final_logit_softcapping": float32(-1), "rope.dimension_count_swa": uint32(4),
		"attention.key_length_swa": uint32(4), "attention.scale": float32(1), "rope.scaling.type": "longrope"}) {
		_, err := NewPlan(normed("gemma3", 6, meta{"attention.sliding_window": uint32(w), key: value}).File(t))
		require.ErrorIs(t, err, ErrUnsupported, key)
		assert.ErrorContains(t, err, "gemma3."+key)
	}
}

// The scale of attention is by the head dim, but for 62 layers by the width over the heads.
func TestGemma3Scale(t *testing.T) {
	keys := meta{"attention.key_length": uint32(8), "attention.value_length": uint32(8), "attention.head_count": uint32(4)}
	for layers, dim := range map[int]float64{6: 8, 62: 16, 61: 8} {
		m := normed("gemma3", layers, keys)
		m.Meta["gemma3.embedding_length"] = uint32(64)
		p, problems := Check(m.File(t))
		require.NotEmpty(t, problems, "tensors are of another width")
		assert.InDelta(t, 1/math.Sqrt(dim), float64(p.kv[0].scale), 1e-7, "%d layers", layers)
		for _, err := range problems {
			assert.NotContains(t, err.Error(), "attention.scale")
		}
	}
}

// Layers of one window form groups of equal length, as many layers as the fewest of a window, or more where the groups
// would be too many.
func TestGroups(t *testing.T) {
	for _, c := range []struct {
		name        string
		full, local int
		windows     int // groups of windows
		size        int
	}{
		{"gemma3 1B", 4, 22, 6, 4}, {"gemma3 270M", 3, 15, 5, 3}, {"gemma3 4B", 5, 29, 6, 5}, {"gemma3 12B", 8, 40, 5, 8}, {"gemma3 27B", 10, 52, 6, 10},
		{"llama", 16, 0, 0, 16}, {"too many of one", 1, 12, 6, 2}, {"far too many", 1, 100, 7, 15}, {"windows only", 0, 9, 1, 9}, {"few windows", 9, 2, 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &builder{plan: &Plan{}}
			for range c.full {
				b.plan.kv = append(b.plan.kv, &kvLayer{})
			}
			for range c.local {
				b.plan.kv = append(b.plan.kv, &kvLayer{span: span{window: 16}})
			}
			b.group()
			full := 0
			taken := map[[2]int]bool{}
			for _, w := range b.plan.Windows() {
				if w == 0 {
					full++
				}
			}
			for i, l := range b.plan.kv {
				place := [2]int{l.group, l.place}
				assert.False(t, taken[place], "layer %d is alone at its place", i)
				taken[place] = true
				assert.Equal(t, l.window, b.plan.Windows()[l.group])
			}
			assert.LessOrEqual(t, len(b.plan.Windows()), 8)
			assert.Equal(t, c.size, b.plan.GroupLayers())
			if c.name != "few windows" {
				assert.Equal(t, []int{min(c.full, 1), c.windows}, []int{full, len(b.plan.Windows()) - full})
			}
		})
	}
}

// A window keeps no more of a sequence than it sees.
func TestKVBytes(t *testing.T) {
	p, err := NewPlan(normed("gemma3", 6, meta{"attention.sliding_window": uint32(16)}).File(t))
	require.NoError(t, err)
	token, err := p.KVTokenBytes("f16")
	require.NoError(t, err)
	row := 2 * 2 * tiny.KVHeads * tiny.HeadDim
	assert.Equal(t, 6*row, token)
	slots, err := p.KVSlotBytes("f16")
	require.NoError(t, err)
	assert.Equal(t, 6*row, slots)
	for tokens, want := range map[int]int{1: 6, 16: 96, 100: 5*16 + 100} {
		n, err := p.KVBytes("f16", tokens)
		require.NoError(t, err)
		assert.EqualValues(t, want*row, n)
	}
	p, err = NewPlan(normed("gemma3", 9, meta{"attention.sliding_window": uint32(16), "attention.sliding_window_pattern": uint32(4)}).File(t))
	require.NoError(t, err)
	slots, err = p.KVSlotBytes("f16")
	require.NoError(t, err)
	assert.Equal(t, (2+4*2)*row, slots, "two full layers, seven with a window and one to pad")
	_, err = p.KVBytes("f12", 1)
	assert.ErrorContains(t, err, "f12")
}
