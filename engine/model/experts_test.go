package model

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

const tinyExperts, tinyExpertFFN = 5, 24

// mixed is a tiny model with experts in place of feed-forward blocks.
func mixed(arch string, keys meta) tiny.Model {
	m := tiny.Model{Architecture: arch, Meta: meta{}, Tensors: map[string][]int{}}
	ffn := tinyExpertFFN
	if arch == "llama" {
		ffn = tiny.FFN
	} else {
		m.Meta[arch+".expert_feed_forward_length"] = uint32(ffn)
	}
	m.Meta[arch+".expert_count"], m.Meta[arch+".expert_used_count"] = uint32(tinyExperts), uint32(2)
	for key, value := range keys {
		m.Meta[arch+"."+key] = value
	}
	for i := range 2 {
		at := func(name string) string { return fmt.Sprintf("blk.%d.%s.weight", i, name) }
		m.Drop = append(m.Drop, at("ffn_gate"), at("ffn_up"), at("ffn_down"))
		m.Tensors[at("ffn_gate_inp")] = []int{tinyExperts, tiny.Width}
		m.Tensors[at("ffn_gate_exps")] = []int{tinyExperts, ffn, tiny.Width}
		m.Tensors[at("ffn_up_exps")] = []int{tinyExperts, ffn, tiny.Width}
		m.Tensors[at("ffn_down_exps")] = []int{tinyExperts, tiny.Width, ffn}
		if arch == "qwen2moe" {
			m.Tensors[at("ffn_gate_shexp")], m.Tensors[at("ffn_up_shexp")] = []int{tiny.FFN, tiny.Width}, []int{tiny.FFN, tiny.Width}
			m.Tensors[at("ffn_down_shexp")], m.Tensors[at("ffn_gate_inp_shexp")] = []int{tiny.Width, tiny.FFN}, []int{tiny.Width}
		}
		if arch == "qwen3moe" {
			m.Tensors[at("attn_q_norm")], m.Tensors[at("attn_k_norm")] = []int{tiny.HeadDim}, []int{tiny.HeadDim}
		}
	}
	return m
}

// Experts' matrices are planned one below the other, and what changes how experts are chosen is read or refused by name.
func TestExperts(t *testing.T) {
	for _, arch := range []string{"qwen3moe", "llama", "qwen2moe"} {
		t.Run(arch, func(t *testing.T) {
			p, err := NewPlan(mixed(arch, nil).File(t))
			require.NoError(t, err)
			assert.Empty(t, p.Warnings)
			var experts []*Matrix
			for _, m := range p.matrices {
				if m.Experts > 0 {
					experts = append(experts, m)
					assert.Equal(t, tinyExperts, m.Experts)
				}
			}
			require.Len(t, experts, 4)
			assert.Equal(t, tinyExperts*tiny.Width, experts[1].Rows)

			for _, keys := range []meta{{"expert_group_count": uint32(1)}, {"expert_shared_count": uint32(0)}, {"expert_gating_func": uint32(1)},
				{"expert_gating_func": uint32(2)}, {"expert_weights_scale": float32(2.5)}, {"expert_weights_norm": false}, {"leading_dense_block_count": uint32(0)}} {
				_, err := NewPlan(mixed(arch, keys).File(t))
				assert.NoError(t, err, "%v", keys)
			}
			for key, value := range (meta{"expert_gating_func": uint32(4), "expert_group_count": uint32(4), "expert_group_used_count": uint32(2),
				"expert_count": uint32(2000), "expert_used_count": uint32(6), "expert_shared_count": uint32(1), "expert_group_scale": float32(2),
				"leading_dense_block_count": uint32(1), "interleave_moe_layer_step": uint32(2), "moe_every_n_layers": uint32(2)}) {
				_, err := NewPlan(mixed(arch, meta{key: value}).File(t))
				require.ErrorIs(t, err, ErrUnsupported, key)
				assert.ErrorContains(t, err, arch+"."+key)
			}
			for name, shape := range map[string][]int{"ffn_gate_exps": {tinyExperts, tinyExpertFFN - 1, tiny.Width}, "ffn_down_exps": {tinyExperts - 1, tiny.Width, tinyExpertFFN},
				"ffn_up_exps": {tinyExperts * tinyExpertFFN, tiny.Width}, "ffn_gate_inp": {tinyExperts + 1, tiny.Width}} {
				m := mixed(arch, nil)
				m.Tensors["blk.1."+name+".weight"] = shape
				_, err := NewPlan(m.File(t))
				assert.ErrorContains(t, err, "tensor blk.1."+name+".weight has shape")
			}
			m := mixed(arch, nil)
			m.Tensors["blk.1.exp_probs_b.bias"] = []int{tinyExperts}
			_, err = NewPlan(m.File(t))
			assert.ErrorContains(t, err, "exp_probs_b", "no file of the family has them")
		})
	}
	m := mixed("qwen3moe", nil)
	m.Drop = append(m.Drop, "qwen3moe.expert_used_count")
	delete(m.Meta, "qwen3moe.expert_used_count")
	_, err := NewPlan(m.File(t))
	assert.ErrorContains(t, err, "the file has no qwen3moe.expert_used_count")
}

// gptoss is a tiny gpt-oss.
func gptossModel(keys meta) tiny.Model {
	m := mixed("gpt-oss", meta{"attention.sliding_window": uint32(16), "rope.scaling.type": "yarn", "rope.scaling.factor": float32(8),
		"rope.scaling.original_context_length": uint32(32)})
	for key, value := range keys {
		m.Meta["gpt-oss."+key] = value
	}
	for i := range 2 {
		at := func(name string) string { return fmt.Sprintf("blk.%d.%s", i, name) }
		m.Drop = append(m.Drop, at("ffn_norm.weight"))
		m.Tensors[at("post_attention_norm.weight")] = []int{tiny.Width}
		m.Tensors[at("attn_sinks.weight")] = []int{tiny.Heads}
		for name, shape := range map[string][]int{"attn_q": {tiny.Heads * tiny.HeadDim}, "attn_k": {tiny.KVHeads * tiny.HeadDim}, "attn_v": {tiny.KVHeads * tiny.HeadDim},
			"attn_output": {tiny.Width}, "ffn_gate_inp": {tinyExperts}, "ffn_gate_exps": {tinyExperts, tinyExpertFFN}, "ffn_up_exps": {tinyExperts, tinyExpertFFN},
			"ffn_down_exps": {tinyExperts, tiny.Width}} {
			m.Tensors[at(name)+".bias"] = shape
		}
	}
	return m
}

// Every other layer of a gpt-oss has a window, the first one too; all have sinks, and their YaRN is exact.
func TestGPTOSS(t *testing.T) {
	p, err := NewPlan(gptossModel(nil).File(t))
	require.NoError(t, err)
	assert.Empty(t, p.Warnings)
	windows, _, _ := layersOf(p)
	assert.Equal(t, []int{16, 0}, windows)
	require.NotNil(t, p.Ropes[0].Yarn)
	assert.True(t, p.Ropes[0].Yarn.Exact)
	for _, l := range p.kv {
		require.NotNil(t, l.sinks)
	}
	for key, value := range (meta{"attention.sliding_window": uint32(0), "swiglu_clamp_exp": float32(5), "expert_gating_func": uint32(9)}) {
		_, err := NewPlan(gptossModel(meta{key: value}).File(t))
		require.ErrorIs(t, err, ErrUnsupported, key)
		assert.ErrorContains(t, err, "gpt-oss."+key)
	}
	m := gptossModel(nil)
	m.Tensors["blk.1.attn_sinks.weight"] = []int{tiny.Heads + 1}
	_, err = NewPlan(m.File(t))
	assert.ErrorContains(t, err, "tensor blk.1.attn_sinks.weight has 5 elements, want 4")
	m = gptossModel(nil)
	m.Tensors["blk.0.ffn_down_exps.bias"] = []int{tiny.Width}
	_, err = NewPlan(m.File(t))
	assert.ErrorContains(t, err, "tensor blk.0.ffn_down_exps.bias has 32 elements, want 160")
}
