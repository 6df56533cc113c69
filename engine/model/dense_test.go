package model

import (
	"maps"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// planned gives the plan of a tiny file of an architecture with these keys.
func planned(t *testing.T, arch string, layers int, m meta) *Plan {
	t.Helper()
	file := tiny.Model{Architecture: arch, Layers: layers, Meta: meta{}}
	for key, value := range m {
		file.Meta[arch+"."+key] = value
	}
	p, err := NewPlan(file.File(t))
	require.NoError(t, err)
	assert.Empty(t, p.Warnings)
	return p
}

// Every fourth layer of a SmolLM3 has no positions; a shorter one has them everywhere.
func TestSmolLM3Layers(t *testing.T) {
	for layers, want := range map[int][]bool{3: {true, true, true}, 9: {true, true, true, false, true, true, true, false, true}} {
		p := planned(t, "smollm3", layers, meta{"rope.freq_base": float32(5e6)})
		var turned []bool
		for _, l := range p.kv {
			turned = append(turned, l.rope != nil)
		}
		assert.Equal(t, want, turned)
		assert.True(t, p.Ropes[0].Adjacent)
		assert.Equal(t, []int{0}, p.Windows())
	}
}

// A dense Granite 4 file carries what its hybrid relatives say of states and experts; states themselves are not left out.
func TestDenseGranite4(t *testing.T) {
	keys := meta{"attention.head_count_kv": []int32{2, 2}, "attention.scale": float32(0.2), "embedding_scale": float32(6), "residual_scale": float32(0.4),
		"logit_scale": float32(3), "rope.scaling.finetuned": true, "expert_count": uint32(0), "expert_used_count": uint32(0),
		"expert_shared_feed_forward_length": uint32(52), "ssm.conv_kernel": uint32(4), "ssm.state_size": uint32(16), "ssm.group_count": uint32(1),
		"ssm.inner_size": uint32(64), "ssm.time_step_rank": uint32(4)}
	p := planned(t, "granite", 2, keys)
	assert.Len(t, p.kv, 2)
	assert.Len(t, p.Ropes, 1)
	keys["rope.scaling.finetuned"] = false
	assert.Empty(t, planned(t, "granite", 2, keys).Ropes, "it was trained without positions")

	_, err := NewPlan(tiny.Model{Architecture: "granite", Tensors: map[string][]int{"blk.0.ssm_in.weight": {tiny.Width, tiny.Width}}}.File(t))
	require.ErrorIs(t, err, ErrUnsupported)
	assert.ErrorContains(t, err, "blk.0.ssm_in.weight")
}

// What a file says of YaRN is in the table; what it does not say is as usual.
func TestYarn(t *testing.T) {
	with := func(m meta) meta {
		keys := meta{"rope.scaling.type": "yarn", "rope.scaling.factor": float32(4)}
		for key, value := range m {
			keys[key] = value
		}
		return keys
	}
	grown := 1 + 0.1*math.Log(4)
	for name, c := range map[string]struct {
		keys      meta
		want      Yarn
		magnitude float64
	}{
		"usual":          {meta{}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, grown},
		"all of it":      {meta{"rope.scaling.original_context_length": uint32(64), "rope.scaling.yarn_beta_fast": float32(8), "rope.scaling.yarn_beta_slow": float32(2)}, Yarn{Factor: 4, Original: 64, Fast: 8, Slow: 2}, grown},
		"no growth":      {meta{"rope.scaling.yarn_log_multiplier": float32(1)}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, 1},
		"own growth":     {meta{"rope.scaling.yarn_attn_factor": float32(1.5)}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, 1.5},
		"times a factor": {meta{"rope.scaling.attn_factor": float32(2), "rope.scaling.yarn_ext_factor": float32(1)}, Yarn{Factor: 4, Original: tiny.Context, Fast: 32, Slow: 1}, 2 * grown},
	} {
		t.Run(name, func(t *testing.T) {
			rope := planned(t, "qwen2", 1, with(c.keys)).Ropes[0]
			assert.Equal(t, c.want, *rope.Yarn)
			assert.InDelta(t, c.magnitude, rope.Magnitude, 1e-12)
			table := rope.Table(0, 1)
			assert.Equal(t, []float32{float32(rope.Magnitude), 0}, table[:2], "position 0")
		})
	}
	for key, value := range (meta{"rope.scaling.yarn_beta_fast": float32(0.5), "rope.scaling.yarn_beta_slow": float32(-1), "rope.scaling.yarn_ext_factor": float32(0.5),
		"rope.scaling.original_context_length": uint32(0), "rope.scaling.factor": float32(0), "rope.scaling.yarn_attn_factor": float32(-1)}) {
		file := tiny.Model{Meta: meta{}}
		for k, v := range with(meta{key: value}) {
			file.Meta["llama."+k] = v
		}
		_, err := NewPlan(file.File(t))
		require.ErrorIs(t, err, ErrUnsupported, key)
		assert.ErrorContains(t, err, "llama."+key)
	}
}

// Frequencies of a table of gpt-oss's size, whose blend begins and ends between two of them; the values are Hugging Face's.
func TestYarnExact(t *testing.T) {
	rope := Rope{Dim: 64, Base: 150000, Scale: 1, Magnitude: 1, Yarn: &Yarn{Factor: 32, Original: 4096, Fast: 32, Slow: 1}}
	frequency := func(i int) float64 {
		turn := rope.Table(1, 1)[2*i:]
		return math.Atan2(float64(turn[1]), float64(turn[0]))
	}
	plain := func(i int) float64 { return math.Pow(150000, -float64(i)/32) }
	assert.InEpsilon(t, plain(8), frequency(8), 1e-6)
	assert.InEpsilon(t, plain(18)/32, frequency(18), 1e-6)
	assert.InEpsilon(t, plain(9)*(0.9+0.1/32), frequency(9), 1e-6)
	rope.Yarn.Exact = true // from 8.0928 to 17.3980
	assert.InEpsilon(t, plain(8), frequency(8), 1e-6)
	assert.InEpsilon(t, plain(9)*(1-0.0974956+0.0974956/32), frequency(9), 1e-6)
	assert.InEpsilon(t, plain(18)/32, frequency(18), 1e-6)
}

// Granite's four factors, and what stands for those that a file lacks.
func TestGraniteFactors(t *testing.T) {
	p := planned(t, "granite", 2, meta{"attention.scale": float32(0.015625), "embedding_scale": float32(12), "residual_scale": float32(0.22), "logit_scale": float32(8)})
	assert.EqualValues(t, 0.015625, p.kv[0].scale)
	for _, m := range []meta{{}, {"attention.scale": float32(0), "embedding_scale": float32(0), "residual_scale": float32(0), "logit_scale": float32(0)}} {
		assert.InDelta(t, 1/math.Sqrt(tiny.HeadDim), planned(t, "granite", 1, m).kv[0].scale, 1e-7)
	}
	_, err := NewPlan(tiny.Model{Architecture: "granite", Meta: meta{"granite.logit_scale": float32(-1)}}.File(t))
	assert.ErrorContains(t, err, "granite.logit_scale is -1")
}

// A Mistral's layers all see its window, unless no token of the context is out of it.
func TestLlamaWindow(t *testing.T) {
	for window, want := range map[uint32]int{0: 0, 24: 24, tiny.Context - 1: tiny.Context - 1, tiny.Context: 0, 1 << 20: 0} {
		assert.Equal(t, []int{want}, planned(t, "llama", 3, meta{"attention.sliding_window": window}).Windows())
	}
	_, err := NewPlan(tiny.Model{Architecture: "qwen2", Meta: meta{"qwen2.attention.sliding_window": uint32(24)}}.File(t))
	assert.ErrorContains(t, err, "qwen2.attention.sliding_window", "which layers of a Qwen 2 see it, the file does not say")
}

// Queries of a Ministral 3 grow with the position, by steps of the context that it was trained for.
func TestMistral3Grows(t *testing.T) {
	p := planned(t, "mistral3", 1, meta{"attention.temperature_scale": float32(0.5), "rope.scaling.type": "yarn", "rope.scaling.factor": float32(2),
		"rope.scaling.original_context_length": uint32(10), "rope.scaling.yarn_log_multiplier": float32(1)})
	rope := p.Ropes[0]
	assert.InDelta(t, 1, rope.Magnitude, 1e-12)
	for position, want := range map[int]float64{0: 1, 9: 1, 10: 1 + 0.5*math.Log(2), 35: 1 + 0.5*math.Log(4)} {
		row := rope.Table(position, 1)
		require.Len(t, row, rope.Row())
		assert.InDelta(t, want, float64(row[rope.Dim]), 1e-6)
	}
	assert.Len(t, planned(t, "mistral3", 1, meta{"attention.temperature_scale": float32(0)}).Ropes[0].Table(0, 1), tiny.HeadDim)
}

// Every second layer of a Gemma 2 sees a window; what its files leave out is as in the models that were published.
func TestGemma2Layers(t *testing.T) {
	file := func(layers int, m meta) tiny.Model {
		model := tiny.Model{Architecture: "gemma2", Layers: layers, Meta: meta{}, Tensors: map[string][]int{}}
		for key, value := range m {
			model.Meta["gemma2."+key] = value
		}
		for i := range layers {
			for _, name := range []string{"post_attention_norm.weight", "post_ffw_norm.weight"} {
				model.Tensors[(&builder{at: i}).name(name)] = []int{tiny.Width}
			}
		}
		return model
	}
	p, err := NewPlan(file(3, meta{"attention.sliding_window": uint32(16), "attn_logit_softcapping": float32(6)}).File(t))
	require.NoError(t, err)
	windows, _, _ := layersOf(p)
	assert.Equal(t, []int{16, 0, 16}, windows)
	assert.EqualValues(t, 6, p.kv[0].softcap)
	p, err = NewPlan(file(2, nil).File(t))
	require.NoError(t, err)
	windows, _, _ = layersOf(p)
	assert.Equal(t, []int{4096, 0}, windows)
	assert.EqualValues(t, 50, p.kv[1].softcap)
	p, err = NewPlan(file(2, meta{"attn_logit_softcapping": float32(0), "final_logit_softcapping": float32(0)}).File(t))
	require.NoError(t, err)
	assert.Zero(t, p.kv[0].softcap)
	_, err = NewPlan(file(2, meta{"final_logit_softcapping": float32(-1)}).File(t))
	assert.ErrorContains(t, err, "gemma2.final_logit_softcapping is -1")
}

// q, k and v may lie in one tensor, in any architecture.
func TestFusedHeads(t *testing.T) {
	m := tiny.Model{Drop: []string{"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight"},
		Tensors: map[string][]int{"blk.0.attn_qkv.weight": {64, tiny.Width}, "blk.0.attn_qkv.bias": {64}}}
	p, err := NewPlan(m.File(t))
	require.NoError(t, err)
	assert.Equal(t, "blk.0.attn_qkv.weight", p.matrices[1].Parts[0].Tensor.Name)
	m.Tensors["blk.0.attn_qkv.weight"] = []int{63, tiny.Width}
	_, err = NewPlan(m.File(t))
	assert.ErrorContains(t, err, "tensor blk.0.attn_qkv.weight has shape [32 63], want [32 64]")
}

// Learned positions need a row for each.
func TestLearnedPositions(t *testing.T) {
	norms := map[string][]int{"output_norm.bias": {tiny.Width}}
	for rows, want := range map[int]string{tiny.Context: "", tiny.Context + 3: "", tiny.Context - 1: "a row for each of 128 positions"} {
		m := tiny.Model{Architecture: "gpt2", Layers: 1, Meta: meta{"gpt2.attention.layer_norm_epsilon": float32(1e-5)}, Tensors: maps.Clone(norms),
			Drop: []string{"blk.0.ffn_gate.weight"}}
		m.Tensors["position_embd.weight"] = []int{rows, tiny.Width}
		_, err := NewPlan(m.File(t))
		if want == "" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, want)
	}
}

// A Phi-3's two tables differ by their factors alone; a file with one of them, or without the border, is refused.
func TestLongRope(t *testing.T) {
	file := func(m meta, drop ...string) tiny.Model {
		model := tiny.Model{Architecture: "phi3", Layers: 1, Meta: meta{"phi3.rope.scaling.original_context_length": uint32(64), "phi3.rope.scaling.attn_factor": float32(1.25)},
			Drop:    append(drop, "blk.0.ffn_gate.weight"),
			Tensors: map[string][]int{"blk.0.ffn_up.weight": {2 * tiny.FFN, tiny.Width}, "rope_factors_long.weight": {tiny.HeadDim / 2}, "rope_factors_short.weight": {tiny.HeadDim / 2}}}
		for key, value := range m {
			model.Meta["phi3."+key] = value
		}
		for _, name := range drop {
			delete(model.Tensors, name)
		}
		return model
	}
	for _, m := range []meta{{}, {"rope.scaling.type": "longrope"}} {
		p, err := NewPlan(file(m).File(t))
		require.NoError(t, err)
		assert.Empty(t, p.Warnings)
		assert.Equal(t, 64, p.ShortContext)
		rope := p.Ropes[0]
		require.NotNil(t, rope.Long)
		assert.Equal(t, []float64{1.25, 1.25}, []float64{rope.Magnitude, rope.Long.Magnitude})
		assert.Equal(t, []string{"rope_factors_short.weight", "rope_factors_long.weight"}, []string{rope.factors.Name, rope.Long.factors.Name})
	}
	p, err := NewPlan(file(meta{"rope.scaling.attn_factor": float32(1)}, "rope_factors_long.weight", "rope_factors_short.weight").File(t))
	require.NoError(t, err, "one of a short context has no factors")
	assert.Zero(t, p.ShortContext)
	assert.Nil(t, p.Ropes[0].Long)
	for missing, m := range map[string]tiny.Model{
		"rope_factors_long.weight":             file(nil, "rope_factors_long.weight"),
		"rope_factors_short.weight":            file(nil, "rope_factors_short.weight"),
		"rope.scaling.original_context_length": file(nil, "phi3.rope.scaling.original_context_length"),
	} {
		_, err := NewPlan(m.File(t))
		assert.ErrorContains(t, err, "the file has no ")
		assert.ErrorContains(t, err, missing)
	}
}

// Gates and ups of one tensor become rows in turn, and its bytes are counted once.
func TestGatesAndUps(t *testing.T) {
	m := tiny.Model{Architecture: "phi3", Layers: 1, Drop: []string{"blk.0.ffn_gate.weight"},
		Tensors: map[string][]int{"blk.0.ffn_up.weight": {2 * tiny.FFN, tiny.Width}}}
	f := m.File(t)
	p, err := NewPlan(f)
	require.NoError(t, err)
	var bytes int64
	for i := range f.Tensors {
		bytes += f.Tensors[i].Bytes
	}
	assert.Equal(t, bytes, p.WeightBytes())
	m.Tensors["blk.0.ffn_up.weight"] = []int{2*tiny.FFN + 1, tiny.Width}
	_, err = NewPlan(m.File(t))
	assert.ErrorContains(t, err, "tensor blk.0.ffn_up.weight has shape [32 97], want [32 96]")
}
